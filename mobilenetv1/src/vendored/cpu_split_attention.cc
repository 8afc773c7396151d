// Split attention (arXiv:2004.08955, section 3.1) over two branches, float32 images (N, 2C, H, W),
// a branch in each half of the channels, for MindSpore's ops.Custom; without gradients.
#include <cmath>
#include <cstdint>
#include <vector>

#include "cpu_line.h"
#include "cpu_sums.h"
#include "cpu_threads.h"

namespace {

// The places of the operator's values.
enum Value { kX, kHiddenWeights, kHiddenBias, kHiddenNorm, kWeights = 8, kBias, kY };

// How much of each channel (C) is to come from the first branch, by the means of both.
std::vector<float> SharesOf(void** values, const std::vector<float>& means, int64_t hidden) {
  const int64_t channels = means.size();
  const float *to_hidden = Input(values, kHiddenWeights), *bias = Input(values, kHiddenBias);
  std::vector<float> features(hidden), shares(channels);
  for (int64_t i = 0; i < hidden; ++i) {
    features[i] = SumOfProducts(to_hidden + i * channels, means.data(), channels) + bias[i];
    LineOf(values, kHiddenNorm, i).Apply(&features[i], 1, &features[i]);
  }
  const float *first = Input(values, kWeights), *second = first + channels * hidden;
  const float *of_first = Input(values, kBias), *of_second = of_first + channels;
  for (int64_t c = 0; c < channels; ++c) {
    const float to_first = SumOfProducts(first + c * hidden, features.data(), hidden) + of_first[c];
    const float to_second =
        SumOfProducts(second + c * hidden, features.data(), hidden) + of_second[c];
    // A softmax of two is the sigmoid of their difference.
    shares[c] = 1 / (1 + std::exp(to_second - to_first));
  }
  return shares;
}

}  // namespace

// Inputs x, the weights (F, C, 1, 1) and bias of a dense layer from C to F features, a norm's
// (LineOf) of these, the weights (2C, F, 1, 1) and bias of a dense layer from these to both
// branches' logits; output (N, C, H, W).
extern "C" int SplitAttention(int, void** values, int*, int64_t** shapes, const char**, void*,
                              void*) {
  const int64_t *shape = shapes[kY], channels = shape[1], plane = shape[2] * shape[3];
  const int64_t size = channels * plane, together = PlanesTogether(plane);
  for (int64_t n = 0; n < shape[0]; ++n) {
    const float *first = Input(values, kX) + 2 * n * size, *second = first + size;
    float* y = Output(values, kY) + n * size;
    std::vector<float> means(channels);
    Threads::All().RunTogether(channels, together, 2 * size, [&](int64_t c) {
      means[c] = (SumOf(first + c * plane, plane) + SumOf(second + c * plane, plane)) / plane;
    });
    const std::vector<float> shares = SharesOf(values, means, shapes[kHiddenWeights][0]);
    Threads::All().RunTogether(channels, together, 2 * size, [&](int64_t c) {
      const float share = shares[c];
#pragma GCC ivdep
      for (int64_t i = c * plane; i < (c + 1) * plane; ++i)
        y[i] = second[i] + share * (first[i] - second[i]);
    });
  }
  return 0;
}
