#include "cpp_infer/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "cpp_infer/error.h"
#include "cpp_infer/image_file.h"
#include "cpp_infer/pillow_resize.h"

namespace cpp_infer {
namespace {

// libjpeg-turbo reads this when it is first used. Where an image's data are damaged, its processor
// instructions round and overflow otherwise than plain code does, which MindSpore's decoder is;
// with sound data, both give the same pixels, and OpenCV's time here was the same.
[[maybe_unused]] const int kAsMindSpore = setenv("JSIMD_FORCENONE", "1", 1);

// The size of `image` when its shorter side is `size` and the other follows, rounded down.
cv::Size WithShorterSide(const cv::Mat& image, int size) {
  const int64_t longer =
      int64_t{size} * std::max(image.rows, image.cols) / std::min(image.rows, image.cols);
  if (longer > 1 << 18) throw Error("one side is over 1000 times the other");
  const int other = static_cast<int>(longer);
  return image.rows < image.cols ? cv::Size(other, size) : cv::Size(size, other);
}

}  // namespace

cv::Mat Decode(const std::vector<unsigned char>& file) {
  const int components = CheckImageFile(file);
  cv::Mat image = cv::imdecode(file, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  if (image.empty()) throw Error("the decoder refuses it");
  // From CMYK, OpenCV computes with 256 where MindSpore has 255, and so ends 1 or 2 higher.
  if (components == 4) image -= cv::Scalar::all(1);
  return image;
}

cv::Mat Resize(const cv::Mat& image, int height, int width) {
  cv::Mat resized;
  cv::resize(image, resized, cv::Size(width, height), 0, 0, cv::INTER_LINEAR);
  return resized;
}

cv::Mat ResizeShorterSide(const cv::Mat& image, int size) {
  const cv::Size resized = WithShorterSide(image, size);
  return Resize(image, resized.height, resized.width);
}

cv::Mat ResizePadded(const cv::Mat& image, int size, const std::array<float, 3>& rest) {
  const int64_t longer = std::max(image.rows, image.cols);
  const auto side = [&](int length) {
    return static_cast<int>(
        std::max<int64_t>((2 * int64_t{length} * size + longer) / (2 * longer), 1));
  };
  const cv::Mat resized = Resize(image, side(image.rows), side(image.cols));
  cv::Mat padded;
  cv::copyMakeBorder(resized, padded, 0, size - resized.rows, 0, size - resized.cols,
                     cv::BORDER_CONSTANT,
                     cv::Scalar(std::round(rest[2]), std::round(rest[1]), std::round(rest[0])));
  return padded;
}

cv::Mat CenterCrop(const cv::Mat& image, int height, int width) {
  const int missing_rows = std::max(height - image.rows, 0);
  const int missing_columns = std::max(width - image.cols, 0);
  cv::Mat padded = image;
  if (missing_rows > 0 || missing_columns > 0) {
    cv::copyMakeBorder(image, padded, (missing_rows + 1) / 2, missing_rows / 2,
                       (missing_columns + 1) / 2, missing_columns / 2, cv::BORDER_CONSTANT);
  }
  return padded(cv::Rect((padded.cols - width) / 2, (padded.rows - height) / 2, width, height));
}

void Normalize(const cv::Mat& image, const std::array<float, 3>& mean,
               const std::array<float, 3>& deviation, float* planes) {
  float table[3][256];
  for (int channel = 0; channel < 3; ++channel) {
    for (int value = 0; value < 256; ++value) {
      table[channel][value] = (static_cast<float>(value) - mean[channel]) / deviation[channel];
    }
  }
  const size_t area = image.total();
  for (int y = 0; y < image.rows; ++y) {
    const unsigned char* pixel = image.ptr(y);
    for (int x = 0; x < image.cols; ++x, pixel += 3, ++planes) {
      planes[0] = table[0][pixel[2]];
      planes[area] = table[1][pixel[1]];
      planes[2 * area] = table[2][pixel[0]];
    }
  }
}

void Preprocess(const Preprocessing& preprocessing, cv::Mat image, int height, int width,
                float* planes) {
  const int rows = preprocessing.resized_height;
  const int columns = preprocessing.resized_width;
  if (preprocessing.is_padded) {
    image = ResizePadded(image, std::max(height, width), preprocessing.mean);
  } else if (preprocessing.interpolation != "bilinear") {
    cv::Size size(columns, rows);
    if (preprocessing.keeps_ratio) size = WithShorterSide(image, std::max(rows, columns));
    const bool is_cubic = preprocessing.interpolation == "pillow_bicubic";
    image = PillowResize(image, size.height, size.width, is_cubic);
    // Corners as in torchvision, which takes the even one of two that are as near.
    const int top = static_cast<int>(std::nearbyint((image.rows - height) / 2.0));
    const int left = static_cast<int>(std::nearbyint((image.cols - width) / 2.0));
    image = image(cv::Rect(left, top, width, height));
  } else {
    image = preprocessing.keeps_ratio ? ResizeShorterSide(image, std::max(rows, columns))
                                      : Resize(image, rows, columns);
    image = CenterCrop(image, height, width);
  }
  Normalize(image, preprocessing.mean, preprocessing.deviation, planes);
  if (preprocessing.is_blue_first) {
    const size_t area = image.total();
    std::swap_ranges(planes, planes + area, planes + 2 * area);
  }
}

}  // namespace cpp_infer
