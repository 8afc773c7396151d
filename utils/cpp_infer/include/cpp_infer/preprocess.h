// Images as MindSpore's `vision` transforms make them. An image is H x W x 3 bytes, blue first, as
// OpenCV decodes it.
#ifndef CPP_INFER_PREPROCESS_H_
#define CPP_INFER_PREPROCESS_H_

#include <array>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace cpp_infer {

// `Decode`: EXIF orientation is ignored, transparency dropped, grey spread over three channels.
// Throws Error, a phrase, for a file that is no image, damaged or cut short.
cv::Mat Decode(const std::vector<unsigned char>& file);

// `Resize((height, width))`, bilinear.
cv::Mat Resize(const cv::Mat& image, int height, int width);

// `Resize(size)`, bilinear: the shorter side becomes `size`, the other follows, rounded down.
cv::Mat ResizeShorterSide(const cv::Mat& image, int size);

// In a square of `size` the image, its longer side as long, bilinear, at the top left; the rest is
// filled with `rest`, red first, rounded.
cv::Mat ResizePadded(const cv::Mat& image, int size, const std::array<float, 3>& rest);

// `CenterCrop((height, width))`: a smaller image is padded with black, the odd row or column on top
// or at the left.
cv::Mat CenterCrop(const cv::Mat& image, int height, int width);

// `Normalize(mean, std)` and `HWC2CHW`: writes (value - mean) / deviation as three planes of H x W,
// red first.
void Normalize(const cv::Mat& image, const std::array<float, 3>& mean,
               const std::array<float, 3>& deviation, float* planes);

// What becomes of an image of any size: it is resized, the network's input is cut out of its
// centre, and each pixel becomes (pixel - mean) / deviation.
struct Preprocessing {
  std::array<float, 3> mean;  // of red, green and blue, 0 to 255
  std::array<float, 3> deviation;
  int resized_height = 0;
  int resized_width = 0;
  bool keeps_ratio = false;  // The shorter side becomes the larger of these, the longer follows.
  bool is_padded = false;    // The longer side becomes the input's, the rest is the mean.
  std::string interpolation = "bilinear";  // or pillow_bilinear, pillow_bicubic
  bool is_blue_first = false;              // as the network sees the planes
};

// Writes the 3 x height x width values that the network is given. Throws Error.
void Preprocess(const Preprocessing& preprocessing, cv::Mat image, int height, int width,
                float* planes);

}  // namespace cpp_infer

#endif  // CPP_INFER_PREPROCESS_H_
