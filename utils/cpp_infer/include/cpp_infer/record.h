// The record that export.py writes beside a MindIR file, as FILE.json.
#ifndef CPP_INFER_RECORD_H_
#define CPP_INFER_RECORD_H_

#include <string>

#include "cpp_infer/preprocess.h"

namespace cpp_infer {

// The preprocessing that the record of the MindIR `path` holds for images of `height` x `width`,
// which is printed; `preset` where there is no record, or none of preprocessing. Throws Error where
// it is damaged, of images of another size, or of what this program does not do.
Preprocessing RecordedPreprocessing(const std::string& path, int height, int width,
                                    const Preprocessing& preset);

}  // namespace cpp_infer

#endif  // CPP_INFER_RECORD_H_
