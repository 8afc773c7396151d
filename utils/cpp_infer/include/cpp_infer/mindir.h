#ifndef CPP_INFER_MINDIR_H_
#define CPP_INFER_MINDIR_H_

#include <cstdint>
#include <filesystem>

namespace cpp_infer {

// The `mind_ir_version` of a MindIR file; 0 if it has none. Throws Error if the file is missing, empty, of another kind
// or cut short.
uint64_t ReadMindIrVersion(const std::filesystem::path& path);

}  // namespace cpp_infer

#endif  // CPP_INFER_MINDIR_H_
