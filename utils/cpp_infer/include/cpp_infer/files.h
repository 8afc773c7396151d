// Listing, reading and writing files.
#ifndef CPP_INFER_FILES_H_
#define CPP_INFER_FILES_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace cpp_infer {

// The JPEG, PNG and BMP files (by suffix, in any case) of `folder` or, if it has none, of the folders in it, sorted
// by folder and name. Links are followed, hidden files left out. Throws Error if there are none, if there are images
// on both levels, or if two images would write the same result file.
std::vector<std::filesystem::path> ListImages(const std::filesystem::path& folder);

// The .bin files of `folder`, sorted by name. Throws Error if there are none.
std::vector<std::filesystem::path> ListTensors(const std::filesystem::path& folder);

// The file name up to its first dot, on which the names of its result files are built.
std::string Stem(const std::filesystem::path& path);

// All bytes of a regular file. Throws Error if it cannot be read.
std::vector<unsigned char> ReadFile(const std::filesystem::path& path);

// Writes the file whole or not at all: beside it, under a name that nobody can foresee, then renamed. Throws Error if
// it cannot be written.
void WriteFile(const std::filesystem::path& path, const void* data, size_t size);

// Removes what a run that was killed in WriteFile has left in the folder; the files of live runs stay.
void RemoveLeftovers(const std::filesystem::path& folder);

// Returns when what was written to the folder is on disk. Throws Error.
void Sync(const std::filesystem::path& folder);

// Makes the folder and its parents if they are not there. Throws Error.
void MakeFolder(const std::filesystem::path& folder);

}  // namespace cpp_infer

#endif  // CPP_INFER_FILES_H_
