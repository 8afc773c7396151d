#include "cpp_infer/preprocess.h"

#include <algorithm>
#include <cstdint>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "cpp_infer/error.h"

namespace cpp_infer {
namespace {

struct JpegFacts {
  int components = 0;
  bool has_end = false;
};

// Reads the segments of a JPEG file up to its first scan (ITU-T T.81, annex B).
JpegFacts ReadJpegFacts(const std::vector<unsigned char>& bytes) {
  JpegFacts facts;
  size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xFF) {
    const int marker = bytes[at + 1];
    const size_t length = bytes[at + 2] * 256 + bytes[at + 3];
    const bool is_frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (is_frame && at + 9 < bytes.size()) facts.components = bytes[at + 9];
    if (marker == 0xFF) {
      ++at;  // a fill byte
      continue;
    }
    if (marker == 0xDA) {
      const unsigned char end[] = {0xFF, 0xD9};
      facts.has_end = std::search(bytes.begin() + at, bytes.end(), end, end + 2) != bytes.end();
      return facts;
    }
    at += 2 + length;
  }
  return facts;
}

}  // namespace

cv::Mat Decode(const std::vector<unsigned char>& file) {
  const bool is_jpeg = file.size() > 2 && file[0] == 0xFF && file[1] == 0xD8;
  const JpegFacts facts = is_jpeg ? ReadJpegFacts(file) : JpegFacts();
  // OpenCV would fill the missing part of a JPEG file with grey.
  if (is_jpeg && !facts.has_end) throw Error("the JPEG file is cut short");
  cv::Mat image;
  if (!file.empty()) image = cv::imdecode(file, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  if (image.empty()) throw Error("not an image that can be decoded");
  // From CMYK, OpenCV computes with 256 where MindSpore has 255, and so ends 1 or 2 higher.
  if (facts.components == 4) image -= cv::Scalar::all(1);
  return image;
}

cv::Mat Resize(const cv::Mat& image, int height, int width) {
  cv::Mat resized;
  cv::resize(image, resized, cv::Size(width, height), 0, 0, cv::INTER_LINEAR);
  return resized;
}

cv::Mat ResizeShorterSide(const cv::Mat& image, int size) {
  const int64_t longer = int64_t{size} * std::max(image.rows, image.cols) / std::min(image.rows, image.cols);
  if (longer > 1 << 18) throw Error("one side is over 1000 times the other");
  const int other = static_cast<int>(longer);
  return image.rows < image.cols ? Resize(image, size, other) : Resize(image, other, size);
}

cv::Mat CenterCrop(const cv::Mat& image, int height, int width) {
  const int missing_rows = std::max(height - image.rows, 0);
  const int missing_columns = std::max(width - image.cols, 0);
  cv::Mat padded = image;
  if (missing_rows > 0 || missing_columns > 0) {
    cv::copyMakeBorder(image, padded, (missing_rows + 1) / 2, missing_rows / 2, (missing_columns + 1) / 2,
                       missing_columns / 2, cv::BORDER_CONSTANT);
  }
  return padded(cv::Rect((padded.cols - width) / 2, (padded.rows - height) / 2, width, height));
}

void Normalize(const cv::Mat& image, const std::array<float, 3>& mean, const std::array<float, 3>& deviation,
               float* planes) {
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

}  // namespace cpp_infer
