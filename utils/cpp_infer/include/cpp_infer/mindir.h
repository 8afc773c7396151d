#ifndef CPP_INFER_MINDIR_H_
#define CPP_INFER_MINDIR_H_

#include <cstdint>
#include <filesystem>

namespace cpp_infer {

// The `mind_ir_version` of a MindIR file; 0 if it has none. Throws Error if the file is missing,
// empty, of another kind or cut short, or if one of its weights is NaN or infinite: the runtime may
// make finite outputs of them.
uint64_t CheckMindIr(const std::filesystem::path& path);

}  // namespace cpp_infer

#endif  // CPP_INFER_MINDIR_H_
