#include "cpp_infer/mindir.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "cpp_infer/error.h"

namespace cpp_infer {
namespace {

// Fields of the messages in MindSpore's mind_ir.proto, and the wire types of Protocol Buffers.
enum ModelField : uint64_t { kIrVersion = 1, kGraph = 7, kMindIrVersion = 13 };
enum GraphField : uint64_t { kParameter = 3 };
enum TensorField : uint64_t { kDataType = 2, kName = 7, kRawData = 9 };
enum WireType : uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
constexpr uint64_t kFloat = 1, kFloat16 = 10;  // data types

struct Field {
  uint64_t number;
  uint64_t type;
  uint64_t value;  // of a varint
  uint64_t start;  // of the content of any other
  uint64_t end;
};

uint64_t Place(std::istream* file) { return static_cast<uint64_t>(file->tellg()); }

bool Go(std::istream* file, uint64_t place) {
  return static_cast<bool>(file->seekg(static_cast<std::streamoff>(place)));
}

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

// Goes through the fields of a message, which ends at `end`. False if it is not whole.
bool ForEachField(std::istream* file, uint64_t end, const std::function<bool(const Field&)>& use) {
  while (Place(file) < end) {
    uint64_t key = 0;
    Field field{};
    if (!ReadVarint(file, &key)) return false;
    field.number = key >> 3;
    field.type = key & 7;
    const bool has_varint = field.type == kVarint || field.type == kBytes;
    if (!has_varint && field.type != kFixed64 && field.type != kFixed32) return false;
    if (has_varint && !ReadVarint(file, &field.value)) return false;
    const uint64_t size = field.type == kBytes     ? field.value
                          : field.type == kFixed64 ? 8
                          : field.type == kFixed32 ? 4
                                                   : 0;
    field.start = Place(file);
    if (field.start > end || size > end - field.start) return false;
    field.end = field.start + size;
    if (!use(field) || !Go(file, field.end)) return false;
  }
  return true;
}

// Whether none of the numbers from `start` to `end` is NaN or infinite.
bool AreFinite(std::istream* file, uint64_t start, uint64_t end, uint64_t data_type) {
  if (data_type != kFloat && data_type != kFloat16) return true;
  std::vector<char> bytes(1 << 16);
  Go(file, start);
  for (uint64_t at = start; at < end; at += bytes.size()) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(bytes.size(), end - at));
    if (!file->read(bytes.data(), static_cast<std::streamsize>(size)))
      return true;  // who reads the file says so
    if (data_type == kFloat) {
      const float* values = reinterpret_cast<const float*>(bytes.data());
      if (!std::all_of(values, values + size / 4, [](float value) { return std::isfinite(value); }))
        return false;
    } else {
      const uint16_t* values = reinterpret_cast<const uint16_t*>(bytes.data());
      if (!std::all_of(values, values + size / 2,
                       [](uint16_t value) { return (value & 0x7C00) != 0x7C00; })) {
        return false;
      }
    }
  }
  return true;
}

// Reads a weight, the TensorProto in `tensor`; its name if it is NaN or infinite somewhere, else
// "".
bool CheckWeight(std::istream* file, const Field& tensor, std::string* spoilt) {
  std::string name;
  uint64_t data_type = 0;
  Field data{};
  const bool is_whole = ForEachField(file, tensor.end, [&](const Field& field) {
    if (field.number == kDataType && field.type == kVarint) data_type = field.value;
    if (field.number == kRawData && field.type == kBytes) data = field;
    if (field.number == kName && field.type == kBytes) {
      name.resize(std::min<uint64_t>(field.end - field.start, 1000));
      file->read(name.data(), static_cast<std::streamsize>(name.size()));
    }
    return true;
  });
  if (!AreFinite(file, data.start, data.end, data_type))
    *spoilt = name.substr(name.rfind(':') + 1);  // after the graph's
  return is_whole;
}

}  // namespace

uint64_t CheckMindIr(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw Error(path.string() + ": no such MindIR file");
  const uint64_t size = std::filesystem::file_size(path, error);
  if (size == 0) throw Error(path.string() + ": empty; export the network again");
  std::ifstream file(path, std::ios::binary);
  if (error || !file) throw Error(path.string() + ": cannot be read");
  uint64_t version = 0;
  bool has_ir_version = false;
  bool has_graph = false;
  std::string spoilt;
  const bool is_whole = ForEachField(&file, size, [&](const Field& field) {
    has_ir_version |= field.number == kIrVersion && field.type == kBytes;
    if (field.number == kMindIrVersion && field.type == kVarint) version = field.value;
    if (field.number != kGraph || field.type != kBytes) return true;
    has_graph = true;
    return ForEachField(&file, field.end, [&](const Field& part) {
      return part.number != kParameter || part.type != kBytes || CheckWeight(&file, part, &spoilt);
    });
  });
  if (!is_whole || !has_ir_version || !has_graph) {
    throw Error(path.string() + ": not a MindIR file, or cut short; export the network again");
  }
  if (!spoilt.empty()) {
    throw Error(path.string() + ": the weight '" + spoilt +
                "' holds NaN or infinite numbers; train and export again");
  }
  return version;
}

}  // namespace cpp_infer
