#ifndef CPP_INFER_MAIN_H_
#define CPP_INFER_MAIN_H_

#include <functional>

#include "cpp_infer/flags.h"

namespace cpp_infer {

// Parses the command line and runs `body`. Returns the exit code: 0, 3 for ModelTooNew, 1 for any
// other exception, whose text becomes one line on stderr. What the libraries print there is
// silenced, unless GLOG_v is 0, 1 or 2.
int Main(int argc, char** argv, Flags* flags, const std::function<void()>& body);

}  // namespace cpp_infer

#endif  // CPP_INFER_MAIN_H_
