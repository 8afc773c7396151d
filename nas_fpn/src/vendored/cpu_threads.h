// The threads of the kernels, which run one at a time, each on all cores.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

// How many planes of so many floats fill some lines of the cache, which two threads that write to
// the same one would wait for.
inline int64_t PlanesTogether(int64_t plane) { return 64 / std::clamp<int64_t>(plane, 1, 64); }

class Threads {
 public:
  static Threads& All() {
    // Never destroyed: its threads wait until the process ends.
    static auto* threads = new Threads;
    return *threads;
  }

  // Whether the calling thread is inside a task.
  static bool& IsWorking() {
    static thread_local bool is_working = false;
    return is_working;
  }

  int Count() const { return helpers_ + 1; }

  // task(i) for every i below `count`, in any order; the caller works too. Helpers that wake up
  // when nothing is left are not waited for.
  void Run(int64_t count, const std::function<void(int64_t)>& task) {
    std::lock_guard<std::mutex> one_at_a_time(caller_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      task_ = &task;
      count_ = count;
      next_ = 0;
      ++turn_;
    }
    wake_.notify_all();
    Work(task);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      task_ = nullptr;
    }
    while (working_ > 0) std::this_thread::yield();
  }

  // The same, `together` neighbours at a time on one thread; all on this one where they look at so
  // few values that another would wake up too late.
  template <typename Task>
  void RunTogether(int64_t count, int64_t together, int64_t values, Task task) {
    if (values < kFew) {
      for (int64_t i = 0; i < count; ++i) task(i);
      return;
    }
    Run((count - 1) / together + 1, [&](int64_t part) {
      const int64_t end = std::min(count, (part + 1) * together);
      for (int64_t i = part * together; i < end; ++i) task(i);
    });
  }

 private:
  static constexpr int64_t kFew = 1 << 17;  // In some 20 us.

  // Waking takes longer than many kernels: some 50 us are waited away before sleep, in which other
  // threads may run.
  static constexpr int kYields = 100;

  Threads() : helpers_(static_cast<int>(std::thread::hardware_concurrency()) - 1) {
    for (int i = 0; i < helpers_; ++i) std::thread([this] { Help(); }).detach();
  }

  void Work(const std::function<void(int64_t)>& task) {
    IsWorking() = true;
    for (int64_t i; (i = next_++) < count_;) task(i);
    IsWorking() = false;
  }

  void Help() {
    for (int64_t seen = 0;;) {
      for (int i = 0; i < kYields && turn_ == seen; ++i) std::this_thread::yield();
      const std::function<void(int64_t)>* task;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return turn_ != seen; });
        seen = turn_;
        task = task_;
        working_ += task != nullptr;
      }
      if (!task) continue;
      Work(*task);
      --working_;
    }
  }

  const int helpers_;
  const std::function<void(int64_t)>* task_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0}, turn_{0};
  std::atomic<int> working_{0};
  std::mutex caller_, mutex_;
  std::condition_variable wake_;
};
