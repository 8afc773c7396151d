#include "cpp_infer/loader.h"

#include <sys/resource.h>

#include <algorithm>

namespace cpp_infer {

Loader::Loader(size_t items, size_t batch, size_t item_size, size_t workers, const Fill& fill)
    : items_(items),
      batch_(batch),
      item_size_(item_size),
      fill_(fill),
      slots_(2 + workers / batch) {
  for (Slot& slot : slots_) slot.values.resize(batch * item_size);
  for (size_t i = 0; i < std::min(workers, items); ++i) workers_.emplace_back(&Loader::Work, this);
}

Loader::~Loader() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

const float* Loader::Next() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (started_) {
    slots_[current_ % slots_.size()].filled = 0;
    ++current_;
    changed_.notify_all();
  }
  started_ = true;
  Slot& slot = slots_[current_ % slots_.size()];
  const size_t wanted = std::min(batch_, items_ - current_ * batch_);
  changed_.wait(lock, [&] { return slot.filled == wanted; });
  if (slot.error) std::rethrow_exception(slot.error);
  return slot.values.data();
}

void Loader::Work() {
  // Predicting has the right of way. On Linux this is for the calling thread only.
  setpriority(PRIO_PROCESS, 0, 19);
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] {
      return stopped_ || next_item_ == items_ || next_item_ / batch_ < current_ + slots_.size();
    });
    if (stopped_ || next_item_ == items_) return;
    const size_t item = next_item_++;
    Slot& slot = slots_[item / batch_ % slots_.size()];
    lock.unlock();
    std::exception_ptr error;
    try {
      fill_(item, slot.values.data() + item % batch_ * item_size_);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error) slot.error = error;
    ++slot.filled;
    changed_.notify_all();
  }
}

}  // namespace cpp_infer
