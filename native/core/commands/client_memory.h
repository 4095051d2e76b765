// The memory of clients, kept up to date while maxmemory-clients limits it.
//
// Every client is in the sum of its class with what it had when it was last looked at; who may be evicted is
// also in the list of its size, a power of two. So the sums cost nothing to read, looking at a client costs
// what changed, and one of the largest clients (by less than a factor of two) is found at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace kvasir {

struct Client;
enum class ClientClass : uint8_t;

// The part of it that a client carries.
struct ClientAccount {
  size_t bytes = 0;
  ClientClass klass{};
  int8_t list = -1;  // -1: none
  Client* before = nullptr;
  Client* after = nullptr;
};

class ClientMemory {
 public:
  // Looks at the client anew.
  void update(Client& c);
  // Leaves sums and lists.
  void forget(Client& c);
  // What counts against maxmemory-clients: normal and Pub/Sub clients, whether or not they may be evicted.
  [[nodiscard]] size_t limited_bytes() const;
  // The first of the list with the largest clients, or nullptr if nobody may be evicted.
  [[nodiscard]] Client* largest() const;

 private:
  static constexpr int kLists = 64;
  static constexpr int kClasses = 4;
  struct List {
    Client* first = nullptr;
    Client* last = nullptr;
  };
  void link(Client& c, int list);
  void unlink(Client& c);

  std::array<size_t, kClasses> sums_{};
  std::array<List, kLists> lists_{};
  uint64_t filled_ = 0;  // bit i: list i has a client
};

// The limit in bytes that maxmemory-clients means: negative values are percents of maxmemory. 0: there is
// none.
size_t client_memory_limit(int64_t maxmemory_clients, int64_t maxmemory);

}  // namespace kvasir
