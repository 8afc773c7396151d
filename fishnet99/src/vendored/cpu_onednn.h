// As much of oneDNN's C interface as the convolutions use. Version 3 keeps it as it is, so that it
// is declared here; the library is the one that MindSpore has loaded, and nothing is linked.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cpu_threads.h"

namespace onednn {

typedef void* Handle;  // of an engine, a stream, a descriptor, a primitive or a memory
typedef std::vector<int64_t> Sizes;

struct Argument {
  int kind;
  Handle memory;
};

enum ArgumentKind {
  kSource = 1,
  kDestination = 17,
  kWeights = 33,
  kSourceGradient = 129,
  kDestinationGradient = 145,
  kWeightsGradient = 161,
};
constexpr int kCpu = 1, kFloat32 = 3, kAnyLayout = 1, kDirect = 1, kForwardTraining = 64;
constexpr int kDescriptorOfArgument = 255;

// Calls the function `name` of oneDNN.
template <typename Result = int, typename... Arguments>
Result Call(const char* name, Arguments... arguments) {
  static const Handle library = dlopen("libdnnl.so.3", RTLD_LAZY | RTLD_NOLOAD);
  const Handle function = library ? dlsym(library, name) : nullptr;
  if (!function) throw std::runtime_error(std::string(name) + " is not there");
  return reinterpret_cast<Result (*)(Arguments...)>(function)(arguments...);
}

template <typename... Arguments>
void Do(const char* name, Arguments... arguments) {
  const int status = Call(name, arguments...);
  if (status) throw std::runtime_error(std::string(name) + " gives " + std::to_string(status));
}

// dnnl::threadpool_interop::threadpool_iface: its virtual functions, in their order.
class Pool {
 public:
  virtual int get_num_threads() const { return Threads::All().Count(); }
  virtual bool get_in_parallel() const { return Threads::IsWorking(); }
  virtual void parallel_for(int count, const std::function<void(int, int)>& task) {
    Threads::All().Run(count, [&](int64_t i) { task(static_cast<int>(i), count); });
  }
  virtual uint64_t get_flags() const { return 0; }
  virtual void wait() {}
  virtual ~Pool() = default;
};

inline Handle Engine() {
  static const Handle engine = [] {
    Handle made;
    Do("dnnl_engine_create", &made, kCpu, size_t{0});
    return made;
  }();
  return engine;
}

inline Handle Stream() {
  static const Handle stream = [] {
    Handle made;
    Do("dnnl_threadpool_interop_stream_create", &made, Engine(), static_cast<void*>(new Pool));
    return made;
  }();
  return stream;
}

inline Handle PlainLayout(const Sizes& sizes) {
  Sizes strides(sizes.size(), 1);
  for (size_t i = sizes.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * sizes[i];
  Handle made;
  Do("dnnl_memory_desc_create_with_strides", &made, static_cast<int>(sizes.size()), sizes.data(),
     kFloat32, strides.data());
  return made;
}

inline Handle AnyLayout(const Sizes& sizes) {
  Handle made;
  Do("dnnl_memory_desc_create_with_tag", &made, static_cast<int>(sizes.size()), sizes.data(),
     kFloat32, kAnyLayout);
  return made;
}

inline Handle Primitive(Handle descriptor) {
  Handle made;
  Do("dnnl_primitive_create", &made, descriptor);
  return made;
}

}  // namespace onednn
