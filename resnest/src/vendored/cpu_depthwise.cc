// Depthwise convolution of float32 images (N, C, H, W) by one filter a channel, (C, 1, K, L), for
// MindSpore's ops.Custom.
//
// A plane is copied with its padding into a scratch that the first cache holds, split by strides:
// rows and columns that are a stride apart, a phase, lie side by side. There each tap of the filter
// is one offset for all outputs of the plane, so that the inner loops are long whatever the width,
// stride or dilation; what they compute between the rows is dropped.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "cpu_threads.h"

namespace {

typedef float Vector __attribute__((vector_size(32), aligned(4), may_alias));
constexpr int kLanes = 8, kVectors = 4, kBlock = kVectors * kLanes, kTaps = 8;

struct Geometry {
  int64_t batch, channels, height, width, kernel_height, kernel_width, out_height, out_width;
  int64_t stride_y, stride_x, top, left, dilation_y, dilation_x;
  int64_t rows, columns;  // of a phase
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
        size(rows * columns + Furthest() + kBlock) {}

  int64_t Taps() const { return kernel_height * kernel_width; }
  int64_t Phases() const { return stride_y * stride_x; }
  int64_t Outputs() const { return out_height * columns; }  // with those that are dropped
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

Vector Load(const float* at) { return *reinterpret_cast<const Vector*>(at); }

// A tap of the filter, and where it looks.
struct Tap {
  int64_t tap, offset;
};

// For all outputs of a plane; and back to each phase, from the outputs' gradients.
struct Taps {
  std::vector<Tap> forward;
  std::vector<std::vector<Tap>> backward;

  explicit Taps(const Geometry& g) : backward(g.Phases()) {
    for (int64_t t = 0; t < g.Taps(); ++t) {
      forward.push_back({t, g.Phase(t) * g.size + g.Shift(t)});
      backward[g.Phase(t)].push_back({t, -g.Shift(t)});
    }
  }
};

// to[i] = the sum over `taps` of w[tap] * from[offset + i], for i below `count`.
void SumOfTaps(const float* from, const std::vector<Tap>& taps, const float* w, int64_t count,
               float* to) {
  for (int64_t i = 0; i < count; i += kBlock) {
    Vector sums[kVectors] = {};
    for (const Tap& one : taps) {
      const float* at = from + one.offset + i;
      for (int j = 0; j < kVectors; ++j) sums[j] += w[one.tap] * Load(at + j * kLanes);
    }
    for (int j = 0; j < kVectors; ++j) *reinterpret_cast<Vector*>(to + i + j * kLanes) = sums[j];
  }
}

// The planes of one channel, one after the other.
class Channel {
 public:
  Channel(const Geometry& g, const Taps& taps, const float* w)
      : g_(g),
        taps_(taps),
        w_(w),
        phases_(Scratch(2 * g.Phases() * g.size + g.Furthest() + g.size)),
        gradients_(phases_ + g.Phases() * g.size),
        outputs_(gradients_ + g.Phases() * g.size + g.Furthest()) {}

  void Forward(const float* x, float* y) {
    Split(g_, x, phases_);
    SumOfTaps(phases_, taps_.forward, w_, g_.Outputs(), outputs_);
    for (int64_t row = 0; row < g_.out_height; ++row)
      std::memcpy(y + row * g_.out_width, outputs_ + row * g_.columns,
                  sizeof(float) * g_.out_width);
  }

  // Writes dx, and adds to dw.
  void Backward(const float* x, const float* dy, float* dx, double* dw) {
    // In rows as long as a phase's, zeros between them and as many before as a tap may reach back.
    for (int64_t row = 0; row < g_.out_height; ++row)
      std::memcpy(outputs_ + row * g_.columns, dy + row * g_.out_width,
                  sizeof(float) * g_.out_width);
    Split(g_, x, phases_);
    AddProducts(dw);
    for (int64_t phase = 0; phase < g_.Phases(); ++phase)
      SumOfTaps(outputs_, taps_.backward[phase], w_, g_.rows * g_.columns,
                gradients_ + phase * g_.size);
    Join(g_, gradients_, dx);
  }

 private:
  // Of zeros, as what Split leaves alone has to be; kept from channel to channel.
  static float* Scratch(int64_t size) {
    static thread_local std::vector<float> scratch;
    scratch.assign(size, 0);
    return scratch.data();
  }

  void AddProducts(double* dw) {
    for (int64_t first = 0; first < g_.Taps(); first += kTaps) {
      const float* at[kTaps];
      for (int t = 0; t < kTaps; ++t)
        at[t] = phases_ + taps_.forward[std::min(first + t, g_.Taps() - 1)].offset;
      Vector sums[kTaps] = {};
      for (int64_t i = 0; i < g_.Outputs(); i += kLanes) {
        const Vector one = Load(outputs_ + i);
        for (int t = 0; t < kTaps; ++t) sums[t] += one * Load(at[t] + i);
      }
      for (int t = 0; t < kTaps && first + t < g_.Taps(); ++t)
        for (int lane = 0; lane < kLanes; ++lane) dw[first + t] += sums[t][lane];
    }
  }

  const Geometry& g_;
  const Taps& taps_;
  const float* w_;
  float *phases_, *gradients_, *outputs_;
};

const float* Input(void** values, int i) { return static_cast<const float*>(values[i]); }
float* Output(void** values, int i) { return static_cast<float*>(values[i]); }

}  // namespace

// Inputs x, w, int64 (stride y, stride x, padding above, left, dilation y, dilation x,
// nothing); output y.
extern "C" int DepthwiseForward(int, void** values, int*, int64_t** shapes, const char**, void*,
                                void*) {
  const Geometry g(shapes[0], shapes[1], static_cast<int64_t*>(values[2]), shapes[3]);
  const Taps taps(g);
  const int64_t plane = g.height * g.width, out_plane = g.out_height * g.out_width;
  Threads::All().Run(g.channels, [&](int64_t c) {
    Channel channel(g, taps, Input(values, 1) + c * g.Taps());
    for (int64_t i = c; i < g.batch * g.channels; i += g.channels)
      channel.Forward(Input(values, 0) + i * plane, Output(values, 3) + i * out_plane);
  });
  return 0;
}

// Inputs as above, and dy; outputs dx, dw.
extern "C" int DepthwiseBackward(int, void** values, int*, int64_t** shapes, const char**, void*,
                                 void*) {
  const Geometry g(shapes[0], shapes[1], static_cast<int64_t*>(values[2]), shapes[3]);
  const Taps taps(g);
  const int64_t plane = g.height * g.width, out_plane = g.out_height * g.out_width;
  Threads::All().Run(g.channels, [&](int64_t c) {
    Channel channel(g, taps, Input(values, 1) + c * g.Taps());
    std::vector<double> sums(g.Taps());
    for (int64_t i = c; i < g.batch * g.channels; i += g.channels)
      channel.Backward(Input(values, 0) + i * plane, Input(values, 3) + i * out_plane,
                       Output(values, 4) + i * plane, sums.data());
    std::copy(sums.begin(), sums.end(), Output(values, 5) + c * g.Taps());
  });
  return 0;
}
