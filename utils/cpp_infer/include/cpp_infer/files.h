// Reading and writing files.
#ifndef CPP_INFER_FILES_H_
#define CPP_INFER_FILES_H_

#include <cstddef>
#include <filesystem>
#include <vector>

namespace cpp_infer {

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
