// NAS-FPN: the boxes (output 0) and class scores (output 1) of every anchor of every image.
#include "cpp_infer/main.h"

#include <array>
#include <string>

#include "cpp_infer/error.h"
#include "cpp_infer/flags.h"
#include "cpp_infer/model.h"
#include "cpp_infer/predict.h"
#include "cpp_infer/preprocess.h"

constexpr std::array<float, 3> kMean = {123.675F, 116.28F, 103.53F};
constexpr std::array<float, 3> kStd = {58.395F, 57.12F, 57.375F};

// Throws Error if the network's side is another than the one asked for; 0 asks for none.
void RequireSide(const std::string& flag, int wanted, int side) {
  if (wanted == 0 || wanted == side) return;
  throw cpp_infer::Error("--" + flag + "=" + std::to_string(wanted) + ": the network's input has " +
                         std::to_string(side) + "; leave the flag out, or export at that size");
}

int main(int argc, char** argv) {
  cpp_infer::Options options;
  options.unit = " ms";
  options.any_depth = true;
  options.precision_mode = "allow_fp32_to_fp16";
  options.op_select_impl_mode = "high_precision";
  options.buffer_optimize_mode = "off_optimize";
  int image_height = 0;
  int image_width = 0;
  cpp_infer::Flags flags("Predicts with NAS-FPN.", &options);
  flags.Add("precision_mode", &options.precision_mode, "Ascend: precision");
  flags.Add("op_select_impl_mode", &options.op_select_impl_mode, "Ascend: which kernels");
  flags.Add("buffer_optimize_mode", &options.buffer_optimize_mode,
            "Ascend: how buffers are reused");
  flags.Add("image_height", &image_height,
            "what the network's input must have; 0 takes what it has");
  flags.Add("image_width", &image_width, "what the network's input must have; 0 takes what it has");

  return cpp_infer::Main(argc, argv, &flags, [&] {
    cpp_infer::Model model(options);
    RequireSide("image_height", image_height, model.height());
    RequireSide("image_width", image_width, model.width());
    // As a whole, the aspect ratio not kept unless the record says so.
    cpp_infer::PredictImages(options, &model, {kMean, kStd, model.height(), model.width(), false});
  });
}
