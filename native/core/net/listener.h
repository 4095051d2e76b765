// A listening socket of the reactor.
#pragma once

#include <string>

#include "net/reactor.h"

namespace kvasir {

class Reactor::Listener final : public Pollable {
 public:
  // Owns fd. A Unix socket's file is removed with it.
  Listener(Reactor* reactor, int fd, bool is_unix, std::string path);
  ~Listener() override;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  bool start();
  [[nodiscard]] bool is_unix() const { return unix_; }
  void on_ready(bool readable, bool writable, bool ended) override;

 private:
  Reactor* reactor_;
  int fd_;
  bool unix_;
  std::string path_;
  Poller::Handle handle_ = nullptr;
};

}  // namespace kvasir
