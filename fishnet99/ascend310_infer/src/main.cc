// FishNet99: the class scores of every image.
#include "cpp_infer/main.h"

#include <array>

#include "cpp_infer/flags.h"
#include "cpp_infer/model.h"
#include "cpp_infer/predict.h"
#include "cpp_infer/preprocess.h"

constexpr std::array<float, 3> kMean = {123.675F, 116.28F, 103.53F};
constexpr std::array<float, 3> kStd = {58.395F, 57.12F, 57.375F};

int main(int argc, char** argv) {
  cpp_infer::Options options;
  cpp_infer::Flags flags("Predicts with FishNet99.", &options);

  return cpp_infer::Main(argc, argv, &flags, [&] {
    cpp_infer::Model model(options);
    const int side = model.height() * 256 / 224;
    cpp_infer::PredictImages(options, &model, {kMean, kStd, side, side, true});
  });
}
