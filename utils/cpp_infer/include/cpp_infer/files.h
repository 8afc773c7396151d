// Listing, reading and writing files.
#ifndef CPP_INFER_FILES_H_
#define CPP_INFER_FILES_H_

#include <cstddef>
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
// files are left out; links are followed. Throws Error if there are none. Images beside class
// folders are left out, with a note on stdout.
std::vector<InputFile> ListImages(const std::filesystem::path& folder);

// The .bin files of `folder`, sorted by name. Throws Error if there are none.
std::vector<InputFile> ListTensors(const std::filesystem::path& folder);

// All bytes of a regular file. Throws Error if it cannot be read.
std::vector<unsigned char> ReadFile(const std::filesystem::path& path);

// Writes the file whole or not at all: beside it, under a name that nobody can foresee, then
// renamed. Throws Error if it cannot be written.
void WriteFile(const std::filesystem::path& path, const void* data, size_t size);

// Removes what a run that was killed in WriteFile has left in the folder; the files of live runs
// stay.
void RemoveLeftovers(const std::filesystem::path& folder);

// Returns when what was written to the folder is on disk. Throws Error.
void Sync(const std::filesystem::path& folder);

// Makes the folder and its parents if they are not there. Throws Error.
void MakeFolder(const std::filesystem::path& folder);

}  // namespace cpp_infer

#endif  // CPP_INFER_FILES_H_
