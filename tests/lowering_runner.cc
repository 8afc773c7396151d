// Runs the models of folders through MindSpore Lite on CPU, each in a process of its own: the
// runtime may crash or hang. Standard input names a folder a line, with model.mindir and
// input_0.bin, ...; output_0.bin, ... and status.txt (what went wrong, or "ok" and the type code of
// each output) go there.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "include/api/context.h"
#include "include/api/model.h"

namespace {
constexpr unsigned kSeconds = 120;            // of the processor
constexpr unsigned kWaiting = 10 * kSeconds;  // for one that waits for ever

std::string Run(const std::string& folder) {
  auto context = std::make_shared<mindspore::Context>();
  context->SetThreadNum(1);
  context->MutableDeviceInfo().push_back(std::make_shared<mindspore::CPUDeviceInfo>());
  mindspore::Model model;
  auto status = model.Build(folder + "/model.mindir", mindspore::kMindIR, context);
  if (status != mindspore::kSuccess) return "build: " + status.ToString();
  auto inputs = model.GetInputs();
  auto shape = inputs[0].Shape();
  if (!shape.empty() &&
      shape[0] < 0) {  // the networks here that leave the batch size open take float images
    std::ifstream file(folder + "/input_0.bin", std::ios::binary | std::ios::ate);
    shape[0] = static_cast<int64_t>(file.tellg()) /
               static_cast<int64_t>(sizeof(float) * shape[1] * shape[2] * shape[3]);
    status = model.Resize({inputs[0]}, {shape});
    if (status != mindspore::kSuccess) return "resize: " + status.ToString();
    inputs = model.GetInputs();
  }
  for (size_t i = 0; i < inputs.size(); i++) {
    std::ifstream file(folder + "/input_" + std::to_string(i) + ".bin", std::ios::binary);
    std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
    if (bytes.size() != inputs[i].DataSize())
      return "input " + std::to_string(i) + " has another size";
    std::copy(bytes.begin(), bytes.end(), static_cast<char*>(inputs[i].MutableData()));
  }
  std::vector<mindspore::MSTensor> outputs;
  status = model.Predict(inputs, &outputs);
  if (status != mindspore::kSuccess) return "predict: " + status.ToString();
  std::string result = "ok";
  for (size_t i = 0; i < outputs.size(); i++) {
    std::ofstream file(folder + "/output_" + std::to_string(i) + ".bin", std::ios::binary);
    file.write(static_cast<const char*>(outputs[i].MutableData()), outputs[i].DataSize());
    result += " " + std::to_string(static_cast<int>(outputs[i].DataType()));
  }
  return result;
}
}  // namespace

int main() {
  for (std::string folder; std::getline(std::cin, folder);) {
    pid_t child = fork();
    if (child == 0) {
      const rlimit limit{kSeconds, kSeconds};
      setrlimit(RLIMIT_CPU, &limit);
      alarm(kWaiting);
      std::ofstream(folder + "/status.txt") << Run(folder);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) std::ofstream(folder + "/status.txt") << "crashed: " << status;
  }
  return 0;
}
