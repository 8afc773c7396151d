// Which files are predicted, and what their results are called.
#ifndef CPP_INFER_LISTING_H_
#define CPP_INFER_LISTING_H_

#include <filesystem>
#include <string>
#include <vector>

namespace cpp_infer {

struct InputFile {
  std::filesystem::path path;
  // What its result files are called, without _0.bin: the file name up to its first dot or, where
  // another file's name is the same up to there, the path below the listed folder with / written as
  // %2F, and % as %25.
  std::string result_name;
};

// The JPEG, PNG and BMP files (by suffix, in any case) in the folders in `folder`, or in the folder
// `images` of each, sorted by folder and name; if there are none, those of `folder` itself. Hidden
// files, and folders that storage servers and archives leave behind, are left out; links are
// followed. Throws Error if there are none. Images beside class folders are left out, with a note
// on stdout.
std::vector<InputFile> ListImages(const std::filesystem::path& folder);

// Such files of `folder` and of the folders in it, however deep, for networks whose images have no
// class folders. What storage servers and archives leave behind is left out, and links that lead up
// again. Throws Error if there are none.
std::vector<InputFile> ListImagesBelow(const std::filesystem::path& folder);

// The .bin files of `folder`, sorted by name. Throws Error if there are none.
std::vector<InputFile> ListTensors(const std::filesystem::path& folder);

}  // namespace cpp_infer

#endif  // CPP_INFER_LISTING_H_
