#include "cpp_infer/text.h"

#include <cstdint>
#include <cstdio>

namespace cpp_infer {
namespace {

constexpr size_t kHead = 1000;  // bytes of a longer line that are shown
constexpr size_t kTail = 500;

// The bytes of the UTF-8 character at `at` (RFC 3629) and, in `code`, what it is; 0 if there is
// none.
size_t ReadCharacter(const std::string& text, size_t at, uint32_t* code) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  const uint32_t first = byte(at);
  const size_t size = first < 0x80         ? 1
                      : first >> 5 == 0x6  ? 2
                      : first >> 4 == 0xE  ? 3
                      : first >> 3 == 0x1E ? 4
                                           : 0;
  if (size == 0 || at + size > text.size()) return 0;
  *code = size == 1 ? first : first & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) {
    if (byte(at + i) >> 6 != 2) return 0;
    *code = *code << 6 | (byte(at + i) & 0x3F);
  }
  const uint32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : size == 4 ? 0x10000 : 0;
  const bool is_surrogate = *code >= 0xD800 && *code <= 0xDFFF;
  return *code < least || *code > 0x10FFFF || is_surrogate ? 0 : size;
}

bool IsUnseen(uint32_t code) {
  const bool is_control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
  const bool is_mark = (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
                       (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
  return is_control || is_mark;
}

std::string Escaped(const std::string& bytes) {
  if (bytes == "\n") return "\\n";
  if (bytes == "\r") return "\\r";
  if (bytes == "\t") return "\\t";
  std::string text;
  for (const char byte : bytes) {
    char escape[5];
    std::snprintf(escape, sizeof(escape), "\\x%02x", static_cast<unsigned char>(byte));
    text += escape;
  }
  return text;
}

bool Continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::string WithoutMiddle(const std::string& text) {
  if (text.size() <= kHead + kTail) return text;
  size_t head = kHead;
  size_t tail = text.size() - kTail;
  while (Continues(text[head])) --head;
  while (Continues(text[tail])) ++tail;
  return text.substr(0, head) + "[... " + std::to_string(tail - head) + " bytes ...]" +
         text.substr(tail);
}

}  // namespace

std::string Printable(const std::string& line) {
  std::string text;
  for (size_t at = 0; at < line.size();) {
    uint32_t code = 0;
    const size_t size = ReadCharacter(line, at, &code);
    const std::string bytes = line.substr(at, size == 0 ? 1 : size);
    text += size == 0 || IsUnseen(code) ? Escaped(bytes) : bytes;
    at += bytes.size();
  }
  return WithoutMiddle(text);
}

}  // namespace cpp_infer
