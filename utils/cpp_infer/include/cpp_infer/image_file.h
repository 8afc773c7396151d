// What is wrong with an image file, told by its structure before a decoder sees it: the rule of
// utils/vendored/jpeg.py and bitmaps.py in the same words, so that an image counts in Python and
// here, or in neither.
#ifndef CPP_INFER_IMAGE_FILE_H_
#define CPP_INFER_IMAGE_FILE_H_

#include <cstdint>
#include <vector>

namespace cpp_infer {

// Throws Error with a phrase where `content` is no JPEG, PNG or BMP file, or would end a decoder. A
// JPEG file whose last scan is followed by no end marker is refused, by however little it is cut
// short. Returns the number of components of a JPEG file, 0 for others.
int CheckImageFile(const std::vector<unsigned char>& content);

// The same for files that start as JPEG, PNG and BMP files do, and for all others.
int CheckJpeg(const std::vector<unsigned char>& content);
void CheckPng(const std::vector<unsigned char>& content);
void CheckBmp(const std::vector<unsigned char>& content);
[[noreturn]] void RefuseOther(const std::vector<unsigned char>& content);

// Throws Error where no decoder takes an image of `width` x `height` pixels.
void CheckSize(int64_t width, int64_t height, int64_t longest_side);

}  // namespace cpp_infer

#endif  // CPP_INFER_IMAGE_FILE_H_
