#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "cpp_infer/error.h"
#include "cpp_infer/image_file.h"

namespace cpp_infer {
namespace {

using Bytes = std::vector<unsigned char>;

// Huffman-coded frames.
constexpr int kBaseline = 0xC0, kExtended = 0xC1, kProgressive = 0xC2, kLossless = 0xC3;
constexpr int kEndOfImage = 0xD9, kStartOfScan = 0xDA;
constexpr int kHuffmanTables = 0xC4, kQuantizationTables = 0xDB, kRestartInterval = 0xDD;
constexpr int kDc = 0, kAc = 1;
constexpr int64_t kLongestSide = 65500;  // libjpeg's limit

std::string Hex(int marker) {
  const char* digits = "0123456789ABCDEF";
  return {digits[marker / 16], digits[marker % 16]};
}

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

struct Component {
  int identifier;
  int blocks;  // in a unit
  int quantization_table;
};

// The frame and the tables that a JPEG decoder knows, segment after segment (ITU-T T.81, annex B).
class Jpeg {
 public:
  int components() const { return static_cast<int>(components_.size()); }
  int scans() const { return scans_; }
  bool several_scans() const { return several_scans_; }

  Error Cut() const {
    return Error(scans_ > 0 ? "the JPEG file is cut short: no end marker follows its last scan"
                            : "the JPEG file is cut short before its scan");
  }

  // Throws Error where no decoder goes on after the segment `body` of `length` bytes.
  void Read(int marker, size_t length, const Bytes& body) {
    if ((marker >= 0xE0 && marker <= 0xEF) || marker == 0xFE || marker == 0xDC) return;
    if (length < 2) throw Error("its JPEG segment FF " + Hex(marker) + " has a wrong length");
    if (marker == kHuffmanTables) {
      ReadHuffmanTables(body);
    } else if (marker == kQuantizationTables) {
      ReadQuantizationTables(body);
    } else if (marker == kBaseline || marker == kExtended || marker == kProgressive) {
      is_progressive_ = marker == kProgressive;
      ReadFrame(body);
    } else if (marker == kStartOfScan) {
      ReadScan(body);
    } else if (marker == kRestartInterval) {
      if (length != 4) throw Error("its JPEG restart interval has a wrong length");
    } else if (marker >= 0xC9 && marker <= 0xCF) {
      throw Error("the JPEG file is arithmetic-coded, which is not supported");
    } else if (marker >= kLossless && marker <= 0xC7) {
      const std::string kind = marker == kLossless ? "lossless" : "hierarchical";
      throw Error("the JPEG file is " + kind + ", which is not supported");
    } else {
      throw Error("the JPEG file has the marker FF " + Hex(marker) + " where none may be");
    }
  }

 private:
  void ReadQuantizationTables(const Bytes& body) {
    size_t at = 0;
    for (; at < body.size(); at += body[at] / 16 > 0 ? 129 : 65) {
      if (body[at] % 16 > 3) throw Error("its JPEG quantization table has a wrong number");
      quantization_.insert(body[at] % 16);
    }
    if (at != body.size()) throw Error("its JPEG quantization tables have a wrong length");
  }

  // A wrong code or symbol is no fault unless a scan uses the table.
  void ReadHuffmanTables(const Bytes& body) {
    size_t at = 0;
    while (body.size() - at > 16) {
      const std::pair<int, int> table = {body[at] / 16, body[at] % 16};
      const auto counts = body.begin() + static_cast<std::ptrdiff_t>(at) + 1;
      const size_t total = std::accumulate(counts, counts + 16, size_t{0});
      const bool is_numbered = table.first <= kAc && table.second <= 3;
      if (!is_numbered) throw Error("its JPEG Huffman table has a wrong number");
      const bool has_room = total <= 256 && body.size() - at - 17 >= total;
      if (!has_room) throw Error("its JPEG Huffman table has too many codes");
      // Kraft's sum; it is under 1, for the code of ones alone is not used.
      int64_t used = 0;
      for (int size = 0; size < 16; ++size) used += int64_t{counts[size]} << (15 - size);
      const auto symbols = counts + 16;
      const bool has_sizes = table.first == kDc && total > 0;
      const int largest =
          has_sizes ? *std::max_element(symbols, symbols + static_cast<std::ptrdiff_t>(total)) : 0;
      huffman_[table] = used < 1 << 16 && largest <= 15;
      at += 17 + total;
    }
    if (at != body.size()) throw Error("its JPEG Huffman tables have a wrong length");
  }

