#include "cpp_infer/record.h"

#include <cmath>
#include <filesystem>
#include <iostream>
#include <opencv2/core.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cpp_infer/error.h"
#include "cpp_infer/files.h"
#include "cpp_infer/text.h"

namespace cpp_infer {
namespace {

const std::string kDamaged =
    ": the model's record of its preprocessing is damaged; export it again";

// The numbers of a list of `size` finite ones. Throws Error for anything else.
std::vector<double> Numbers(const cv::FileNode& list, size_t size) {
  if (!list.isSeq() || list.size() != size) throw Error("no list");
  std::vector<double> numbers;
  for (const auto& entry : list) {
    if (!(entry.isInt() || entry.isReal())) throw Error("no number");
    numbers.push_back(static_cast<double>(entry));
    if (!std::isfinite(numbers.back())) throw Error("no finite number");
  }
  return numbers;
}

std::array<float, 3> Three(const cv::FileNode& list) {
  const auto numbers = Numbers(list, 3);
  return {static_cast<float>(numbers[0]), static_cast<float>(numbers[1]),
          static_cast<float>(numbers[2])};
}

// The object `described`, JSON without objects in it. Sets `size` to (height, width).
// Throws whatever a damaged one makes of it.
Preprocessing Parse(const cv::FileNode& described, std::vector<double>* size) {
  *size = Numbers(described["size"], 2);
  Preprocessing found;
  found.mean = Three(described["mean"]);
  found.deviation = Three(described["std"]);
  for (const float value : found.deviation) {
    if (!(value > 0)) throw Error("no deviation");
  }
  const cv::FileNode fraction = described["crop_fraction"];
  const cv::FileNode ratio = described["keep_aspect_ratio"];
  if (!(fraction.isInt() || fraction.isReal()) || !ratio.isInt()) throw Error("no fraction");
  const double share = static_cast<double>(fraction);
  constexpr double kLongestSide = 1 << 18;
  for (const double side : *size) {
    if (!(side >= 1 && share > 0 && share <= 1 && side / share < kLongestSide))
      throw Error("no size");
  }
  const cv::FileNode interpolation = described["interpolation"];
  if (interpolation.isString()) found.interpolation = interpolation.string();
  const cv::FileNode order = described["colour_order"];
  found.is_blue_first = order.isString() && order.string() == "BGR";
  // As Python's round, which takes the even one of two that are as near; Pillow's are cut.
  const double add = found.interpolation.rfind("pillow", 0) == 0 ? 1e-6 - 0.5 : 0.0;
  found.resized_height = static_cast<int>(std::nearbyint((*size)[0] / share + add));
  found.resized_width = static_cast<int>(std::nearbyint((*size)[1] / share + add));
  found.keeps_ratio = static_cast<int>(ratio) != 0;
  const cv::FileNode padded = described["padded"];
  if (!padded.empty() && !padded.isInt()) throw Error("no padding");
  found.is_padded = !padded.empty() && static_cast<int>(padded) != 0;
  return found;
}

// Throws Error where the record wants another `key` than one of `choices`.
void RequireOneOf(const cv::FileNode& described, const std::string& key,
                  const std::vector<std::string>& choices, const std::string& where) {
  const cv::FileNode entry = described[key];
  if (entry.empty()) return;
  std::string known;
  for (const std::string& choice : choices) {
    if (entry.isString() && entry.string() == choice) return;
    known += (known.empty() ? "" : ", ") + choice;
  }
  const std::string wanted = entry.isString() ? "'" + entry.string() + "'" : "another kind of it";
  throw Error(where + ": its record wants " + key + " " + wanted + ", not one of " + known +
              ": not an export of this folder");
}

// What stands in the record `text` for the key preprocessing, an object without others in it; ""
// for null, or where it has no such key. Throws Error where it is none of these.
std::string Described(const std::string& text, const std::string& where) {
  const std::string spaces = " \t\r\n";
  const size_t last = text.find_last_not_of(spaces);
  if (last == std::string::npos || text[last] != '}') throw Error(where + kDamaged);
  // A key alone has its quotation marks unescaped and a colon after it: no class's name has.
  const std::string key = "\"preprocessing\"";
  size_t at = 0;
  while (true) {
    at = text.find(key, at);
    if (at == std::string::npos) return "";
    at = text.find_first_not_of(spaces, at + key.size());
    if (text[at] != ':') continue;
    at = text.find_first_not_of(spaces, at + 1);
    if (at == std::string::npos) throw Error(where + kDamaged);
    if (text[at] != '"') break;  // The option of that name, before it, is text.
  }
  if (text.compare(at, 4, "null") == 0) return "";
  const size_t end = text.find_first_of("{}", at + 1);
  constexpr size_t kLongest = 1000;  // The parser goes as deep as brackets do.
  const bool is_object = text[at] == '{' && end != std::string::npos && text[end] == '}';
  if (!is_object || end - at > kLongest) throw Error(where + kDamaged);
  return text.substr(at, end + 1 - at);
}

std::string Pair(double height, double width) {
  std::ostringstream text;
  text << "(" << height << ", " << width << ")";
  return text.str();
}

}  // namespace

Preprocessing RecordedPreprocessing(const std::string& path, int height, int width,
                                    const Preprocessing& preset) {
  const std::string where = path + ".json";
  std::error_code error;
  std::string text;
  if (std::filesystem::exists(where, error)) {
    const std::vector<unsigned char> bytes = ReadFile(where);
    text = Described({bytes.begin(), bytes.end()}, where);
  }
  if (text.empty()) return preset;
  cv::FileStorage file;
  cv::FileNode described;
  Preprocessing found;
  std::vector<double> size;
  try {
    file.open(text, cv::FileStorage::READ | cv::FileStorage::MEMORY | cv::FileStorage::FORMAT_JSON);
    described = file.root();
    found = Parse(described, &size);
  } catch (const std::exception&) {
    throw Error(where + kDamaged);
  }
  RequireOneOf(described, "interpolation", {"bilinear", "pillow_bilinear", "pillow_bicubic"},
               where);
  RequireOneOf(described, "colour_order", {"RGB", "BGR"}, where);
  if (size[0] != height || size[1] != width) {
    throw Error(where + ": its record is of images " + Pair(size[0], size[1]) + ", its input of " +
                Pair(height, width) + "; export it again");
  }
  std::cout << "from " << Printable(where) << ": preprocessing " << Printable(text) << "\n";
  return found;
}

}  // namespace cpp_infer
