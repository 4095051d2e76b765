#include "base/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>
#include <utility>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KVASIR_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define KVASIR_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define KVASIR_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define KVASIR_TSAN 1
#endif
#if defined(KVASIR_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(KVASIR_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace kvasir {

namespace {

// The stack that is left keeps its fake frames in *keep; nullptr: it will not be used again.
void leave_stack([[maybe_unused]] void** keep, [[maybe_unused]] const void* to,
                 [[maybe_unused]] size_t bytes) {
#if defined(KVASIR_ASAN)
  __sanitizer_start_switch_fiber(keep, to, bytes);
#endif
}

// The first thing on the stack that was entered, which had left its fake frames in `kept`.
void enter_stack([[maybe_unused]] void* kept, [[maybe_unused]] const void** from,
                 [[maybe_unused]] size_t* bytes) {
#if defined(KVASIR_ASAN)
  __sanitizer_finish_switch_fiber(kept, from, bytes);
#endif
}

void tsan_switch([[maybe_unused]] void* to) {
#if defined(KVASIR_TSAN)
  __tsan_switch_to_fiber(to, 0);
#endif
}

}  // namespace

Fiber::Fiber(std::function<void(Fiber&)> body) : body_(std::move(body)) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  map_bytes_ = page + kStackBytes;
  void* const p = mmap(nullptr, map_bytes_, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  map_ = static_cast<char*>(p);
  mprotect(map_, page, PROT_NONE);
  getcontext(&own_);
  own_.uc_stack.ss_sp = map_ + page;
  own_.uc_stack.ss_size = kStackBytes;
  own_.uc_link = nullptr;
  const auto self = reinterpret_cast<uintptr_t>(this);
  // makecontext() passes ints only.
  makecontext(&own_, reinterpret_cast<void (*)()>(enter), 2, static_cast<unsigned>(self >> 32),
              static_cast<unsigned>(self));
#if defined(KVASIR_TSAN)
  own_tsan_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#if defined(KVASIR_TSAN)
  __tsan_destroy_fiber(own_tsan_);
#endif
  munmap(map_, map_bytes_);
}

void Fiber::enter(unsigned high, unsigned low) {
  reinterpret_cast<Fiber*>(static_cast<uintptr_t>(high) << 32 | low)->run();
}

void Fiber::run() {
  enter_stack(nullptr, &caller_stack_, &caller_stack_bytes_);
  body_(*this);
  body_ = nullptr;
  done_ = true;
  running_ = false;
  leave_stack(nullptr, caller_stack_, caller_stack_bytes_);
  tsan_switch(caller_tsan_);
  setcontext(&caller_);
}

void Fiber::resume() {
  running_ = true;
#if defined(KVASIR_TSAN)
  caller_tsan_ = __tsan_get_current_fiber();
#endif
  leave_stack(&caller_fake_stack_, own_.uc_stack.ss_sp, own_.uc_stack.ss_size);
  tsan_switch(own_tsan_);
  swapcontext(&caller_, &own_);
  enter_stack(caller_fake_stack_, nullptr, nullptr);
}

void Fiber::yield() {
  running_ = false;
  leave_stack(&own_fake_stack_, caller_stack_, caller_stack_bytes_);
  tsan_switch(caller_tsan_);
  swapcontext(&own_, &caller_);
  enter_stack(own_fake_stack_, &caller_stack_, &caller_stack_bytes_);
}

}  // namespace kvasir
