// Batch norm (arXiv:1502.03167) of float32 images (N, C, H, W), and what follows it, if that is to
// cut values off at a floor and a ceiling (ReLU, ReLU6), for MindSpore's ops.Custom.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cpu_line.h"
#include "cpu_sums.h"
#include "cpu_threads.h"

namespace {

constexpr int64_t kShort = 8 * kTogether;  // values, below which a plane's end takes long

double SumOfSquares(const float* x, float mean, int64_t count) {
  return Sum(
      count,
      [=](int64_t i) {
        const Vector difference = Load(x + i) - mean;
        return difference * difference;
      },
      [=](int64_t i) { return (x[i] - mean) * (x[i] - mean); });
}

// Of the gradients that pass, and of (x - mean) times these.
double SumOfPassed(const Line& line, const float* x, const float* dy, int64_t count) {
  return Sum(
      count, [=](int64_t i) { return line.Passed(Load(x + i), Load(dy + i)); },
      [=](int64_t i) { return line.Passed(x[i], dy[i]); });
}

double SumOfProducts(const Line& line, const float* x, float mean, const float* dy, int64_t count) {
  return Sum(
      count,
      [=](int64_t i) { return (Load(x + i) - mean) * line.Passed(Load(x + i), Load(dy + i)); },
      [=](int64_t i) { return (x[i] - mean) * line.Passed(x[i], dy[i]); });
}

struct Images {
  int64_t batch, channels, plane;

  explicit Images(const int64_t* shape)
      : batch(shape[0]), channels(shape[1]), plane(shape[2] * shape[3]) {}

  int64_t Count() const { return batch * plane; }  // of a channel's values
  int64_t All() const { return Count() * channels; }
  bool AreShort() const { return plane < kShort; }

  // act(where it begins) for each plane of a channel, seen from the first.
  template <typename Act>
  void ForEachPlane(Act act) const {
    for (int64_t n = 0; n < batch; ++n) act(n * channels * plane);
  }

  // A channel's values are looked at in runs: its planes, or all of them, in a scratch, where these
  // are short. act(where it begins, how many) for each run, seen from the first.
  template <typename Act>
  void ForEachRun(Act act) const {
    if (AreShort()) return act(0, Count());
    ForEachPlane([&](int64_t at) { act(at, plane); });
  }

  // The first run, from the channel's first plane; what is written to Place goes back by Write.
  const float* Read(const float* first, float* scratch) const {
    if (!AreShort()) return first;
    float* to = scratch;
    ForEachPlane([&](int64_t at) { to = std::copy_n(first + at, plane, to); });
    return scratch;
  }
  float* Place(float* first, float* scratch) const { return AreShort() ? scratch : first; }
  void Write(const float* run, float* first) const {
    if (!AreShort()) return;
    ForEachPlane([&](int64_t at) {
      std::copy_n(run, plane, first + at);
      run += plane;
    });
  }
};

float* Scratch(int64_t size) {
  static thread_local std::vector<float> scratch;
  if (static_cast<int64_t>(scratch.size()) < size) scratch.resize(size);
  return scratch.data();
}

}  // namespace

// Inputs x, gamma, beta, limits (epsilon, floor, ceiling); outputs y, mean and (biased) variance of
// the batch.
extern "C" int BatchNormForward(int, void** values, int*, int64_t** shapes, const char**, void*,
                                void*) {
  const Images images(shapes[0]);
  const float *x = Input(values, 0), *gamma = Input(values, 1), *beta = Input(values, 2);
  const float* limits = Input(values, 3);
  float *y = Output(values, 4), *means = Output(values, 5), *variances = Output(values, 6);
  Threads::All().RunTogether(
      images.channels, PlanesTogether(images.plane), 3 * images.All(), [&](int64_t c) {
        float *scratch = Scratch(images.Count()), *first = y + c * images.plane;
        const float* in = images.Read(x + c * images.plane, scratch);
        float* out = images.Place(first, scratch);
        double sum = 0, squares = 0;
        images.ForEachRun([&](int64_t at, int64_t count) { sum += SumOf(in + at, count); });
        const double mean = sum / images.Count();
        images.ForEachRun(
            [&](int64_t at, int64_t count) { squares += SumOfSquares(in + at, mean, count); });
        const double variance = squares / images.Count();
        means[c] = mean;
        variances[c] = variance;
        // Of these, as the gradients' line is: both see the same values beyond the limits.
        const Line line(gamma[c], beta[c], means[c], variances[c], limits);
        images.ForEachRun([&](int64_t at, int64_t count) { line.Apply(in + at, count, out + at); });
        images.Write(out, first);
      });
  return 0;
}

// Inputs x, gamma, beta, limits, mean and variance of the batch, dy; outputs dx, dgamma, dbeta.
extern "C" int BatchNormBackward(int, void** values, int*, int64_t** shapes, const char**, void*,
                                 void*) {
  const Images images(shapes[0]);
  const float *x = Input(values, 0), *gamma = Input(values, 1), *beta = Input(values, 2);
  const float *limits = Input(values, 3), *means = Input(values, 4);
  const float *variances = Input(values, 5), *dy = Input(values, 6);
  float *dx = Output(values, 7), *dgamma = Output(values, 8), *dbeta = Output(values, 9);
  Threads::All().RunTogether(
      images.channels, PlanesTogether(images.plane), 4 * images.All(), [&](int64_t c) {
        const Line line(gamma[c], beta[c], means[c], variances[c], limits);
        const double mean = means[c], inverse = 1 / std::sqrt(variances[c] + double{limits[0]});
        float *scratch = Scratch(2 * images.Count()), *second = scratch + images.Count();
        float* first = dx + c * images.plane;
        const float* of_x = images.Read(x + c * images.plane, scratch);
        const float* of_dy = images.Read(dy + c * images.plane, second);
        float* out = images.Place(first, second);
        double sum = 0, product = 0;
        images.ForEachRun([&](int64_t at, int64_t count) {
          sum += SumOfPassed(line, of_x + at, of_dy + at, count);
          product += SumOfProducts(line, of_x + at, mean, of_dy + at, count);
        });
        // Through the mean and the variance, every output has a part in every gradient.
        const float scale = gamma[c] * inverse;
        const float slope = -gamma[c] * inverse * inverse * inverse * product / images.Count();
        const float shift = -gamma[c] * inverse * sum / images.Count() - slope * mean;
        images.ForEachRun([&](int64_t at, int64_t count) {
          line.Spread(of_x + at, of_dy + at, count, scale, slope, shift, out + at);
        });
        images.Write(out, first);
        dgamma[c] = product * inverse;
        dbeta[c] = sum;
      });
  return 0;
}

// Inputs x, gamma, beta, mean, variance, limits; output y.
extern "C" int BatchNormInference(int, void** values, int*, int64_t** shapes, const char**, void*,
                                  void*) {
  const Images images(shapes[0]);
  const float* x = Input(values, 0);
  float* y = Output(values, 6);
  Threads::All().RunTogether(
      images.channels, PlanesTogether(images.plane), images.All(), [&](int64_t c) {
        const Line line = LineOf(values, 1, c);
        const int64_t first = c * images.plane;
        images.ForEachPlane(
            [&](int64_t at) { line.Apply(x + first + at, images.plane, y + first + at); });
      });
  return 0;
}
