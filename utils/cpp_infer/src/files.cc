#include "cpp_infer/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iomanip>
#include <random>
#include <sstream>

#include "cpp_infer/error.h"

namespace cpp_infer {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Reset(-1); }
  int get() const { return value_; }
  void Reset(int value) {
    if (value_ >= 0) close(value_);
    value_ = value;
  }

 private:
  int value_ = -1;
};

const std::string kPartial = ".partial";  // the end of the name of a file that is not whole yet
constexpr size_t kDigits = 16;            // before it: a random number

bool IsPartial(const std::string& name) {
  const size_t size = kDigits + kPartial.size();
  return name.size() > size &&
         name.compare(name.size() - kPartial.size(), kPartial.size(), kPartial) == 0 &&
         name.find_first_not_of("0123456789abcdef", name.size() - size) ==
             name.size() - kPartial.size();
}

// Opens a new, locked file beside `path`. False, with errno, if it cannot.
bool OpenPartial(const fs::path& path, fs::path* partial, Descriptor* file) {
  static std::random_device random;
  constexpr size_t kLongestName = 200;  // A file system takes 255 bytes.
  std::string name = path.filename().string();
  if (name.size() > kLongestName) name = name.substr(name.size() - kLongestName);
  while (true) {
    std::ostringstream digits;
    digits << std::hex << std::setfill('0') << std::setw(8) << random() << std::setw(8) << random();
    *partial = path.parent_path() / (name + "." + digits.str() + kPartial);
    file->Reset(open(partial->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file->get() < 0 && errno == EEXIST) continue;
    if (file->get() < 0) return false;
    flock(file->get(),
          LOCK_EX);  // Some file systems have no locks; then nothing is taken for a leftover.
    struct stat facts{};
    if (fstat(file->get(), &facts) == 0 && facts.st_nlink > 0) return true;
    // Another run took it for a leftover before it was locked.
  }
}

// False, with errno, if not all of it can be written.
bool WriteAll(int file, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(file, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

std::vector<unsigned char> ReadFile(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw Error(path.string() + ": cannot be read (it is no file)");
  }
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr)
    throw Error(path.string() + ": cannot be read (" + std::strerror(errno) + ")");
  std::vector<unsigned char> bytes(fs::file_size(path, error));
  const size_t size = std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  if (error || size != bytes.size()) throw Error(path.string() + ": cannot be read to its end");
  return bytes;
}

void WriteFile(const fs::path& path, const void* data, size_t size) {
  fs::path partial;
  Descriptor file;
  if (!OpenPartial(path, &partial, &file))
    throw Error(path.string() + ": cannot be written: " + std::strerror(errno));
  if (WriteAll(file.get(), static_cast<const char*>(data), size) &&
      std::rename(partial.c_str(), path.c_str()) == 0) {
    return;
  }
  const std::string reason = std::strerror(errno);
  std::remove(partial.c_str());
  throw Error(path.string() + ": cannot be written: " + reason);
}

void RemoveLeftovers(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!IsPartial(entry->path().filename().string())) continue;
    const Descriptor file(
        open(entry->path().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat facts{};
    const bool is_own = file.get() >= 0 && fstat(file.get(), &facts) == 0 &&
                        S_ISREG(facts.st_mode) && facts.st_uid == geteuid();
    // A live run holds a lock on its file.
    if (is_own && flock(file.get(), LOCK_EX | LOCK_NB) == 0) std::remove(entry->path().c_str());
  }
}

void Sync(const fs::path& folder) {
  const Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0 || syncfs(descriptor.get()) != 0) {
    throw Error(folder.string() + ": cannot be written to disk: " + std::strerror(errno));
  }
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
