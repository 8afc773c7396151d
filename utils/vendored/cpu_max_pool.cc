// Maximum of windows of float32 images (N, C, H, W), for MindSpore's ops.Custom.
//
// Row by row of the outputs, a tap of the window after the other, so that the inner loops go along
// the rows. A gradient goes to the first of its window's largest values.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "cpu_threads.h"

namespace {

struct Geometry {
  int64_t planes, height, width, out_height, out_width;
  int64_t kernel_height, kernel_width, stride_y, stride_x, top, left;

  Geometry(const int64_t* x, const int64_t* how, const int64_t* y)
      : planes(x[0] * x[1]),
        height(x[2]),
        width(x[3]),
        out_height(y[2]),
        out_width(y[3]),
        kernel_height(how[0]),
        kernel_width(how[1]),
        stride_y(how[2]),
        stride_x(how[3]),
        top(how[4]),
        left(how[5]) {}

  int64_t Plane() const { return height * width; }
  int64_t Work() const { return planes * OutPlane() * kernel_height * kernel_width; }
  int64_t OutPlane() const { return out_height * out_width; }

  // act(where output 0 of that row looks in the plane, first output, end) for each tap; those
  // outputs of which it lies inside.
  template <typename Act>
  void ForEachTap(int64_t row, Act act) const {
    for (int64_t k = 0; k < kernel_height; ++k) {
      const int64_t y = row * stride_y + k - top;
      if (y < 0 || y >= height) continue;
      for (int64_t l = 0; l < kernel_width; ++l) {
        const int64_t x = l - left;
        const int64_t first = x < 0 ? (stride_x - 1 - x) / stride_x : 0;
        const int64_t end = std::min(out_width, (width - x + stride_x - 1) / stride_x);
        act(y * width + x, first, end);
      }
    }
  }
};

// What is no number stays so.
bool IsLarger(float value, float best) { return value > best || value != value; }

constexpr float kLeast = -std::numeric_limits<float>::infinity();

// best[i] = the larger of it and x[i * stride].
void Raise(const float* x, int64_t stride, int64_t first, int64_t end, float* best) {
  if (stride == 2) {  // Known when this is compiled: several at a time.
    for (int64_t i = first; i < end; ++i)
      best[i] = IsLarger(x[i * 2], best[i]) ? x[i * 2] : best[i];
    return;
  }
  for (int64_t i = first; i < end; ++i)
    best[i] = IsLarger(x[i * stride], best[i]) ? x[i * stride] : best[i];
}

// The same, and where[i] = `place` of the larger.
void RaiseAndRemember(const float* x, int64_t stride, int64_t first, int64_t end, int32_t place,
                      float* best, int32_t* where) {
  auto act = [&](int64_t i, float value) {
    const bool is_larger = IsLarger(value, best[i]);
    best[i] = is_larger ? value : best[i];
    where[i] = is_larger ? place : where[i];
  };
  if (stride == 2) {
    for (int64_t i = first; i < end; ++i) act(i, x[i * 2]);
    return;
  }
  for (int64_t i = first; i < end; ++i) act(i, x[i * stride]);
}

const float* Input(void** values, int i) { return static_cast<const float*>(values[i]); }
float* Output(void** values, int i) { return static_cast<float*>(values[i]); }

}  // namespace

// Inputs x, int64 (height and width of the window, stride y, stride x, padding above, left); output
// y.
extern "C" int MaxPoolForward(int, void** values, int*, int64_t** shapes, const char**, void*,
                              void*) {
  const Geometry g(shapes[0], static_cast<int64_t*>(values[1]), shapes[2]);
  Threads::All().RunTogether(g.planes, PlanesTogether(g.OutPlane()), g.Work(), [&](int64_t plane) {
    const float* x = Input(values, 0) + plane * g.Plane();
    float* y = Output(values, 2) + plane * g.OutPlane();
    std::fill_n(y, g.OutPlane(), kLeast);
    for (int64_t row = 0; row < g.out_height; ++row)
      g.ForEachTap(row, [&](int64_t at, int64_t first, int64_t end) {
        Raise(x + at, g.stride_x, first, end, y + row * g.out_width);
      });
  });
  return 0;
}

// Inputs as above, and dy; output dx.
extern "C" int MaxPoolBackward(int, void** values, int*, int64_t** shapes, const char**, void*,
                               void*) {
  const Geometry g(shapes[0], static_cast<int64_t*>(values[1]), shapes[2]);
  Threads::All().RunTogether(g.planes, PlanesTogether(g.Plane()), 3 * g.Work(), [&](int64_t plane) {
    const float* x = Input(values, 0) + plane * g.Plane();
    const float* dy = Input(values, 2) + plane * g.OutPlane();
    float* dx = Output(values, 3) + plane * g.Plane();
    std::fill_n(dx, g.Plane(), 0.0f);
    static thread_local std::vector<float> best;
    static thread_local std::vector<int32_t> where;
    for (int64_t row = 0; row < g.out_height; ++row, dy += g.out_width) {
      best.assign(g.out_width, kLeast);
      where.assign(g.out_width, -1);
      g.ForEachTap(row, [&](int64_t at, int64_t first, int64_t end) {
        RaiseAndRemember(x + at, g.stride_x, first, end, at, best.data(), where.data());
      });
      for (int64_t i = 0; i < g.out_width; ++i)
        // Of -infinity alone, none is the largest.
        if (best[i] != kLeast) dx[where[i] + i * g.stride_x] += dy[i];
    }
  });
  return 0;
}
