// Depthwise convolution of float32 images (N, C, H, W) by one filter a channel, (C, 1, K, L), for
// MindSpore's ops.Custom.
//
// In the scratch of cpu_planes.h each tap of the filter is one offset for all outputs, so that the
// inner loops are long whatever the width, stride or dilation; what they compute between the rows
// is dropped.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "cpu_line.h"
#include "cpu_planes.h"
#include "cpu_threads.h"

namespace {

constexpr int kLanes = 8, kVectors = kBlock / kLanes, kTaps = 8;

// A tap of the filter, and where it looks.
struct Tap {
  int64_t tap, offset;
};

// For all outputs of planes; and back to each phase, from the outputs' gradients.
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

// The planes of one channel.
class Channel {
 public:
  Channel(const Geometry& g, const Taps& taps, const float* w)
      : g_(g),
        taps_(taps),
        w_(w),
        phases_(Scratch(2 * g.Phases() * g.size + g.Furthest() + g.size)),
        gradients_(phases_ + g.Phases() * g.size),
        outputs_(gradients_ + g.Phases() * g.size + g.Furthest()) {}

  // Places of the channel's first plane.
  void Forward(const float* x, float* y) {
    ForImages([&](int64_t first, int64_t count) {
      for (int64_t i = 0; i < count; ++i) Split(g_, x + PlaneOf(first + i), phases_ + Begin(i));
      SumOfTaps(phases_, taps_.forward, w_, g_.Outputs(count), outputs_);
      ForRows(first, count, [&](int64_t of_scratch, int64_t of_plane, size_t size) {
        std::memcpy(y + of_plane, outputs_ + of_scratch, size);
      });
    });
  }

  // Writes dx, and adds to dw.
  void Backward(const float* x, const float* dy, float* dx, double* dw) {
    ForImages([&](int64_t first, int64_t count) {
      // In rows as long as a phase's, zeros between them and as many before as a tap may reach
      // back; and behind, where there are images of before.
      ForRows(first, count, [&](int64_t of_scratch, int64_t of_plane, size_t size) {
        std::memcpy(outputs_ + of_scratch, dy + of_plane, size);
      });
      std::fill_n(outputs_ + g_.Outputs(count), kLanes, 0.0f);
      for (int64_t i = 0; i < count; ++i) Split(g_, x + PlaneOf(first + i), phases_ + Begin(i));
      AddProducts(g_.Outputs(count), dw);
      for (int64_t phase = 0; phase < g_.Phases(); ++phase)
        SumOfTaps(outputs_, taps_.backward[phase], w_, g_.Outputs(count),
                  gradients_ + phase * g_.size);
      for (int64_t i = 0; i < count; ++i) Join(g_, gradients_ + Begin(i), dx + PlaneOf(first + i));
    });
  }

 private:
  // Of zeros, as what Split leaves alone has to be; kept from channel to channel.
  static float* Scratch(int64_t size) {
    static thread_local std::vector<float> scratch;
    scratch.assign(size, 0);
    return scratch.data();
  }

  // act(the first of the images that are in the scratch together, how many).
  template <typename Act>
  void ForImages(Act act) const {
    for (int64_t i = 0; i < g_.batch; i += g_.images) act(i, std::min(g_.images, g_.batch - i));
  }

  // copy(place in outputs_, place after the first plane's, bytes) for the rows of the outputs.
  template <typename Copy>
  void ForRows(int64_t first, int64_t count, Copy copy) const {
    for (int64_t i = 0; i < count; ++i)
      for (int64_t row = 0; row < g_.out_height; ++row)
        copy(Begin(i) + row * g_.columns,
             ((first + i) * g_.channels * g_.out_height + row) * g_.out_width,
             sizeof(float) * g_.out_width);
  }

  int64_t PlaneOf(int64_t image) const { return image * g_.channels * g_.height * g_.width; }
  int64_t Begin(int64_t image) const { return image * g_.rows * g_.columns; }

  void AddProducts(int64_t count, double* dw) {
    for (int64_t first = 0; first < g_.Taps(); first += kTaps) {
      const float* at[kTaps];
      for (int t = 0; t < kTaps; ++t)
        at[t] = phases_ + taps_.forward[std::min(first + t, g_.Taps() - 1)].offset;
      Vector sums[kTaps] = {};
      for (int64_t i = 0; i < count; i += kLanes) {
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

}  // namespace

// Inputs x, w, int64 (stride y, stride x, padding above, left, dilation y, dilation x,
// nothing), and a norm's (cpu_line.h) or none; output y.
extern "C" int DepthwiseForward(int count, void** values, int*, int64_t** shapes, const char**,
                                void*, void*) {
  const int output = count - 1;
  const Geometry g(shapes[0], shapes[1], static_cast<int64_t*>(values[2]), shapes[output]);
  const Taps taps(g);
  const int64_t plane = g.height * g.width, out_plane = g.out_height * g.out_width;
  Threads::All().RunTogether(g.channels, PlanesTogether(out_plane), g.Work(), [&](int64_t c) {
    Channel channel(g, taps, Input(values, 1) + c * g.Taps());
    float* y = Output(values, output) + c * out_plane;
    channel.Forward(Input(values, 0) + c * plane, y);
    if (count != kWithNorm) return;
    const Line line = LineOf(values, kNorm, c);
    for (int64_t i = 0; i < g.batch; ++i, y += g.channels * out_plane) line.Apply(y, out_plane, y);
  });
  return 0;
}

// Inputs as above, and dy; outputs dx, dw.
extern "C" int DepthwiseBackward(int, void** values, int*, int64_t** shapes, const char**, void*,
                                 void*) {
  const Geometry g(shapes[0], shapes[1], static_cast<int64_t*>(values[2]), shapes[3]);
  const Taps taps(g);
  const int64_t plane = g.height * g.width, out_plane = g.out_height * g.out_width;
  Threads::All().RunTogether(g.channels, PlanesTogether(plane), 3 * g.Work(), [&](int64_t c) {
    Channel channel(g, taps, Input(values, 1) + c * g.Taps());
    std::vector<double> sums(g.Taps());
    channel.Backward(Input(values, 0) + c * plane, Input(values, 3) + c * out_plane,
                     Output(values, 4) + c * plane, sums.data());
    std::copy(sums.begin(), sums.end(), Output(values, 5) + c * g.Taps());
  });
  return 0;
}
