#include "cpp_infer/files.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>

#include "cpp_infer/error.h"

namespace cpp_infer {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> SortedEntries(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw Error(folder.string() + ": no such folder");
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().front() != '.') entries.push_back(entry->path());
  }
  if (error) throw Error(folder.string() + ": cannot be read: " + error.message());
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  return entries;
}

std::vector<fs::path> FilesWithSuffix(const std::vector<fs::path>& entries, const std::set<std::string>& suffixes) {
  std::vector<fs::path> files;
  for (const auto& path : entries) {
    std::string suffix = path.extension().string();
    std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) { return std::tolower(c); });
    if (suffixes.count(suffix) > 0 && !fs::is_directory(path)) files.push_back(path);
  }
  return files;
}

void RequireDistinctStems(const std::vector<fs::path>& files) {
  std::map<std::string, fs::path> seen;
  for (const auto& path : files) {
    const auto [first, is_new] = seen.emplace(Stem(path), path);
    if (!is_new) {
      throw Error(first->second.string() + " and " + path.string() + " would both write " + first->first +
                  "_0.bin; rename one of them");
    }
  }
}

}  // namespace

std::vector<fs::path> ListImages(const fs::path& folder) {
  const std::set<std::string> suffixes = {".jpg", ".jpeg", ".png", ".bmp"};
  const auto entries = SortedEntries(folder);
  std::vector<fs::path> images = FilesWithSuffix(entries, suffixes);
  const size_t own = images.size();
  for (const auto& entry : entries) {
    if (!fs::is_directory(entry)) continue;
    const auto inside = FilesWithSuffix(SortedEntries(entry), suffixes);
    images.insert(images.end(), inside.begin(), inside.end());
    if (own > 0 && !inside.empty()) {
      throw Error(folder.string() + ": has images of its own (" + images.front().filename().string() +
                  ") and in folders (" + inside.front().string() + "); it can have only one of the two");
    }
  }
  if (images.empty()) {
    throw Error(folder.string() + ": no JPEG, PNG or BMP images; expected " + (folder / "CLASS/IMAGE.JPEG").string() +
                " or " + (folder / "IMAGE.jpg").string());
  }
  RequireDistinctStems(images);
  return images;
}

std::vector<fs::path> ListTensors(const fs::path& folder) {
  const auto files = FilesWithSuffix(SortedEntries(folder), {".bin"});
  if (files.empty()) throw Error(folder.string() + ": no .bin files");
  RequireDistinctStems(files);
  return files;
}

std::string Stem(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.substr(0, name.find('.'));
}

std::vector<unsigned char> ReadFile(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) throw Error(path.string() + ": no such file");
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) throw Error(path.string() + ": cannot be read: " + std::strerror(errno));
  std::vector<unsigned char> bytes(fs::file_size(path, error));
  const size_t size = std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  if (error || size != bytes.size()) throw Error(path.string() + ": cannot be read to its end");
  return bytes;
}

void WriteFile(const fs::path& path, const void* data, size_t size) {
  const std::string partial = path.string() + ".partial";
  std::FILE* file = std::fopen(partial.c_str(), "wb");
  bool written = file != nullptr && std::fwrite(data, 1, size, file) == size;
  if (file != nullptr) written = std::fclose(file) == 0 && written;
  if (written && std::rename(partial.c_str(), path.c_str()) == 0) return;
  const std::string reason = std::strerror(errno);
  std::remove(partial.c_str());
  throw Error(path.string() + ": cannot be written: " + reason);
}

void MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(folder.string() + ": cannot be made: " + error.message());
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    throw Error(folder.string() + ": cannot be written: " + std::strerror(errno));
  }
}

}  // namespace cpp_infer
