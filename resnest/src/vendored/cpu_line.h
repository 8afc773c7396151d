// What batch norm (arXiv:1502.03167), and a ReLU or ReLU6 after it, make of a channel.
#pragma once

#include <cmath>
#include <cstdint>

#include "cpu_threads.h"

typedef float Vector __attribute__((vector_size(32), aligned(4), may_alias));

inline Vector Load(const float* at) { return *reinterpret_cast<const Vector*>(at); }

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

  // `y` may be `x`.
  void Apply(const float* x, int64_t count, float* y) const {
    const Line line = *this;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) {
      const float value = x[i] * line.scale + line.shift;
      const float raised = value < line.floor ? line.floor : value;  // What is no number stays so.
      y[i] = raised > line.ceiling ? line.ceiling : raised;
    }
  }

  // dx = the gradients that pass, times `scale`, and x slope + shift.
  void Spread(const float* x, const float* dy, int64_t count, float scale, float slope, float shift,
              float* dx) const {
    const Line line = *this;
    for (int64_t i = 0; i < count; ++i)
      dx[i] = line.Passed(x[i], dy[i]) * scale + x[i] * slope + shift;
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

inline const float* Input(void** values, int i) { return static_cast<const float*>(values[i]); }
inline float* Output(void** values, int i) { return static_cast<float*>(values[i]); }

// The line of channel c by moving statistics; from `first` on there are gamma, beta, mean, variance
// and limits.
inline Line LineOf(void** values, int first, int64_t c) {
  auto at = [&](int i) { return Input(values, first + i); };
  return {at(0)[c], at(1)[c], at(2)[c], at(3)[c], at(4)};
}

// The inputs of a convolution's kernel are x, w, its geometry, and those of LineOf where its
// outputs become what a norm makes of them.
constexpr int kNorm = 3, kWithNorm = 9;  // values, the output among them

// Makes of the outputs of a convolution, all of them there, what the norm does.
inline int Normalise(void** values, const int64_t* shape, int output) {
  const int64_t plane = shape[2] * shape[3], channels = shape[1];
  Threads::All().RunTogether(channels, PlanesTogether(plane), shape[0] * channels * plane,
                             [&](int64_t c) {
                               const Line line = LineOf(values, kNorm, c);
                               for (int64_t n = 0; n < shape[0]; ++n) {
                                 float* y = Output(values, output) + (n * channels + c) * plane;
                                 line.Apply(y, plane, y);
                               }
                             });
  return 0;
}

inline int Normalise(int count, void** values, int64_t** shapes) {
  return count == kWithNorm ? Normalise(values, shapes[count - 1], count - 1) : 0;
}
