// Sums of many values, a vector's at a time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu_line.h"

constexpr int kLanes = 8, kVectors = 4, kTogether = kVectors * kLanes;
constexpr int64_t kLongest = 1 << 10;  // values that are summed up in float32

// The sum of term(i) over i below `count`, of which terms(i) gives as many as a vector holds.
template <typename Terms, typename Term>
double Sum(int64_t count, Terms terms, Term term) {
  double sum = 0;
  int64_t i = 0;
  while (i + kTogether <= count) {
    // In float32 no longer than its digits last.
    const int64_t end = std::min(count - kTogether, i + kLongest);
    Vector sums[kVectors] = {};
    for (; i <= end; i += kTogether)
      for (int j = 0; j < kVectors; ++j) sums[j] += terms(i + j * kLanes);
    for (const Vector& one : sums)
      for (int lane = 0; lane < kLanes; ++lane) sum += one[lane];
  }
  for (; i < count; ++i) sum += term(i);
  return sum;
}

inline double SumOf(const float* x, int64_t count) {
  return Sum(count, [=](int64_t i) { return Load(x + i); }, [=](int64_t i) { return x[i]; });
}

inline double SumOfProducts(const float* x, const float* y, int64_t count) {
  return Sum(
      count, [=](int64_t i) { return Load(x + i) * Load(y + i); },
      [=](int64_t i) { return x[i] * y[i]; });
}
