// Resizing as Pillow's `Image.resize` does it: where it shrinks it averages. Rows first, columns
// then; newer Pillows do columns first in high images, which differs by a grey level or two.
#ifndef CPP_INFER_PILLOW_RESIZE_H_
#define CPP_INFER_PILLOW_RESIZE_H_

#include <opencv2/core.hpp>

namespace cpp_infer {

// An image of H x W x 3 bytes at another size, bilinear or bicubic (a = -0.5).
cv::Mat PillowResize(const cv::Mat& image, int height, int width, bool is_cubic);

}  // namespace cpp_infer

#endif  // CPP_INFER_PILLOW_RESIZE_H_
