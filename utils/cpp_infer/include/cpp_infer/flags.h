// The command line of a program: --name=value or --name value.
#ifndef CPP_INFER_FLAGS_H_
#define CPP_INFER_FLAGS_H_

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace cpp_infer {

// What every program is told. A program changes the defaults before it makes its Flags.
struct Options {
  std::string mindir_path;
  std::string dataset_path = ".";
  std::string device_type = "Ascend";
  int device_id = 0;
  int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::string result_dir = "./result_Files";
  std::string time_dir = "./time_Result";
  std::string unit =
      "ms";  // as the documented line on stdout ends the mean time; the file's has a space

  // Whether images lie at any depth; else in class folders.
  bool any_depth = false;

  // Ascend only; empty leaves the runtime's default. No program has flags for these unless it adds
  // them.
  std::string precision_mode;
  std::string op_select_impl_mode;
  std::string buffer_optimize_mode;
};

class Flags {
 public:
  // Declares the flags of Options; `options` must outlive this.
  Flags(const std::string& description, Options* options);

  // Declares --name, whose default is the present value of `value`. With `choices`, any other value
  // is an error.
  void Add(const std::string& name, std::string* value, const std::string& meaning,
           const std::vector<std::string>& choices = {});
  // The same for a whole number from `minimum`.
  void Add(const std::string& name, int* value, const std::string& meaning, int minimum = 0);
  // Declares --alias as another name of the declared --name.
  void Alias(const std::string& alias, const std::string& name);

  // Reads the command line. Returns false after --help, which it answers on stdout.
  // Throws Error for a flag that is unknown (naming the nearest one), without a value or with a
  // wrong one.
  bool Parse(int argc, char** argv);

 private:
  struct Flag {
    std::string* text = nullptr;
    int* number = nullptr;
    int minimum = 0;
    std::string meaning;
    std::vector<std::string> choices;
  };

  void Set(const std::string& name, const std::string& value);
  void Help(const std::string& program) const;

  std::string description_;
  std::map<std::string, Flag> flags_;
};

}  // namespace cpp_infer

#endif  // CPP_INFER_FLAGS_H_
