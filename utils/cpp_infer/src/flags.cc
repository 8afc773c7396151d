#include "cpp_infer/flags.h"

#include <algorithm>
#include <iostream>
#include <numeric>

#include "cpp_infer/error.h"

namespace cpp_infer {
namespace {

// Number of single-character edits between two words (Levenshtein 1966); 0 if `b` only goes on from
// `a`.
size_t Distance(const std::string& a, const std::string& b) {
  if (b.rfind(a, 0) == 0) return 0;
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({diagonal + 1, row[j] + 1, replaced});
    }
  }
  return row.back();
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

Flags::Flags(const std::string& description, Options* options) : description_(description) {
  Add("mindir_path", &options->mindir_path, "the exported network, a MindIR file");
  Add("dataset_path", &options->dataset_path, "the folder to read");
  Add("device_type", &options->device_type, "where to predict", {"Ascend", "GPU", "CPU"});
  Add("device_id", &options->device_id, "which Ascend or GPU device");
  Add("threads", &options->threads, "CPU threads; as many as there are cores unless given", 1);
  Add("result_dir", &options->result_dir, "folder of the result files; made if it is not there");
  Add("time_dir", &options->time_dir, "folder of test_perform_static.txt; made if it is not there");
}

void Flags::Add(const std::string& name, std::string* value, const std::string& meaning,
                const std::vector<std::string>& choices) {
  flags_[name] = {value, nullptr, 0, meaning, choices};
}

void Flags::Add(const std::string& name, int* value, const std::string& meaning, int minimum) {
  flags_[name] = {nullptr, value, minimum, meaning, {}};
}

void Flags::Alias(const std::string& alias, const std::string& name) {
  flags_[alias] = flags_.at(name);
  flags_[alias].meaning = "the same as --" + name;
}

bool Flags::Parse(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      Help(argv[0]);
      return false;
    }
    if (argument.rfind("--", 0) != 0) throw Error(argument + ": flags have the form --name=value");
    const size_t equals = argument.find('=');
    if (equals != std::string::npos) {
      Set(argument.substr(2, equals - 2), argument.substr(equals + 1));
    } else {
      const bool has_value = i + 1 < argc && std::string(argv[i + 1]).rfind("--", 0) != 0;
      Set(argument.substr(2), has_value ? argv[++i] : "");
    }
  }
  return true;
}

void Flags::Set(const std::string& name, const std::string& value) {
  const auto found = flags_.find(name);
  if (found == flags_.end()) {
    const auto nearest =
        std::min_element(flags_.begin(), flags_.end(), [&](const auto& a, const auto& b) {
          return Distance(name, a.first) < Distance(name, b.first);
        });
    throw Error("--" + name + ": unknown flag; the nearest is --" + nearest->first +
                ", and --help lists all");
  }
  const Flag& flag = found->second;
  if (value.empty()) throw Error("--" + name + ": a value is missing");
  if (flag.number != nullptr) {
    const bool is_number =
        value.find_first_not_of("0123456789") == std::string::npos && value.size() < 10;
    if (!is_number || std::stoi(value) < flag.minimum) {
      throw Error("--" + name + "=" + value + ": not a whole number from " +
                  std::to_string(flag.minimum));
    }
    *flag.number = std::stoi(value);
    return;
  }
  if (!flag.choices.empty() &&
      std::find(flag.choices.begin(), flag.choices.end(), value) == flag.choices.end()) {
    throw Error("--" + name + "=" + value + ": not one of " + Join(flag.choices));
  }
  *flag.text = value;
}

void Flags::Help(const std::string& program) const {
  std::cout << description_ << "\n\nUsage: " << program
            << " --mindir_path=FILE [--name=value ...]\n\n";
  for (const auto& [name, flag] : flags_) {
    std::cout << "  --" << name << "  " << flag.meaning;
    if (!flag.choices.empty()) std::cout << "; one of " << Join(flag.choices);
    const std::string preset = flag.number != nullptr ? std::to_string(*flag.number) : *flag.text;
    std::cout << (preset.empty() ? "" : " (" + preset + ")") << "\n";
  }
}

}  // namespace cpp_infer
