#include "cpp_infer/pillow_resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace cpp_infer {
namespace {

constexpr int kFractionBits = 22;  // of a weight, a fixed-point number

// The weights, from source pixel `first` on, that make one pixel.
struct Window {
  int first = 0;
  std::vector<int32_t> weights;
};

double Triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

// Keys, Cubic convolution interpolation, IEEE Trans. ASSP 29, 1981, with a = -0.5.
double Cubic(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

// One window for each of `wanted` pixels made of `given` ones: the filter is as wide as a new pixel
// where that is wider than an old one.
std::vector<Window> Windows(int given, int wanted, bool is_cubic) {
  const double scale = static_cast<double>(given) / wanted;
  const double width = std::max(scale, 1.0);
  const double support = (is_cubic ? 2.0 : 1.0) * width;
  std::vector<Window> windows(wanted);
  std::vector<double> weights;
  for (int place = 0; place < wanted; ++place) {
    const double center = (place + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int end = std::min(static_cast<int>(center + support + 0.5), given);
    double sum = 0;
    weights.clear();
    for (int source = first; source < end; ++source) {
      const double x = (source - center + 0.5) / width;
      weights.push_back(is_cubic ? Cubic(x) : Triangle(x));
      sum += weights.back();
    }
    windows[place].first = first;
    for (const double weight : weights) {
      const double fixed = weight / sum * (1 << kFractionBits);
      windows[place].weights.push_back(static_cast<int32_t>(fixed + (fixed < 0 ? -0.5 : 0.5)));
    }
  }
  return windows;
}

// The rows of `image` made anew, each pixel of the window that has its number.
cv::Mat Across(const cv::Mat& image, const std::vector<Window>& windows) {
  cv::Mat made(image.rows, static_cast<int>(windows.size()), CV_8UC3);
  for (int y = 0; y < image.rows; ++y) {
    unsigned char* pixel = made.ptr(y);
    for (const Window& window : windows) {
      const unsigned char* source = image.ptr(y) + 3 * window.first;
      int32_t sums[3] = {1 << (kFractionBits - 1), 1 << (kFractionBits - 1),
                         1 << (kFractionBits - 1)};
      for (const int32_t weight : window.weights) {
        for (int channel = 0; channel < 3; ++channel) sums[channel] += weight * *source++;
      }
      for (const int32_t sum : sums) {
        *pixel++ = static_cast<unsigned char>(std::clamp(sum >> kFractionBits, 0, 255));
      }
    }
  }
  return made;
}

}  // namespace

cv::Mat PillowResize(const cv::Mat& image, int height, int width, bool is_cubic) {
  cv::Mat made = image;
  if (width != image.cols) made = Across(made, Windows(image.cols, width, is_cubic));
  if (height != image.rows) {
    cv::transpose(made, made);
    made = Across(made, Windows(image.rows, height, is_cubic));
    cv::transpose(made, made);
  }
  return made;
}

}  // namespace cpp_infer
