#include "cpp_infer/image_file.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "cpp_infer/error.h"

namespace cpp_infer {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr int64_t kLongestSide = 1 << 20;     // pixels: OpenCV's limit
constexpr int64_t kMostPixels = 178'956'970;  // Pillow's limit

// Whether `content` has at `at` the characters of `text`; a dot in it is any character.
bool Has(const Bytes& content, size_t at, const std::string& text) {
  if (content.size() < at + text.size()) return false;
  return std::equal(text.begin(), text.end(), content.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char wanted, unsigned char byte) {
                      return wanted == '.' || static_cast<unsigned char>(wanted) == byte;
                    });
}

uint32_t BigEndian(const Bytes& content, size_t at) {
  return uint32_t{content[at]} << 24 | uint32_t{content[at + 1]} << 16 |
         uint32_t{content[at + 2]} << 8 | content[at + 3];
}

uint32_t LittleEndian(const Bytes& content, size_t at, int size = 4) {
  uint32_t value = 0;
  for (int i = size - 1; i >= 0; --i) value = value << 8 | content[at + static_cast<size_t>(i)];
  return value;
}

// The checksum of PNG's chunks (CRC-32) of `size` bytes from `at` on.
uint32_t Checksum(const Bytes& content, size_t at, size_t size) {
  static const auto table = [] {
    std::array<uint32_t, 256> rows{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t row = i;
      for (int bit = 0; bit < 8; ++bit) row = row % 2 == 1 ? 0xEDB88320U ^ row >> 1 : row >> 1;
      rows[i] = row;
    }
    return rows;
  }();
  uint32_t sum = 0xFFFFFFFFU;
  for (size_t i = at; i < at + size; ++i) sum = table[(sum ^ content[i]) & 0xFF] ^ sum >> 8;
  return ~sum;
}

// Whether it starts with 32 characters of ASCII, be it after a byte order mark, or has no others at
// all.
bool IsText(const Bytes& content) {
  const auto count = [&](size_t at) {
    const size_t first = at;
    const auto is_text = [](unsigned char c) {
      return c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c <= '~');
    };
    while (at < content.size() && is_text(content[at])) ++at;
    return at - first;
  };
  return count(0) >= 32 || count(0) == content.size() ||
         (Has(content, 0, "\xEF\xBB\xBF") && count(3) >= 32);
}

// Which of the formats that people have under another's name it is, or "".
std::string OtherFormat(const Bytes& content) {
  using namespace std::string_literals;
  const std::vector<std::pair<std::string, std::vector<std::string>>> starts = {
      {"a GIF file", {"GIF8"}},
      {"a WebP file", {"RIFF....WEBP"}},
      {"a TIFF file", {"II*\0"s, "II+\0"s, "MM\0*"s, "MM\0+"s}},
      {"a HEIF file", {"....ftyphe", "....ftypmi", "....ftypms"}},
      {"an AVIF file", {"....ftypav"}},
      {"a JPEG 2000 file", {"\0\0\0\x0CjP"s, "\xFF\x4F\xFF\x51"}},
      {"a JPEG XL file", {"\xFF\x0A", "\0\0\0\x0CJXL"s}},
      {"a PDF file", {"%PDF"}},
  };
  for (const auto& [name, texts] : starts) {
    for (const std::string& text : texts) {
      if (Has(content, 0, text)) return name;
    }
  }
  return IsText(content) ? "a text file" : "";
}

}  // namespace

int CheckImageFile(const Bytes& content) {
  if (Has(content, 0, "\xFF\xD8\xFF")) return CheckJpeg(content);
  if (Has(content, 0, "\x89PNG\r\n\x1A\n")) {
    CheckPng(content);
  } else if (Has(content, 0, "BM")) {
    CheckBmp(content);
  } else {
    RefuseOther(content);
  }
  return 0;
}

void RefuseOther(const Bytes& content) {
  if (content.empty()) throw Error("it is empty");
  const std::string name = OtherFormat(content);
  throw Error(name.empty() ? "it is no image file" : "it is " + name + ", not JPEG, PNG or BMP");
}

