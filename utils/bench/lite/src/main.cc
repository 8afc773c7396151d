// The C++ side of a benchmark: the folders' programs without their images, as a process that waits
// for questions while others are timed.
//
//     main THREADS IMAGES.bin forward-1 lowered-1.mindir [forward-16 lowered-16.mindir ...]
//
// It answers the lines of utils/bench/answering.py. IMAGES.bin holds the float32 images of the
// largest batch.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "cpp_infer/error.h"
#include "cpp_infer/files.h"
#include "cpp_infer/flags.h"
#include "cpp_infer/model.h"

namespace {

constexpr double kShortest = 300;  // milliseconds of a turn, as in answering.py
constexpr double kMost = 200;      // calls

double Milliseconds(cpp_infer::Model* model, const float* images, int calls) {
  const auto start = std::chrono::steady_clock::now();
  for (int call = 0; call < calls; ++call) model->Predict(images);
  const std::chrono::duration<double, std::milli> all = std::chrono::steady_clock::now() - start;
  return all.count() / calls;
}

double Turn(cpp_infer::Model* model, const float* images, double shortest) {
  const double first = Milliseconds(model, images, 1);
  if (first >= shortest) return first;
  return Milliseconds(model, images,
                      static_cast<int>(std::min(std::ceil(shortest / first), kMost)));
}

// Most memory that this process has held, in MB.
double Memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  }
  throw cpp_infer::Error("/proc/self/status: no VmHWM");
}

// Writes FILE.0, FILE.1 and so on, float32.
size_t WriteOutputs(cpp_infer::Model* model, const float* images, const std::string& file) {
  const std::vector<cpp_infer::Output> outputs = model->Predict(images);
  for (size_t i = 0; i < outputs.size(); ++i) {
    cpp_infer::WriteFile(file + "." + std::to_string(i), outputs[i].values,
                         outputs[i].size * sizeof(float));
  }
  return outputs.size();
}

void Serve(int argc, char** argv) {
  cpp_infer::Options options;
  options.device_type = "CPU";
  options.threads = std::stoi(argv[1]);
  const std::vector<unsigned char> bytes = cpp_infer::ReadFile(argv[2]);
  const auto* images = reinterpret_cast<const float*>(bytes.data());
  std::map<std::string, std::string> files;
  for (int i = 3; i + 1 < argc; i += 2) files[argv[i]] = argv[i + 1];
  std::map<std::string, std::unique_ptr<cpp_infer::Model>> models;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string question;
    std::string what;
    std::string last;
    words >> question >> what >> last;
    std::cout << "> ";
    if (question == "calls") {
      for (const auto& file : files) std::cout << file.first << " ";
    } else if (question == "memory") {
      std::cout << Memory();
    } else {
      auto& model = models[what];
      if (!model) {
        options.mindir_path = files.at(what);
        model = std::make_unique<cpp_infer::Model>(options);
      }
      if (question == "outputs") {
        std::cout << WriteOutputs(model.get(), images, last);
      } else {
        std::cout << Turn(model.get(), images, last.empty() ? kShortest : std::stod(last));
      }
    }
    std::cout << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 5) throw cpp_infer::Error("expected: main THREADS IMAGES.bin WHAT MINDIR ...");
    Serve(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
