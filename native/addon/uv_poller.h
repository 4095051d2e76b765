// The reactor's Poller on Node's own libuv loop: one uv_poll_t per descriptor, a check handle that runs the
// turn after the loop has reported all ready descriptors, and an idle handle that makes the loop come round
// without waiting.
#pragma once

#include <uv.h>

#include <functional>

#include "net/poller.h"

namespace kvasir {

class UvPoller final : public Poller {
 public:
  UvPoller(uv_loop_t* loop, std::function<void()> turn);
  // Closes its handles; they free themselves when libuv has let go of them.
  ~UvPoller() override;
  UvPoller(const UvPoller&) = delete;
  UvPoller& operator=(const UvPoller&) = delete;

  Handle add(int fd, Pollable* target) override;
  void watch(Handle h, bool read, bool write) override;
  void remove(Handle h) override;
  void wake() override;
  void wake_after(uint64_t ms) override;

 private:
  struct Phases;
  uv_loop_t* loop_;
  Phases* phases_;
};

}  // namespace kvasir
