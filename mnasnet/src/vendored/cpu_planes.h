// Planes of images in a scratch that the first cache holds, with their padding and split by
// strides: rows and columns that are a stride apart, a phase, lie side by side. Small planes of
// several images stand there one below the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

constexpr int64_t kBlock = 32;          // values that inner loops work on at the same time
constexpr int64_t kLong = 32 * kBlock;  // and from which these are long enough

struct Geometry {
  int64_t batch, channels, height, width, kernel_height, kernel_width, out_height, out_width;
  int64_t stride_y, stride_x, top, left, dilation_y, dilation_x;
  int64_t rows, columns;  // of a phase of one image
  int64_t images;         // in the scratch at the same time
  int64_t size;           // of a phase in the scratch, with what blocks touch beyond its end

  Geometry(const int64_t* x, const int64_t* w, const int64_t* how, const int64_t* y)
      : batch(x[0]),
        channels(x[1]),
        height(x[2]),
        width(x[3]),
        kernel_height(w[2]),
        kernel_width(w[3]),
        out_height(y[2]),
        out_width(y[3]),
        stride_y(how[0]),
        stride_x(how[1]),
        top(how[2]),
        left(how[3]),
        dilation_y(how[4]),
        dilation_x(how[5]),
        rows(out_height + (kernel_height - 1) * dilation_y / stride_y),
        columns(out_width + (kernel_width - 1) * dilation_x / stride_x),
        images(std::min(batch, (kLong - 1) / (rows * columns) + 1)),
        size(images * rows * columns + Furthest() + kBlock) {}

  int64_t Taps() const { return kernel_height * kernel_width; }
  int64_t Work() const { return batch * channels * out_height * out_width * Taps() / 4; }
  int64_t Phases() const { return stride_y * stride_x; }
  // Of `count` images, with those that are dropped.
  int64_t Outputs(int64_t count) const { return count * rows * columns; }
  int64_t Furthest() const { return Shift(Taps() - 1); }

  // A tap's phase, and its offset within it.
  int64_t Phase(int64_t tap) const {
    return tap / kernel_width * dilation_y % stride_y * stride_x +
           tap % kernel_width * dilation_x % stride_x;
  }
  int64_t Shift(int64_t tap) const {
    return tap / kernel_width * dilation_y / stride_y * columns +
           tap % kernel_width * dilation_x / stride_x;
  }
};

// copy(place in the phases, place in the plane, count) for what lies side by side in the phases and
// `stride_x` apart in the plane.
template <typename Copy>
void ForEachLine(const Geometry& g, Copy copy) {
  for (int64_t phase = 0; phase < g.Phases(); ++phase) {
    const int64_t y_of_phase = phase / g.stride_x - g.top, x_of_phase = phase % g.stride_x - g.left;
    const int64_t first = std::max<int64_t>(0, (g.stride_x - 1 - x_of_phase) / g.stride_x);
    const int64_t end = std::min(g.columns, (g.width - x_of_phase + g.stride_x - 1) / g.stride_x);
    for (int64_t row = 0; row < g.rows; ++row) {
      const int64_t y = row * g.stride_y + y_of_phase;
      if (y < 0 || y >= g.height || first >= end) continue;
      copy(phase * g.size + row * g.columns + first, y * g.width + first * g.stride_x + x_of_phase,
           end - first);
    }
  }
}

void Split(const Geometry& g, const float* plane, float* phases) {
  ForEachLine(g, [&](int64_t to, int64_t from, int64_t count) {
    if (g.stride_x == 1) {
      std::memcpy(phases + to, plane + from, sizeof(float) * count);
    } else {
      for (int64_t i = 0; i < count; ++i) phases[to + i] = plane[from + i * g.stride_x];
    }
  });
}

void Join(const Geometry& g, const float* phases, float* plane) {
  // Zeros stay where no window of the filter reaches.
  std::memset(plane, 0, sizeof(float) * g.height * g.width);
  ForEachLine(g, [&](int64_t from, int64_t to, int64_t count) {
    if (g.stride_x == 1) {
      std::memcpy(plane + to, phases + from, sizeof(float) * count);
    } else {
      for (int64_t i = 0; i < count; ++i) plane[to + i * g.stride_x] = phases[from + i];
    }
  });
}
