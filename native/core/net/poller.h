// What the reactor needs from the event loop it lives on. The addon implements it with an epoll set that
// Node's loop is a member of.
#pragma once

#include <cstdint>

namespace kvasir {

class Pollable {
 public:
  virtual ~Pollable() = default;
  // Called by the loop; the object stays alive until Poller::remove. ended: the peer will send no more, or
  // the connection has failed; a read shows it, after all that came before (readable is set as well).
  virtual void on_ready(bool readable, bool writable, bool ended) = 0;
};

class Poller {
 public:
  using Handle = void*;
  virtual ~Poller() = default;
  // Watches fd for reading. nullptr on failure (errno is set). edge: what arrives is reported once, and what
  // the target leaves unread it has to remember; this saves the kernel a look at every socket that was read.
  // watch() reports anew what there is.
  virtual Handle add(int fd, Pollable* target, bool edge) = 0;
  // The end of the connection is always reported, as readable.
  virtual void watch(Handle h, bool read, bool write) = 0;
  // After this no event arrives; the descriptor may be closed at once.
  virtual void remove(Handle h) = 0;
  // Makes the loop run another turn without waiting for events.
  virtual void wake() = 0;
  // Makes the loop run a turn in about ms milliseconds, whatever happens. Replaces an earlier request.
  virtual void wake_after(uint64_t ms) = 0;
};

}  // namespace kvasir
