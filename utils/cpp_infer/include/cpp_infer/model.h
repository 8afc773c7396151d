#ifndef CPP_INFER_MODEL_H_
#define CPP_INFER_MODEL_H_

#include <include/api/model.h>

#include <cstddef>
#include <vector>

#include "cpp_infer/flags.h"

namespace cpp_infer {

// One output of the network for a whole batch; valid until the next Predict.
struct Output {
  const float* values;
  size_t size;  // number of values
};

// A MindIR file built for a device. Its input is (batch, 3, height, width) float32.
class Model {
 public:
  // Throws ModelTooNew, or Error if the file is no MindIR, does not fit this class or cannot run on
  // the device.
  explicit Model(const Options& options);

  int batch() const { return batch_; }
  int height() const { return height_; }
  int width() const { return width_; }
  size_t input_size() const { return size_t{3} * batch_ * height_ * width_; }  // number of values

  // Runs the network on input_size() values, which are not copied on CPU. Outputs are in the
  // network's order.
  std::vector<Output> Predict(const float* input);
  // How long the runtime took for the last Predict.
  double milliseconds() const { return milliseconds_; }

 private:
  mindspore::Model model_;
  std::vector<mindspore::MSTensor> inputs_;
  std::vector<mindspore::MSTensor> outputs_;
  int batch_ = 0;
  int height_ = 0;
  int width_ = 0;
  double milliseconds_ = 0;
};

}  // namespace cpp_infer

#endif  // CPP_INFER_MODEL_H_
