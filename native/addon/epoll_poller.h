// The reactor's Poller: descriptors are watched by an epoll set of our own, and Node's loop is a member of
// it.
//
// libuv lets its loop be embedded in another: its backend descriptor becomes readable when it has something
// to do, and uv_backend_timeout() tells how long it can be left alone. So we wait for clients and for Node at
// once, inside the loop's prepare phase, and stay there turn after turn; only when Node has work (an I/O
// event, a timer, an immediate, a watcher to register) do we return and let one iteration of its loop run.
// That iteration never waits, because an idle handle is active while it runs. A turn for clients then costs
// one epoll_wait and nothing of Node's.
//
// All pollers of a thread's loop share one set, since whoever waits must wait for everybody (several embedded
// servers in a process).
#pragma once

#include <uv.h>

#include <functional>
#include <memory>

#include "net/poller.h"

namespace kvasir {

class EpollHub;

class EpollPoller final : public Poller {
 public:
  // turn runs after the ready descriptors have been reported.
  EpollPoller(uv_loop_t* loop, std::function<void()> turn);
  ~EpollPoller() override;
  EpollPoller(const EpollPoller&) = delete;
  EpollPoller& operator=(const EpollPoller&) = delete;

  Handle add(int fd, Pollable* target, bool edge) override;
  void watch(Handle h, bool read, bool write) override;
  void remove(Handle h) override;
  void wake() override { waking_ = true; }
  void wake_after(uint64_t ms) override;

 private:
  friend class EpollHub;
  std::shared_ptr<EpollHub> hub_;
  std::function<void()> turn_;
  bool waking_ = true;   // wants a turn without waiting
  uint64_t due_ms_ = 0;  // or at this time of uv_now(); 0: no such wish
};

}  // namespace kvasir
