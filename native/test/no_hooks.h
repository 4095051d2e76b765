// A core that nobody controls: what commands ask of the control plane is not done.
#pragma once

#include "commands/core.h"

namespace kvasir {

class NoHooks : public Hooks {
 public:
  void upcall(Call&) override {}
  void start_task(const Client&, const char*, std::span<const Slice>) override {}
  void log(LogLevel, Slice) override {}
  void close(Client&) override {}
  void control(const char*, Slice) override {}
};

}  // namespace kvasir
