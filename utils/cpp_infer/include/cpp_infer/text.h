#ifndef CPP_INFER_TEXT_H_
#define CPP_INFER_TEXT_H_

#include <string>

namespace cpp_infer {

// `line` as it can be printed: control characters, line ends, marks that turn the direction of
// writing, and bytes that are not UTF-8 are escaped, so that the name of a file cannot pass for a
// line of its own. The middle of a line over some 1500 bytes is left out.
std::string Printable(const std::string& line);

}  // namespace cpp_infer

#endif  // CPP_INFER_TEXT_H_
