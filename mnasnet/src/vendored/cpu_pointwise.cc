// Convolution of float32 images (N, C, H, W) by (O, C, 1, 1), a product of matrices for each image,
// for MindSpore's ops.Custom.
//
// oneDNN computes it in MindSpore's layouts, with all that the processor has; where that is asked
// for, of operands rounded to bfloat16, with sums in float32.
#include <cstdint>
#include <vector>

#include "cpu_line.h"
#include "cpu_onednn.h"

namespace {

using namespace onednn;

// Sizes and strides of matrices, one for each image or the same for all.
struct Matrices {
  Sizes sizes, strides;

  Matrices Transposed() const {
    return {{sizes[0], sizes[2], sizes[1]}, {strides[0], strides[2], strides[1]}};
  }
};

Matrices Rows(int64_t count, int64_t rows, int64_t columns) {
  return {{count, rows, columns}, {rows * columns, columns, 1}};
}

// first x second, added to what is there or not.
class Product {
 public:
  Product(const Matrices& first, const Matrices& second, const Matrices& result, int type,
          bool is_added) {
    auto layout = [](const Matrices& m, int type) { return Layout(m.sizes, m.strides, type); };
    Handle made, how = nullptr;
    if (is_added) {
      Handle after;
      Do("dnnl_primitive_attr_create", &how);
      Do("dnnl_post_ops_create", &after);
      Do("dnnl_post_ops_append_sum", after, 1.0f, 0, kFloat32);
      Do("dnnl_primitive_attr_set_post_ops", how, after);
    }
    Do("dnnl_matmul_primitive_desc_create", &made, Engine(), layout(first, type),
       layout(second, type), static_cast<Handle>(nullptr), layout(result, kFloat32), how);
    product_ = Primitive(made);
    operands_.emplace_back(kSource, layout(first, kFloat32), made, false);
    operands_.emplace_back(kWeights, layout(second, kFloat32), made, false);
    operands_.emplace_back(kDestination, layout(result, kFloat32), made, true);
  }

  void Execute(float* first, float* second, float* result, Buffer* buffers) {
    const Argument arguments[] = {operands_[0].Place(first, &buffers[0]),
                                  operands_[1].Place(second, &buffers[1]),
                                  operands_[2].Place(result, &buffers[2])};
    operands_[0].Read();
    operands_[1].Read();
    Do("dnnl_primitive_execute", product_, Stream(), 3, arguments);
    operands_[2].Write();
  }

 private:
  Handle product_;
  std::vector<Operand> operands_;
};

// A convolution of some shapes, made once and kept.
class Pointwise {
 public:
  Pointwise(Kind kind, int64_t images, int64_t before, int64_t after, int64_t area, int type)
      : kind_(kind), images_(images), x_(before * area), y_(after * area) {
    const Matrices w = Rows(1, after, before);
    const Matrices x = Rows(images, before, area), y = Rows(images, after, area);
    if (kind == kForward) products_.emplace_back(w, x, y, type, false);
    if (kind == kBackwardData) products_.emplace_back(w.Transposed(), y, x, type, false);
    if (kind == kBackwardWeights)
      for (bool is_added : {false, true})
        products_.emplace_back(Rows(1, after, area), Rows(1, before, area).Transposed(), w, type,
                               is_added);
  }

  // Places of two inputs, w and x, w and dy, or dy and x, and of the output.
  void Execute(const std::vector<void*>& values, Buffer* buffers) {
    auto at = [&](int place) { return static_cast<float*>(values[place]); };
    if (kind_ != kBackwardWeights) return products_[0].Execute(at(0), at(1), at(2), buffers);
    for (int64_t i = 0; i < images_; ++i)
      products_[i > 0].Execute(at(0) + i * y_, at(1) + i * x_, at(2), buffers);
  }

 private:
  const Kind kind_;
  const int64_t images_, x_, y_;
  std::vector<Product> products_;
};

// `first`, `second` and `output` are places among the operator's values.
int Run(Kind kind, void** values, int64_t** shapes, int first, int second, int output) {
  const int64_t *x = shapes[0], *w = shapes[1], area = x[2] * x[3];
  const int type = static_cast<int64_t*>(values[2])[6] ? kBFloat16 : kFloat32;
  return Execute<Pointwise>({kind, x[0], x[1], w[0], area, type},
                            {values[first], values[second], values[output]}, kind, x[0], x[1], w[0],
                            area, type);
}

}  // namespace

// Inputs x, w, int64 (as in cpu_convolution.cc; of these, the last: whether x, w and dy are rounded
// to bfloat16), and a norm's (cpu_line.h) or none; output y.
extern "C" int PointwiseForward(int count, void** values, int*, int64_t** shapes, const char**,
                                void*, void*) {
  return Run(kForward, values, shapes, 1, 0, count - 1) || Normalise(count, values, shapes);
}

// Inputs as above, and dy; output dx.
extern "C" int PointwiseBackwardData(int, void** values, int*, int64_t** shapes, const char**,
                                     void*, void*) {
  return Run(kBackwardData, values, shapes, 1, 3, 4);
}

// Inputs as above; output dw.
extern "C" int PointwiseBackwardWeights(int, void** values, int*, int64_t** shapes, const char**,
                                        void*, void*) {
  return Run(kBackwardWeights, values, shapes, 3, 0, 4);
}
