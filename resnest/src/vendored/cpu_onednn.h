// As much of oneDNN's C interface as the kernels use. Version 3 keeps it as it is, so that it
// is declared here; the library is a second copy of the one that MindSpore has loaded, and nothing
// is linked.
#pragma once

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
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
constexpr int kCpu = 1, kAnyLayout = 1, kDirect = 1, kForwardTraining = 64;
constexpr int kBFloat16 = 2, kFloat32 = 3;
constexpr int kDescriptorOfArgument = 255;
constexpr int kEveryInstruction = 0;

// MindSpore's oneDNN is held back to AVX2 (ONEDNN_MAX_CPU_ISA), for the sake of the layouts that
// MindSpore prescribes to it. A library has one such limit: this is another copy, in memory,
// without it. Where the system refuses copies, MindSpore's own.
inline Handle Load() {
  const Handle loaded = dlopen("libdnnl.so.3", RTLD_LAZY | RTLD_NOLOAD);
  const link_map* origin = nullptr;
  if (!loaded || dlinfo(loaded, RTLD_DI_LINKMAP, &origin)) return loaded;
  const int file = memfd_create("libdnnl", MFD_CLOEXEC);
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  std::ofstream copy(path, std::ios::binary);
  copy << std::ifstream(origin->l_name, std::ios::binary).rdbuf();
  copy.close();
  // With its own functions before those of the same names.
  constexpr int kHow = RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND;
  const Handle library = copy ? dlopen(path.c_str(), kHow) : nullptr;
  close(file);
  const Handle set_limit = library ? dlsym(library, "dnnl_set_max_cpu_isa") : nullptr;
  if (!set_limit) return loaded;
  reinterpret_cast<int (*)(int)>(set_limit)(kEveryInstruction);
  return library;
}

inline Handle Library() {
  static const Handle library = Load();
  return library;
}

// Calls the function `name` of oneDNN.
template <typename Result = int, typename... Arguments>
Result Call(const char* name, Arguments... arguments) {
  const Handle function = Library() ? dlsym(Library(), name) : nullptr;
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

inline Handle Layout(const Sizes& sizes, const Sizes& strides, int type) {
  Handle made;
  Do("dnnl_memory_desc_create_with_strides", &made, static_cast<int>(sizes.size()), sizes.data(),
     type, strides.data());
  return made;
}

// MindSpore's; of images that are one of `parts` of larger ones, by their channels.
inline Handle PlainLayout(const Sizes& sizes, int64_t parts = 1) {
  Sizes strides(sizes.size(), 1);
  for (size_t i = sizes.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * sizes[i];
  strides[0] *= parts;
  return Layout(sizes, strides, kFloat32);
}

inline Handle AnyLayout(const Sizes& sizes, int type) {
  Handle made;
  Do("dnnl_memory_desc_create_with_tag", &made, static_cast<int>(sizes.size()), sizes.data(), type,
     kAnyLayout);
  return made;
}

inline Handle Primitive(Handle descriptor) {
  Handle made;
  Do("dnnl_primitive_create", &made, descriptor);
  return made;
}

// Room that grows, aligned as vectors are.
class Buffer {
 public:
  float* OfBytes(size_t size) {
    if (size > size_) {
      std::free(place_);
      size_ = 0;
      const size_t room = (size + 63) / 64 * 64;
      place_ = std::aligned_alloc(64, room);
      if (!place_) throw std::runtime_error("out of memory");
      size_ = room;
    }
    return static_cast<float*>(place_);
  }

 private:
  void* place_ = nullptr;
  size_t size_ = 0;
};

// One of a primitive's arguments as MindSpore has it, and in the layout and type of oneDNN's.
class Operand {
 public:
  Operand(ArgumentKind kind, Handle plain, Handle primitive, bool is_output) : kind_(kind) {
    const auto chosen = Call<Handle>("dnnl_primitive_desc_query_md", primitive,
                                     kDescriptorOfArgument, static_cast<int>(kind));
    Do("dnnl_memory_create", &plain_, plain, Engine(), static_cast<void*>(nullptr));
    Do("dnnl_memory_create", &chosen_, chosen, Engine(), static_cast<void*>(nullptr));
    if (Call("dnnl_memory_desc_equal", plain, chosen)) return;
    Handle reorder, from = is_output ? chosen : plain, to = is_output ? plain : chosen;
    Do("dnnl_reorder_primitive_desc_create", &reorder, from, Engine(), to, Engine(),
       static_cast<Handle>(nullptr));
    reorder_ = Primitive(reorder);
    size_ = Call<size_t>("dnnl_memory_desc_get_size", chosen);
  }

  // `buffer` is that of the chosen layout, where it is another one.
  Argument Place(void* values, Buffer* buffer) {
    Do("dnnl_memory_set_data_handle", plain_, values);
    Do("dnnl_memory_set_data_handle", chosen_, reorder_ ? buffer->OfBytes(size_) : values);
    return {kind_, chosen_};
  }

  void Read() const { Reorder(plain_, chosen_); }
  void Write() const { Reorder(chosen_, plain_); }

 private:
  void Reorder(Handle from, Handle to) const {
    const Argument arguments[] = {{kSource, from}, {kDestination, to}};
    if (reorder_) Do("dnnl_primitive_execute", reorder_, Stream(), 2, arguments);
  }

  const ArgumentKind kind_;
  Handle plain_, chosen_, reorder_ = nullptr;
  size_t size_ = 0;
};

enum Kind { kForward, kBackwardData, kBackwardWeights };  // of a convolution's kernels

// Executes the Kept of `key` with `values`; made from `arguments` at the first time, it is kept.
// What MindSpore wants of a kernel: 0, or 1 and a line where oneDNN fails.
template <typename Kept, typename... Arguments>
int Execute(const Sizes& key, const std::vector<void*>& values, const Arguments&... arguments) {
  static std::mutex one_at_a_time;
  static std::map<Sizes, std::unique_ptr<Kept>> known;
  static Buffer buffers[3];
  std::lock_guard<std::mutex> lock(one_at_a_time);
  try {
    auto& kept = known[key];
    if (!kept) kept = std::make_unique<Kept>(arguments...);
    kept->Execute(values, buffers);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: oneDNN: %s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace onednn
