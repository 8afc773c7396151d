// The preprocessed pixels of every image of --dataset_path, as float32 planes in --result_dir;
// predicts nothing.
#include "cpp_infer/main.h"

#include <vector>

#include "cpp_infer/files.h"
#include "cpp_infer/flags.h"
#include "cpp_infer/listing.h"
#include "cpp_infer/preprocess.h"

int main(int argc, char** argv) {
  cpp_infer::Options options;
  int shorter_side = 0;
  int height = 0;
  int width = 0;
  int padded = 0;
  int crop_height = 0;
  int crop_width = 0;
  cpp_infer::Flags flags("Writes preprocessed pixels.", &options);
  flags.Add("shorter_side", &shorter_side, "resize the shorter side to this");
  flags.Add("height", &height, "resize to this height");
  flags.Add("width", &width, "resize to this width");
  flags.Add("padded", &padded, "resize the longer side to this, and pad to a square");
  flags.Add("crop_height", &crop_height, "cut or pad to this height");
  flags.Add("crop_width", &crop_width, "cut or pad to this width");

  return cpp_infer::Main(argc, argv, &flags, [&] {
    cpp_infer::MakeFolder(options.result_dir);
    for (const auto& [path, result_name] : cpp_infer::ListImages(options.dataset_path)) {
      cv::Mat image = cpp_infer::Decode(cpp_infer::ReadFile(path));
      if (shorter_side > 0) image = cpp_infer::ResizeShorterSide(image, shorter_side);
      if (height > 0) image = cpp_infer::Resize(image, height, width);
      if (padded > 0) image = cpp_infer::ResizePadded(image, padded, {123.675F, 116.28F, 103.53F});
      if (crop_height > 0) image = cpp_infer::CenterCrop(image, crop_height, crop_width);
      std::vector<float> planes(3 * image.total());
      cpp_infer::Normalize(image, {0.0F, 0.0F, 0.0F}, {1.0F, 1.0F, 1.0F}, planes.data());
      cpp_infer::WriteFile(options.result_dir + "/" + result_name + "_0.bin", planes.data(),
                           planes.size() * sizeof(float));
    }
  });
}
