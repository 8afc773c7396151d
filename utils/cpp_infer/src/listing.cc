#include "cpp_infer/listing.h"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <map>
#include <set>

#include "cpp_infer/error.h"
#include "cpp_infer/text.h"

namespace cpp_infer {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> SortedEntries(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw Error(folder.string() + ": no such folder");
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().front() != '.') entries.push_back(entry->path());
  }
  if (error) throw Error(folder.string() + ": cannot be read: " + error.message());
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.native() < b.native(); });
  return entries;
}

bool IsFolder(const fs::path& path) {
  std::error_code error;  // as of a link to itself, which is no folder
  return fs::is_directory(path, error);
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Those of `entries` that have one of `suffixes`, in any case, and are no folders. Whatever else
// they are, links to nothing and pipes too, they count: they cannot be read, and that is said.
std::vector<fs::path> WithSuffix(const std::vector<fs::path>& entries,
                                 const std::set<std::string>& suffixes) {
  std::vector<fs::path> files;
  for (const auto& path : entries) {
    if (suffixes.count(Lower(path.extension().string())) > 0 && !IsFolder(path)) {
      files.push_back(path);
    }
  }
  return files;
}

// The file name up to its first dot.
std::string Stem(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.substr(0, name.find('.'));
}

// `path` as a file name that nothing else has: / as %2F, and % as %25. It has a dot, which no stem
// has.
std::string Escaped(const fs::path& path) {
  std::string name;
  for (const char c : path.string())
    name += c == '/' ? "%2F" : c == '%' ? "%25" : std::string(1, c);
  return name;
}

const std::set<std::string> kImageSuffixes = {".jpg", ".jpeg", ".png", ".bmp"};
// Folders, in any case, as vendored/listing.py has them.
const std::set<std::string> kStray = {"#recycle", "lost+found",   "__macosx",
                                      "@eadir",   "$recycle.bin", "system volume information"};

// Whether the entry is a folder in which images may be.
bool HoldsImages(const fs::path& entry) {
  return IsFolder(entry) && kStray.count(Lower(entry.filename().string())) == 0;
}

// Adds the images of `folder` and of the folders in it; `above` are those that it lies in.
void AddImagesBelow(const fs::path& folder, std::vector<fs::path> above,
                    std::vector<fs::path>* images) {
  const auto entries = SortedEntries(folder);
  above.push_back(fs::canonical(folder));
  const auto own = WithSuffix(entries, kImageSuffixes);
  images->insert(images->end(), own.begin(), own.end());
  for (const auto& entry : entries) {
    if (!HoldsImages(entry)) continue;
    if (std::find(above.begin(), above.end(), fs::canonical(entry)) != above.end()) continue;
    AddImagesBelow(entry, above, images);
  }
}

std::vector<InputFile> NameResults(const fs::path& folder, const std::vector<fs::path>& paths) {
  std::map<std::string, size_t> count;
  for (const auto& path : paths) ++count[Stem(path)];
  std::vector<InputFile> files;
  for (const auto& path : paths) {
    const std::string stem = Stem(path);
    const bool is_alone = count[stem] == 1;
    files.push_back(
        {path,
         is_alone ? stem : Escaped(fs::path(path.string().substr((folder / "").string().size())))});
  }
  return files;
}

}  // namespace

std::vector<InputFile> ListImages(const fs::path& folder) {
  const auto entries = SortedEntries(folder);
  const auto own = WithSuffix(entries, kImageSuffixes);
  std::vector<fs::path> images;
  for (const auto& entry : entries) {
    if (!HoldsImages(entry)) continue;
    auto inside = WithSuffix(SortedEntries(entry), kImageSuffixes);
    if (inside.empty() && IsFolder(entry / "images"))
      inside = WithSuffix(SortedEntries(entry / "images"), kImageSuffixes);
    images.insert(images.end(), inside.begin(), inside.end());
  }
  if (images.empty()) {
    images = own;
  } else if (!own.empty()) {
    std::cout << "note: " << Printable(folder.string()) << ": " << own.size()
              << " images lie beside the class folders and are left out, such as "
              << Printable(own.front().filename().string()) << "\n";
  }
  if (images.empty()) {
    throw Error(folder.string() + ": no JPEG, PNG or BMP images; expected " +
                (folder / "CLASS/IMAGE.JPEG").string() + " or " + (folder / "IMAGE.jpg").string());
  }
  return NameResults(folder, images);
}

std::vector<InputFile> ListImagesBelow(const fs::path& folder) {
  std::vector<fs::path> images;
  AddImagesBelow(folder, {}, &images);
  if (images.empty()) throw Error(folder.string() + ": no JPEG, PNG or BMP images");
  return NameResults(folder, images);
}

std::vector<InputFile> ListTensors(const fs::path& folder) {
  const auto files = WithSuffix(SortedEntries(folder), {".bin"});
  if (files.empty()) throw Error(folder.string() + ": no .bin files");
  return NameResults(folder, files);
}

}  // namespace cpp_infer
