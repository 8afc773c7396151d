// From files to result files: `<result_dir>/<result_name>_<output>.bin` (see listing.h), raw
// float32.
#ifndef CPP_INFER_PREDICT_H_
#define CPP_INFER_PREDICT_H_

#include "cpp_infer/flags.h"
#include "cpp_infer/model.h"
#include "cpp_infer/preprocess.h"

namespace cpp_infer {

// Predicts every image of --dataset_path, in batches of the model's size; meanwhile the next ones
// are preprocessed, as the record beside the model says, or else as `preset` does. A result file is
// one output for one image. Prints the documented lines and writes the timing file to --time_dir.
// Throws Error, naming the file that is wrong, or whose outputs are NaN or infinite; results before
// it are kept.
void PredictImages(const Options& options, Model* model, const Preprocessing& preset);

// The same for .bin files that hold a whole input of the model; a result file is one output for one
// such batch.
void PredictTensors(const Options& options, Model* model);

}  // namespace cpp_infer

#endif  // CPP_INFER_PREDICT_H_
