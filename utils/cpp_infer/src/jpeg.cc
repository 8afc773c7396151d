#include "cpp_infer/jpeg.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "cpp_infer/image_file.h"

namespace cpp_infer {
namespace {

// Huffman-coded frames.
constexpr int kBaseline = 0xC0, kExtended = 0xC1, kProgressive = 0xC2, kLossless = 0xC3;
constexpr int kAdobe = 0xEE;
constexpr int kHuffmanTables = 0xC4, kQuantizationTables = 0xDB, kRestartInterval = 0xDD;
constexpr int kDc = 0, kAc = 1;
constexpr int64_t kLongestJpegSide = 65500;  // libjpeg's limit

std::string Hex(int marker) {
  const char* digits = "0123456789ABCDEF";
  return {digits[marker / 16], digits[marker % 16]};
}

// The classes of Huffman tables that a progressive scan of `count` components uses.
std::vector<int> Progression(size_t count, int first, int last, int approximation) {
  const int high = approximation / 16, low = approximation % 16;
  const bool is_band = first == 0 ? last == 0 : first <= last && last <= 63 && count == 1;
  if (!is_band || (high > 0 && low != high - 1) || low > 13)
    throw Error("its JPEG scan has a wrong progression");
  if (first > 0) return {kAc};
  return high > 0 ? std::vector<int>() : std::vector<int>{kDc};
}

}  // namespace

Error Jpeg::Cut() const {
  return Error(scans_ > 0 ? "the JPEG file is cut short: no end marker follows its last scan"
                          : "the JPEG file is cut short before its scan");
}

void Jpeg::Read(int marker, size_t length, const Bytes& body) {
  const std::string adobe = "Adobe";
  if (marker == kAdobe && body.size() >= 12 && std::equal(adobe.begin(), adobe.end(), body.begin()))
    has_adobe_ = true;
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

void Jpeg::ReadQuantizationTables(const Bytes& body) {
  size_t at = 0;
  while (at < body.size()) {
    const bool is_wide = body[at] / 16 > 0;  // numbers of two bytes
    const int number = body[at] % 16;
    const size_t end = at + (is_wide ? 129 : 65);
    if (number > 3) throw Error("its JPEG quantization table has a wrong number");
    for (++at; is_wide && at < std::min(end, body.size()); at += 2) {
      if (body[at] > 127) throw Error("its JPEG quantization table has a value over 32767");
    }
    quantization_.insert(number);
    at = end;
  }
  if (at != body.size()) throw Error("its JPEG quantization tables have a wrong length");
}

// A wrong code or symbol is no fault unless a scan uses the table.
void Jpeg::ReadHuffmanTables(const Bytes& body) {
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

void Jpeg::ReadFrame(const Bytes& body) {
  if (!components_.empty()) throw Error("the JPEG file has two frames");
  if (body.size() < 6 || body.size() != 6 + size_t{3} * body[5])
    throw Error("its JPEG frame has a wrong length");
  const int precision = body[0], count = body[5];
  CheckSize(body[3] * 256 + body[4], body[1] * 256 + body[2], kLongestJpegSide);
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

void Jpeg::ReadScan(const Bytes& body) {
  if (components_.empty()) throw Error("the JPEG file has a scan before its frame");
  const size_t count = body.empty() ? 0 : body[0];
  if (count < 1 || count > 4 || body.size() != 4 + 2 * count)
    throw Error("its JPEG scan has a wrong length");
  if (components_.size() == 4 && !has_adobe_)
    throw Error("the JPEG file is CMYK without Adobe's marker, which is not supported");
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
std::vector<size_t> Jpeg::Chosen(const Bytes& body, size_t count) const {
  std::vector<size_t> chosen;
  for (size_t i = 0; i < count; ++i) {
    // libjpeg passes over the first ones, as many as the scan has named before.
    size_t index = chosen.size();
    while (index < components_.size() && components_[index].identifier != body[1 + 2 * i]) ++index;
    if (index >= components_.size())
      throw Error("its JPEG scan has a component that is not in the frame");
    if (std::find(chosen.begin(), chosen.end(), index) != chosen.end()) {
      throw Error("its JPEG scan has a component twice");
    }
    chosen.push_back(index);
  }
  return chosen;
}

}  // namespace cpp_infer
