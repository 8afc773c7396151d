// MobileNetV1: the class scores of every image (ImageNet) or every batch of preprocess.py
// (CIFAR-10).
#include "cpp_infer/main.h"

#include <array>
#include <string>

#include "cpp_infer/flags.h"
#include "cpp_infer/model.h"
#include "cpp_infer/predict.h"
#include "cpp_infer/preprocess.h"

constexpr std::array<float, 3> kMean = {123.675F, 116.28F, 103.53F};
constexpr std::array<float, 3> kStd = {58.395F, 57.12F, 57.375F};

int main(int argc, char** argv) {
  cpp_infer::Options options;
  options.device_type = "CPU";
  std::string dataset_name = "imagenet2012";
  cpp_infer::Flags flags("Predicts with MobileNetV1.", &options);
  flags.Add("dataset_name", &dataset_name, "images or the batches of preprocess.py",
            {"imagenet2012", "cifar10"});
  flags.Alias("input0_path", "dataset_path");

  return cpp_infer::Main(argc, argv, &flags, [&] {
    cpp_infer::Model model(options);
    if (dataset_name == "cifar10") {
      cpp_infer::PredictTensors(options, &model);
      return;
    }
    const int side = model.height() * 256 / 224;
    cpp_infer::PredictImages(options, &model, {kMean, kStd, side, side, true});
  });
}