  void ReadFrame(const Bytes& body) {
    if (!components_.empty()) throw Error("the JPEG file has two frames");
    if (body.size() < 6 || body.size() != 6 + size_t{3} * body[5])
      throw Error("its JPEG frame has a wrong length");
    const int precision = body[0], count = body[5];
    CheckSize(body[3] * 256 + body[4], body[1] * 256 + body[2], kLongestSide);
    if (precision != 8 || (count != 1 && count != 3 && count != 4)) {
      throw Error("the JPEG file has " + std::to_string(count) + " components of " +
                  std::to_string(precision) + " bits");
    }
    int widest = 0, highest = 0;
    for (size_t at = 7; at < body.size(); at += 3) {
      widest = std::max(widest, body[at] / 16);
      highest = std::max(highest, body[at] % 16);
    }
    for (size_t at = 7; at < body.size(); at += 3) {
      const int h = body[at] / 16, v = body[at] % 16;
      if (h < 1 || h > 4 || v < 1 || v > 4 || widest % h != 0 || highest % v != 0) {
        throw Error("its JPEG sampling factors are not supported");
      }
      components_.push_back({body[at - 1], h * v, body[at + 1]});
    }
  }

  void ReadScan(const Bytes& body) {
    if (components_.empty()) throw Error("the JPEG file has a scan before its frame");
    const size_t count = body.empty() ? 0 : body[0];
    if (count < 1 || count > 4 || body.size() != 4 + 2 * count)
      throw Error("its JPEG scan has a wrong length");
    const std::vector<size_t> chosen = Chosen(body, count);
    if (scans_ == 0) {
      several_scans_ = is_progressive_ || count < components_.size();
      if (!is_progressive_) {
        // As in Motion JPEG: the tables of annex K where a file brings none; others stay.
        for (const int number : {0, 1}) {
          for (const int kind : {kDc, kAc}) huffman_.emplace(std::make_pair(kind, number), true);
        }
      }
    }
    ++scans_;
    int blocks = 0;
    for (const size_t index : chosen) blocks += components_[index].blocks;
    if (count > 1 && blocks > 10) throw Error("its JPEG scan has over 10 blocks in a unit");
    for (const size_t index : chosen) {
      if (quantized_.count(index) == 0 &&
          quantization_.count(components_[index].quantization_table) == 0) {
        throw Error("its JPEG scan has no quantization table");
      }
    }
    quantized_.insert(chosen.begin(), chosen.end());
    std::vector<int> kinds = {kDc, kAc};
    const size_t end = body.size();
    if (is_progressive_) kinds = Progression(count, body[end - 3], body[end - 2], body[end - 1]);
    for (size_t i = 0; i < count; ++i) {
      const int both = body[2 + 2 * i];
      for (const int kind : kinds) {
        const auto found = huffman_.find({kind, kind == kDc ? both / 16 : both % 16});
        if (found == huffman_.end() || !found->second) {
          throw Error("its JPEG scan has no Huffman table, or a wrong one");
        }
      }
    }
  }

  // Places in the frame of a scan's components, which must be in the frame's order.
  std::vector<size_t> Chosen(const Bytes& body, size_t count) const {
    std::vector<size_t> chosen;
    for (size_t i = 0; i < count; ++i) {
      // libjpeg passes over the first ones, as many as the scan has named before.
      size_t index = chosen.size();
      while (index < components_.size() && components_[index].identifier != body[1 + 2 * i])
        ++index;
      if (index >= components_.size())
        throw Error("its JPEG scan has a component that is not in the frame");
      if (std::find(chosen.begin(), chosen.end(), index) != chosen.end()) {
        throw Error("its JPEG scan has a component twice");
      }
      chosen.push_back(index);
    }
    return chosen;
  }

  // The classes of Huffman tables that a progressive scan of `count` components uses.
  static std::vector<int> Progression(size_t count, int first, int last, int approximation) {
    const int high = approximation / 16, low = approximation % 16;
    const bool is_band = first == 0 ? last == 0 : first <= last && last <= 63 && count == 1;
    if (!is_band || (high > 0 && low != high - 1) || low > 13)
      throw Error("its JPEG scan has a wrong progression");
    if (first > 0) return {kAc};
    return high > 0 ? std::vector<int>() : std::vector<int>{kDc};
  }

  std::vector<Component> components_;            // as in the frame
  std::set<int> quantization_;                   // numbers of the tables that are defined
  std::map<std::pair<int, int>, bool> huffman_;  // those, by (class, number): whether right
  std::set<size_t> quantized_;  // components whose quantization table an earlier scan has fixed
  bool is_progressive_ = false;
  bool several_scans_ = false;
  int scans_ = 0;
};

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
