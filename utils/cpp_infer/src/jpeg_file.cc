#include <algorithm>

#include "cpp_infer/image_file.h"
#include "cpp_infer/jpeg.h"

namespace cpp_infer {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr int kEndOfImage = 0xD9;

// The place after the next marker from `at` on, 0 if there is none: a byte FF and its code, but not
// what decoders pass over wherever it stands (stuffing, TEM, restart markers, fill bytes).
size_t AfterMarker(const Bytes& content, size_t at) {
  for (; at + 1 < content.size(); ++at) {
    const int code = content[at + 1];
    const bool is_passed_over =
        code == 0x00 || code == 0x01 || (code >= 0xD0 && code <= 0xD7) || code == 0xFF;
    if (content[at] == 0xFF && !is_passed_over) return at + 2;
  }
  return 0;
}

}  // namespace

int CheckJpeg(const Bytes& content) {
  Jpeg jpeg;
  size_t at = 2;
  while (true) {
    at = AfterMarker(content, at);
    if (at == 0) throw jpeg.Cut();
    const int marker = content[at - 1];
    if (marker == kEndOfImage) {
      if (jpeg.scans() == 0) throw Error("the JPEG file has no scan");
      return jpeg.components();
    }
    if (at + 2 > content.size()) throw jpeg.Cut();
    const size_t length = content[at] * 256 + content[at + 1];
    // Decoders pass over a length under 2 as if it were 2.
    const size_t end = at + std::max(length, size_t{2});
    if (end > content.size()) throw jpeg.Cut();
    jpeg.Read(marker, length, Bytes(content.begin() + at + 2, content.begin() + end));
    at = end;
    if (marker == kStartOfScan && !jpeg.several_scans()) {
      const unsigned char end_of_image[] = {0xFF, kEndOfImage};
      const auto found =
          std::search(content.begin() + at, content.end(), end_of_image, end_of_image + 2);
      if (found == content.end()) throw jpeg.Cut();
      return jpeg.components();
    }
  }
}

}  // namespace cpp_infer
