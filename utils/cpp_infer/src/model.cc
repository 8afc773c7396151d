#include "cpp_infer/model.h"

#include <include/api/context.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "cpp_infer/error.h"
#include "cpp_infer/mindir.h"

namespace cpp_infer {
namespace {

std::shared_ptr<mindspore::DeviceInfoContext> AscendDevice(const Options& options) {
  // MindSpore Lite 2.0 renamed the modes of MindSpore 1.x, which are the documented ones.
  const std::map<std::string, std::string> renamed = {{"force_fp16", "enforce_fp16"},
                                                      {"allow_fp32_to_fp16", "preferred_fp32"},
                                                      {"must_keep_origin_dtype", "enforce_origin"},
                                                      {"allow_mix_precision", "preferred_optimal"}};
  const auto device = std::make_shared<mindspore::AscendDeviceInfo>();
  device->SetDeviceID(static_cast<uint32_t>(options.device_id));
  if (!options.precision_mode.empty()) {
    const auto found = renamed.find(options.precision_mode);
    device->SetPrecisionMode(found == renamed.end() ? options.precision_mode : found->second);
  }
  if (!options.op_select_impl_mode.empty())
    device->SetOpSelectImplMode(options.op_select_impl_mode);
  if (!options.buffer_optimize_mode.empty())
    device->SetBufferOptimizeMode(options.buffer_optimize_mode);
  return device;
}

std::shared_ptr<mindspore::DeviceInfoContext> GpuDevice(const Options& options) {
  const auto device = std::make_shared<mindspore::GPUDeviceInfo>();
  device->SetDeviceID(static_cast<uint32_t>(options.device_id));
  return device;
}

std::shared_ptr<mindspore::Context> MakeContext(const Options& options) {
  const auto context = std::make_shared<mindspore::Context>();
  context->SetThreadNum(options.threads);
  auto& devices = context->MutableDeviceInfo();
  if (options.device_type == "Ascend") {
    devices.push_back(AscendDevice(options));
  } else if (options.device_type == "GPU") {
    devices.push_back(GpuDevice(options));
  } else {
    devices.push_back(std::make_shared<mindspore::CPUDeviceInfo>());
  }
  return context;
}

// Such as "1x3x224x224" or "1x3x224x224 and 1x10".
std::string Describe(const std::vector<mindspore::MSTensor>& tensors) {
  std::string text;
  for (const auto& tensor : tensors) {
    if (!text.empty()) text += " and ";
    std::string times;
    for (const int64_t size : tensor.Shape()) {
      text += times + std::to_string(size);
      times = "x";
    }
  }
  return text;
}

}  // namespace

Model::Model(const Options& options) {
  if (options.mindir_path.empty())
    throw Error("--mindir_path: missing; give the exported network, and see --help");
  const std::string& path = options.mindir_path;
  const uint64_t version = CheckMindIr(path);
  const mindspore::Status status = model_.Build(path, mindspore::kMindIR, MakeContext(options));
  // The runtime refuses a version by an exception, which it returns as this code; other failures
  // have other codes.
  if (status.StatusCode() == mindspore::kCoreFailed && version > 1) {
    throw ModelTooNew(path + ": MindIR version " + std::to_string(version) +
                      " is too new for the runtime; " +
                      "rewrite it first: python3 lower_mindir.py IN OUT (it is in the folder of "
                      "cpp_infer.cmake)");
  }
  if (status != mindspore::kSuccess) {
    std::string device = options.device_type;
    if (device != "CPU")
      device += " " + std::to_string(options.device_id) + "; is the device there, with its driver?";
    throw Error(path + ": cannot be run on " + device +
                " (with GLOG_v=2 the runtime's log is shown)");
  }
  inputs_ = model_.GetInputs();
  const std::vector<int64_t> shape = inputs_.empty() ? std::vector<int64_t>() : inputs_[0].Shape();
  const bool fits = inputs_.size() == 1 && shape.size() == 4 && shape[1] == 3 && shape[0] > 0 &&
                    shape[2] > 0 && shape[3] > 0 &&
                    inputs_[0].DataType() == mindspore::DataType::kNumberTypeFloat32;
  if (!fits) {
    throw Error(path + ": its input is " + Describe(inputs_) +
                "; expected float32 batch x 3 x height x width");
  }
  batch_ = static_cast<int>(shape[0]);
  height_ = static_cast<int>(shape[2]);
  width_ = static_cast<int>(shape[3]);
}

std::vector<Output> Model::Predict(const float* input) {
  // The runtime only reads it, and takes no const pointer.
  inputs_[0].SetData(const_cast<float*>(input), false);
  const auto start = std::chrono::steady_clock::now();
  const mindspore::Status status = model_.Predict(inputs_, &outputs_);
  const std::chrono::duration<double, std::milli> duration =
      std::chrono::steady_clock::now() - start;
  if (status != mindspore::kSuccess) throw Error("prediction failed: " + status.ToString());
  milliseconds_ = duration.count();
  std::vector<Output> outputs;
  for (const auto& tensor : outputs_) {
    if (tensor.DataType() != mindspore::DataType::kNumberTypeFloat32 ||
        tensor.DataSize() % batch_ != 0) {
      throw Error("output " + Describe({tensor}) +
                  " is not float32 with a row for each image of the batch");
    }
    outputs.push_back(
        {static_cast<const float*>(tensor.Data().get()), tensor.DataSize() / sizeof(float)});
  }
  return outputs;
}

}  // namespace cpp_infer
