// ResNeSt: the class scores of every image.
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
  options.precision_mode = "allow_fp32_to_fp16";
  cpp_infer::Flags flags("Predicts with ResNeSt.", &options);

  return cpp_infer::Main(argc, argv, &flags, [&] {
    cpp_infer::Model model(options);
    // 320 x 320 for 256 x 256
    const int height = model.height() * 5 / 4;
    const int width = model.width() * 5 / 4;
    cpp_infer::PredictImages(options, &model, {kMean, kStd, height, width, false});
  });
}
