// A fiber: a function on a stack of its own that can stop at any depth of calls and go on later. It lets a
// decoder that pulls its input be fed by an event loop.
//
// Everything runs on the thread that calls resume(). The stack is mapped memory with a guard page below it,
// so that an overflow is a fault and not a corruption; pages that were never touched cost nothing.
// AddressSanitizer and ThreadSanitizer are told of every switch. JavaScript must not run on a fiber: V8 knows
// one stack.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>

namespace kvasir {

class Fiber {
 public:
  static constexpr size_t kStackBytes = size_t{1} << 20;

  // The body gets the fiber itself, to yield. It must not throw.
  explicit Fiber(std::function<void(Fiber&)> body);
  // Precondition: the body has returned, or was never begun; what it has on its stack would not be destroyed.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs the body until it yields or returns. Precondition: !done(), and not called from the body.
  void resume();
  // Called by the body: resume() returns, and the next resume() goes on here.
  void yield();
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool running() const { return running_; }

 private:
  static void enter(unsigned high, unsigned low);
  void run();

  std::function<void(Fiber&)> body_;
  char* map_;  // guard page, then the stack
  size_t map_bytes_;
  ucontext_t caller_{}, own_{};
  bool running_ = false;
  bool done_ = false;
  // What the sanitizers keep for a stack that is not the running one.
  void* own_fake_stack_ = nullptr;
  void* caller_fake_stack_ = nullptr;
  const void* caller_stack_ = nullptr;
  size_t caller_stack_bytes_ = 0;
  void* own_tsan_ = nullptr;
  void* caller_tsan_ = nullptr;
};

}  // namespace kvasir
