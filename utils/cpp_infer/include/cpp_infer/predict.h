// From files to result files: `<result_dir>/<result_name>_<output>.bin` (see files.h), raw float32.
#ifndef CPP_INFER_PREDICT_H_
#define CPP_INFER_PREDICT_H_

#include <functional>
#include <opencv2/core.hpp>

#include "cpp_infer/flags.h"
#include "cpp_infer/model.h"

namespace cpp_infer {

// Writes the 3 x height x width input values of one decoded image. Runs in several threads at a
// time.
using Preprocess = std::function<void(const cv::Mat& image, float* input)>;

// Predicts every image of --dataset_path, in batches of the model's size; meanwhile the next ones
// are preprocessed. A result file is one output for one image. Prints the documented lines and
// writes the timing file to --time_dir. Throws Error, naming the file that is wrong, or whose
// outputs are NaN or infinite; results before it are kept.
void PredictImages(const Options& options, Model* model, const Preprocess& preprocess);

// The same for .bin files that hold a whole input of the model; a result file is one output for one
// such batch.
void PredictTensors(const Options& options, Model* model);

}  // namespace cpp_infer

#endif  // CPP_INFER_PREDICT_H_
