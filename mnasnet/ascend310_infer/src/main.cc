// MnasNet: the class scores of every image.
#include "cpp_infer/main.h"

#include <array>
#include <string>

#include "cpp_infer/flags.h"
#include "cpp_infer/model.h"
#include "cpp_infer/predict.h"
#include "cpp_infer/preprocess.h"

constexpr std::array<float, 3> kMean = {127.5F, 127.5F, 127.5F};
constexpr std::array<float, 3> kStd = {127.5F, 127.5F, 127.5F};

int main(int argc, char** argv) {
  cpp_infer::Options options;
  std::string dataset_name = "imagenet2012";
  cpp_infer::Flags flags("Predicts with MnasNet.", &options);
  flags.Add("dataset_name", &dataset_name, "images in class folders", {"imagenet2012"});
  flags.Alias("input0_path", "dataset_path");

  return cpp_infer::Main(argc, argv, &flags, [&] {
    cpp_infer::Model model(options);
    const int side = model.height() * 255 / 224;
    cpp_infer::PredictImages(options, &model, {kMean, kStd, side, side, true});
  });
}
