#include "cpp_infer/main.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "cpp_infer/error.h"
#include "cpp_infer/text.h"

namespace cpp_infer {
namespace {

constexpr int kFailure = 1;
constexpr int kModelTooNew = 3;

// Silences stderr, where the runtime prints stacks and the image decoders remarks, unless GLOG_v (0
// to 2) asks for it. Returns a descriptor of the stderr that was.
int SilenceLibraries() {
  const int own = dup(STDERR_FILENO);
  const char* level = std::getenv("GLOG_v");
  const bool is_wanted = level != nullptr && level[0] >= '0' && level[0] <= '2';
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (!is_wanted && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  if (nowhere >= 0) close(nowhere);
  return own;
}

int Report(int own_stderr, const std::exception& error, int exit_code) {
  std::cout.flush();
  dprintf(own_stderr, "error: %s\n", Printable(error.what()).c_str());
  return exit_code;
}

}  // namespace

int Main(int argc, char** argv, Flags* flags, const std::function<void()>& body) {
  const int own_stderr = SilenceLibraries();
  try {
    if (!flags->Parse(argc, argv)) return 0;
    body();
    if (!std::cout.flush()) throw Error("stdout: cannot be written; is the disk full?");
    return 0;
  } catch (const ModelTooNew& error) {
    return Report(own_stderr, error, kModelTooNew);
  } catch (const std::exception& error) {
    return Report(own_stderr, error, kFailure);
  }
}

}  // namespace cpp_infer
