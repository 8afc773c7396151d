// Convolution of float32 images (N, C, H, W) by (O, C / groups, K, L), for MindSpore's ops.Custom.
//
// oneDNN computes it in the layouts that it chooses, which are faster than the one that MindSpore
// prescribes; where that is asked for, of operands rounded to bfloat16, with sums in float32.
// Images may be parts of larger ones, some neighbouring channels of theirs.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu_line.h"
#include "cpu_onednn.h"

namespace {

using namespace onednn;

// A convolution of some shapes, made once and kept.
class Convolution {
 public:
  Convolution(Kind kind, const Sizes& x, const Sizes& w, const Sizes& y, const int64_t* how,
              int64_t parts) {
    const int64_t groups = x[1] / w[1];
    const Sizes filters =
        groups > 1 ? Sizes{groups, w[0] / groups, w[1], w[2], w[3]} : Sizes(w.begin(), w.end());
    const Sizes strides{how[0], how[1]}, before{how[2], how[3]}, gaps{how[4] - 1, how[5] - 1};
    Sizes after;
    for (int i = 0; i < 2; ++i) {
      const int64_t reach = (w[2 + i] - 1) * how[4 + i] + 1;
      after.push_back(
          std::max<int64_t>(0, (y[2 + i] - 1) * strides[i] + reach - x[2 + i] - before[i]));
    }
    // Operands in bfloat16 where that is asked for, results in float32.
    const int type = how[6] ? kBFloat16 : kFloat32;
    const Handle any_x = AnyLayout(x, type), any_w = AnyLayout(filters, type);
    const Handle any_y = AnyLayout(y, type), none = nullptr;
    Handle made, forward;
    Do("dnnl_convolution_forward_primitive_desc_create", &forward, Engine(), kForwardTraining,
       kDirect, any_x, any_w, none, AnyLayout(y, kFloat32), strides.data(), gaps.data(),
       before.data(), after.data(), none);
    made = forward;
    if (kind == kBackwardData)
      Do("dnnl_convolution_backward_data_primitive_desc_create", &made, Engine(), kDirect,
         AnyLayout(x, kFloat32), any_w, any_y, strides.data(), gaps.data(), before.data(),
         after.data(), forward, none);
    if (kind == kBackwardWeights)
      Do("dnnl_convolution_backward_weights_primitive_desc_create", &made, Engine(), kDirect, any_x,
         AnyLayout(filters, kFloat32), none, any_y, strides.data(), gaps.data(), before.data(),
         after.data(), forward, none);
    convolution_ = Primitive(made);
    auto add = [&](ArgumentKind argument, Handle plain, bool is_output) {
      operands_.emplace_back(argument, plain, made, is_output);
    };
    const Handle plain_x = PlainLayout(x, parts), plain_y = PlainLayout(y, parts);
    if (kind == kForward) {
      add(kSource, plain_x, false);
      add(kWeights, PlainLayout(filters), false);
      add(kDestination, plain_y, true);
    } else if (kind == kBackwardData) {
      add(kDestinationGradient, plain_y, false);
      add(kWeights, PlainLayout(filters), false);
      add(kSourceGradient, plain_x, true);
    } else {
      add(kSource, plain_x, false);
      add(kDestinationGradient, plain_y, false);
      add(kWeightsGradient, PlainLayout(filters), true);
    }
  }

  // Places of two inputs and of the output, in the order above.
  void Execute(const std::vector<void*>& values, Buffer* buffers) {
    std::vector<Argument> arguments;
    for (size_t i = 0; i < operands_.size(); ++i)
      arguments.push_back(operands_[i].Place(values[i], &buffers[i]));
    operands_[0].Read();
    operands_[1].Read();
    Do("dnnl_primitive_execute", convolution_, Stream(), static_cast<int>(arguments.size()),
       arguments.data());
    operands_[2].Write();
  }

 private:
  Handle convolution_;
  std::vector<Operand> operands_;
};

// By `values`, places of two inputs and of the output; all images have `parts` times their
// channels.
int Run(Kind kind, const std::vector<void*>& values, const Sizes& x, const Sizes& w, const Sizes& y,
        const int64_t* how, int64_t parts = 1) {
  Sizes key{kind, parts};
  for (const Sizes& sizes : {x, w, y, Sizes(how, how + 7)})
    key.insert(key.end(), sizes.begin(), sizes.end());
  return Execute<Convolution>(key, values, kind, x, w, y, how, parts);
}

Sizes SizesOf(const int64_t* shape) { return Sizes(shape, shape + 4); }

// `first`, `second` and `output` are places among the operator's values.
int Run(Kind kind, void** values, int64_t** shapes, int first, int second, int output) {
  const int64_t* y = shapes[kind == kForward ? output : 3];
  return Run(kind, {values[first], values[second], values[output]}, SizesOf(shapes[0]),
             SizesOf(shapes[1]), SizesOf(y), static_cast<int64_t*>(values[2]));
}

}  // namespace

// Inputs x, w, int64 (stride y, stride x, padding above, left, dilation y, dilation x, whether x, w
// and dy are rounded to bfloat16), and a norm's (cpu_line.h) or none; output y.
extern "C" int ConvolutionForward(int count, void** values, int*, int64_t** shapes, const char**,
                                  void*, void*) {
  return Run(kForward, values, shapes, 0, 1, count - 1) || Normalise(count, values, shapes);
}

// Inputs as above, and dy; output dx.
extern "C" int ConvolutionBackwardData(int, void** values, int*, int64_t** shapes, const char**,
                                       void*, void*) {
  return Run(kBackwardData, values, shapes, 3, 1, 4);
}

// Inputs as above; output dw.
extern "C" int ConvolutionBackwardWeights(int, void** values, int*, int64_t** shapes, const char**,
                                          void*, void*) {
  return Run(kBackwardWeights, values, shapes, 0, 3, 4);
}

// Each half of the channels of x by filters of its own. Inputs x, w of the first half, int64 as
// above, a norm's of all channels, and w of the second half; output y.
extern "C" int HalvesForward(int count, void** values, int*, int64_t** shapes, const char**, void*,
                             void*) {
  const int output = count - 1, second = output - 1;
  Sizes x = SizesOf(shapes[0]), y = SizesOf(shapes[output]);
  x[1] /= 2;
  y[1] /= 2;
  for (int half : {0, 1}) {
    void* of_x = Output(values, 0) + half * x[1] * x[2] * x[3];
    void* of_y = Output(values, output) + half * y[1] * y[2] * y[3];
    if (Run(kForward, {of_x, values[half ? second : 1], of_y}, x, SizesOf(shapes[1]), y,
            static_cast<int64_t*>(values[2]), 2))
      return 1;
  }
  return Normalise(values, shapes[output], output);
}
