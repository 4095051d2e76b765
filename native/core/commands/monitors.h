// MONITOR: clients that see every command the server runs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/slice.h"
#include "commands/push.h"

namespace kvasir {

struct Client;

class Monitors {
 public:
  explicit Monitors(Pushes* pushes) : pushes_(pushes) {}
  [[nodiscard]] bool any() const { return !clients_.empty(); }
  void add(Client* c);
  void remove(Client* c);
  // Tells of a command of client c. Bit i of `redacted` (63: and all beyond): argument i is not shown.
  void feed(const Client& c, std::span<const Slice> argv, uint64_t redacted);

 private:
  Pushes* pushes_;
  std::vector<Client*> clients_;
  std::string line_;
};

}  // namespace kvasir
