#ifndef CPP_INFER_LOADER_H_
#define CPP_INFER_LOADER_H_

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cpp_infer {

// Fills batches of items ahead of their use, in worker threads. Memory holds a few batches, however
// many items.
class Loader {
 public:
  // Writes the values of item number `item`.
  using Fill = std::function<void(size_t item, float* values)>;

  Loader(size_t items, size_t batch, size_t item_size, size_t workers, const Fill& fill);
  ~Loader();

  // The next batch, which is valid until the next call; after the last item its values are
  // meaningless. Throws what `fill` threw for an item of the batch.
  const float* Next();

 private:
  struct Slot {
    std::vector<float> values;
    size_t filled = 0;
    std::exception_ptr error;
  };

  void Work();

  const size_t items_;
  const size_t batch_;
  const size_t item_size_;
  const Fill fill_;

  std::mutex mutex_;  // for all below
  std::condition_variable changed_;
  std::vector<Slot> slots_;  // batch number b is in slot b % slots_.size()
  size_t next_item_ = 0;     // the first that no worker has taken
  size_t current_ = 0;       // the batch that Next() returns or has returned
  bool started_ = false;     // whether Next() was called
  bool stopped_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace cpp_infer

#endif  // CPP_INFER_LOADER_H_
