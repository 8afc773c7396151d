#ifndef CPP_INFER_ERROR_H_
#define CPP_INFER_ERROR_H_

#include <stdexcept>

namespace cpp_infer {

// Something is wrong that the user can put right; the text says what, where and what to do, in one
// line.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The MindIR file is newer than the runtime reads: lower it first.
class ModelTooNew : public Error {
 public:
  using Error::Error;
};

}  // namespace cpp_infer

#endif  // CPP_INFER_ERROR_H_