void CheckSize(int64_t width, int64_t height, int64_t longest_side) {
  const bool fits = width > 0 && width <= longest_side && height > 0 && height <= longest_side;
  if (!fits || width * height > kMostPixels) {
    throw Error("its size is " + std::to_string(width) + " x " + std::to_string(height) +
                " pixels");
  }
}

void CheckPng(const Bytes& content) {
  std::set<std::string> kinds;
  std::string kind;
  size_t at = 8;
  while (kind != "IEND") {
    if (at + 12 > content.size()) throw Error("the PNG file is cut short");
    const size_t length = BigEndian(content, at);
    if (length > content.size() - at - 12) throw Error("the PNG file is cut short");
    kind.assign(content.begin() + at + 4, content.begin() + at + 8);
    const uint32_t checksum = Checksum(content, at + 4, length + 4);
    at += length + 12;
    if (checksum != BigEndian(content, at - 4)) throw Error("the PNG file has a wrong checksum");
    if (kinds.empty() && (kind != "IHDR" || length != 13))
      throw Error("the PNG file has no header");
    // OpenCV 4.11 in MindSpore 2.10 may die of these.
    if (kind == "acTL" || kind == "fcTL" || kind == "fdAT") {
      throw Error("the PNG file is animated, which is not supported");
    }
    kinds.insert(kind);
  }
  CheckSize(BigEndian(content, 16), BigEndian(content, 20), kLongestSide);
  static const std::map<int, std::set<int>> depths = {
      {0, {1, 2, 4, 8, 16}}, {2, {8, 16}}, {3, {1, 2, 4, 8}}, {4, {8, 16}}, {6, {8, 16}}};
  const int depth = content[24], colour = content[25];
  const auto known = depths.find(colour);
  if (known == depths.end() || known->second.count(depth) == 0 || content[26] != 0 ||
      content[27] != 0 || content[28] > 1) {
    throw Error("the PNG file has a header that is not supported");
  }
  if (kinds.count("IDAT") == 0 || (colour == 3 && kinds.count("PLTE") == 0)) {
    throw Error("the PNG file has no image data or no palette");
  }
}

void CheckBmp(const Bytes& content) {
  static const std::set<uint32_t> headers = {40, 52, 56, 64, 108, 124};  // bytes
  const uint32_t header = content.size() >= 18 ? LittleEndian(content, 14) : 0;
  int64_t width = 0, height = 0;
  uint32_t depth = 0, compression = 0;
  if (header == 12 && content.size() >= 26) {
    width = LittleEndian(content, 18, 2);
    height = LittleEndian(content, 20, 2);
    depth = LittleEndian(content, 24, 2);
  } else if (headers.count(header) > 0 && content.size() >= 14 + header) {
    width = static_cast<int32_t>(LittleEndian(content, 18));
    height = static_cast<int32_t>(LittleEndian(content, 22));
    depth = LittleEndian(content, 28, 2);
    compression = LittleEndian(content, 30);
  } else {
    throw Error("the BMP file is cut short, or its header not supported");
  }
  static const std::map<uint32_t, std::set<uint32_t>> depths = {
      {0, {1, 4, 8, 16, 24, 32}}, {1, {8}}, {2, {4}}, {3, {16, 32}}};  // by compression
  const auto known = depths.find(compression);
  if (known == depths.end() || known->second.count(depth) == 0) {
    throw Error("the BMP file has " + std::to_string(depth) + " bits a pixel in compression " +
                std::to_string(compression));
  }
  CheckSize(width, std::abs(height), kLongestSide);
  // How much run-length coding (1 and 2) takes is known only to who decodes it.
  const bool has_run_lengths = compression == 1 || compression == 2;
  const int64_t rows = has_run_lengths ? 0 : std::abs(height) * ((width * depth + 31) / 32 * 4);
  const int64_t offset = LittleEndian(content, 10);
  if (offset < 14 + int64_t{header} || offset + rows > static_cast<int64_t>(content.size())) {
    throw Error("the BMP file is cut short");
  }
}

}  // namespace cpp_infer
