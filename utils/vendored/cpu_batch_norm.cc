// Batch norm (arXiv:1502.03167) of float32 images (N, C, H, W), and what follows it, if that is to
// cut values off at a floor and a ceiling (ReLU, ReLU6), for MindSpore's ops.Custom.
#include <cmath>
#include <cstdint>

#include "cpu_threads.h"

namespace {

typedef float Vector __attribute__((vector_size(32), aligned(4), may_alias));
constexpr int kLanes = 8, kVectors = 4, kBlock = kVectors * kLanes;

Vector Load(const float* at) { return *reinterpret_cast<const Vector*>(at); }

// The sum of term(i) over i below `count`, of which terms(i) gives as many as a vector holds.
template <typename Terms, typename Term>
double Sum(int64_t count, Terms terms, Term term) {
  Vector sums[kVectors] = {};
  int64_t i = 0;
  for (; i + kBlock <= count; i += kBlock)
    for (int j = 0; j < kVectors; ++j) sums[j] += terms(i + j * kLanes);
  double sum = 0;
  for (; i < count; ++i) sum += term(i);
  for (const Vector& one : sums)
    for (int lane = 0; lane < kLanes; ++lane) sum += one[lane];
  return sum;
}

double SumOf(const float* x, int64_t count) {
  return Sum(count, [=](int64_t i) { return Load(x + i); }, [=](int64_t i) { return x[i]; });
}

double SumOfSquares(const float* x, float mean, int64_t count) {
  return Sum(
      count,
      [=](int64_t i) {
        const Vector difference = Load(x + i) - mean;
        return difference * difference;
      },
      [=](int64_t i) { return (x[i] - mean) * (x[i] - mean); });
}

// What becomes of the values of a channel: x scale + shift, between floor and ceiling.
struct Line {
  float scale, shift, floor, ceiling;

  // `limits` are epsilon, floor and ceiling.
  Line(double gamma, double beta, double mean, double variance, const float* limits)
      : floor(limits[1]), ceiling(limits[2]) {
    const double slope = gamma / std::sqrt(variance + limits[0]);
    scale = slope;
    shift = beta - mean * slope;
  }

  void Apply(const float* x, int64_t count, float* y) const {
    const Line line = *this;
    for (int64_t i = 0; i < count; ++i) {
      const float value = x[i] * line.scale + line.shift;
      const float raised = value < line.floor ? line.floor : value;  // What is no number stays so.
      y[i] = raised > line.ceiling ? line.ceiling : raised;
    }
  }

  // The gradients `dy` of those that were not cut off, 0 for the others.
  float Passed(float x, float dy) const {
    const float value = x * scale + shift;
    return value <= floor || value >= ceiling ? 0 : dy;
  }

  Vector Passed(Vector x, Vector dy) const {
    const Vector value = x * scale + shift, nothing = {};
    return value <= floor || value >= ceiling ? nothing : dy;
  }
};

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

  double Count() const { return static_cast<double>(batch * plane); }

  // do(where a plane of channel c begins), for each of its planes.
  template <typename Do>
  void ForEachPlane(int64_t c, Do act) const {
    for (int64_t n = 0; n < batch; ++n) act((n * channels + c) * plane);
  }
};

const float* Input(void** values, int i) { return static_cast<const float*>(values[i]); }
float* Output(void** values, int i) { return static_cast<float*>(values[i]); }

}  // namespace

// Inputs x, gamma, beta, limits (epsilon, floor, ceiling); outputs y, mean and (biased) variance of
// the batch.
extern "C" int BatchNormForward(int, void** values, int*, int64_t** shapes, const char**, void*,
                                void*) {
  const Images images(shapes[0]);
  const float *x = Input(values, 0), *gamma = Input(values, 1), *beta = Input(values, 2);
  const float* limits = Input(values, 3);
  float *y = Output(values, 4), *means = Output(values, 5), *variances = Output(values, 6);
  Threads::All().Run(images.channels, [&](int64_t c) {
    double sum = 0, squares = 0;
    images.ForEachPlane(c, [&](int64_t at) { sum += SumOf(x + at, images.plane); });
    const double mean = sum / images.Count();
    images.ForEachPlane(c,
                        [&](int64_t at) { squares += SumOfSquares(x + at, mean, images.plane); });
    const double variance = squares / images.Count();
    means[c] = mean;
    variances[c] = variance;
    // Of these, as the gradients' line is: both see the same values beyond the limits.
    const Line line(gamma[c], beta[c], means[c], variances[c], limits);
    images.ForEachPlane(c, [&](int64_t at) { line.Apply(x + at, images.plane, y + at); });
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
  Threads::All().Run(images.channels, [&](int64_t c) {
    const Line line(gamma[c], beta[c], means[c], variances[c], limits);
    const double mean = means[c], inverse = 1 / std::sqrt(variances[c] + double{limits[0]});
    double sum = 0, product = 0;
    images.ForEachPlane(c, [&](int64_t at) {
      sum += SumOfPassed(line, x + at, dy + at, images.plane);
      product += SumOfProducts(line, x + at, mean, dy + at, images.plane);
    });
    // Through the mean and the variance, every output has a part in every gradient.
    const double scale = gamma[c] * inverse;
    const float slope = -scale * inverse * inverse * product / images.Count();
    const float shift = -scale * sum / images.Count() - slope * mean;
    images.ForEachPlane(c, [&](int64_t at) {
      const float factor = scale;
      const Line same = line;
      for (int64_t i = at; i < at + images.plane; ++i)
        dx[i] = same.Passed(x[i], dy[i]) * factor + x[i] * slope + shift;
    });
    dgamma[c] = product * inverse;
    dbeta[c] = sum;
  });
  return 0;
}

// Inputs x, gamma, beta, mean, variance, limits; output y.
extern "C" int BatchNormInference(int, void** values, int*, int64_t** shapes, const char**, void*,
                                  void*) {
  const Images images(shapes[0]);
  const float *x = Input(values, 0), *gamma = Input(values, 1), *beta = Input(values, 2);
  const float *means = Input(values, 3), *variances = Input(values, 4);
  const float* limits = Input(values, 5);
  float* y = Output(values, 6);
  Threads::All().Run(images.channels, [&](int64_t c) {
    const Line line(gamma[c], beta[c], means[c], variances[c], limits);
    images.ForEachPlane(c, [&](int64_t at) { line.Apply(x + at, images.plane, y + at); });
  });
  return 0;
}
