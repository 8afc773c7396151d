#include "cpp_infer/mindir.h"

#include <fstream>
#include <string>

#include "cpp_infer/error.h"

namespace cpp_infer {
namespace {

// Fields of ModelProto in MindSpore's mind_ir.proto, and the wire types of Protocol Buffers.
enum Field : uint64_t { kIrVersion = 1, kGraph = 7, kMindIrVersion = 13 };
enum WireType : uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Reads a variable-length integer; false at the end of the file or after ten bytes without an end.
bool ReadVarint(std::istream* file, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    const int byte = file->get();
    if (byte == EOF) return false;
    *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Skips `size` bytes; false if the file has fewer.
bool Skip(std::istream* file, uint64_t size, uint64_t file_size) {
  if (size > file_size - static_cast<uint64_t>(file->tellg())) return false;
  return static_cast<bool>(file->seekg(static_cast<std::streamoff>(size), std::ios::cur));
}

// Goes through the top level of the message. False if it is not a whole MindIR file.
bool Scan(std::istream* file, uint64_t file_size, uint64_t* version) {
  bool has_ir_version = false;
  bool has_graph = false;
  while (static_cast<uint64_t>(file->tellg()) < file_size) {
    uint64_t key = 0;
    uint64_t value = 0;
    if (!ReadVarint(file, &key)) return false;
    const uint64_t field = key >> 3;
    const uint64_t type = key & 7;
    const bool has_varint = type == kVarint || type == kBytes;
    if (!has_varint && type != kFixed64 && type != kFixed32) return false;
    if (has_varint && !ReadVarint(file, &value)) return false;
    const uint64_t rest = type == kBytes ? value : type == kFixed64 ? 8 : type == kFixed32 ? 4 : 0;
    if (!Skip(file, rest, file_size)) return false;
    has_ir_version |= field == kIrVersion && type == kBytes;
    has_graph |= field == kGraph && type == kBytes;
    if (field == kMindIrVersion && type == kVarint) *version = value;
  }
  return has_ir_version && has_graph;
}

}  // namespace

uint64_t ReadMindIrVersion(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) throw Error(path.string() + ": no such MindIR file");
  const uint64_t size = std::filesystem::file_size(path, error);
  if (size == 0) throw Error(path.string() + ": empty; export the network again");
  std::ifstream file(path, std::ios::binary);
  if (error || !file) throw Error(path.string() + ": cannot be read");
  uint64_t version = 0;
  if (!Scan(&file, size, &version)) {
    throw Error(path.string() + ": not a MindIR file, or cut short; export the network again");
  }
  return version;
}

}  // namespace cpp_infer
