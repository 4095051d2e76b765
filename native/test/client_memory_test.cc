#include "commands/client_memory.h"

#include <memory>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "commands/client.h"
#include "commands/transaction.h"

using namespace kvasir;

namespace {

TEST(limits) {
  CHECK_EQ(client_memory_limit(0, 1 << 30), size_t{0});
  CHECK_EQ(client_memory_limit(1, 0), size_t{128} * 1024);
  CHECK_EQ(client_memory_limit(5000000, 0), size_t{5000000});
  CHECK_EQ(client_memory_limit(-7, 100000000), size_t{7000000});
  CHECK_EQ(client_memory_limit(-7, 1000), size_t{128} * 1024);
  CHECK_EQ(client_memory_limit(-7, 0), ~size_t{0});
}

// Sums and lists against clients that grow, shrink, change class, and leave.
TEST(agrees_with_a_plain_model) {
  ReplyArena arena;
  Rng rng;
  ClientMemory memory;
  std::vector<std::unique_ptr<Client>> clients;
  for (uint64_t id = 1; id <= 40; id++) {
    clients.push_back(std::make_unique<Client>(id, &arena));
    memory.update(*clients.back());
  }
  for (int step = 0; step < 20000; step++) {
    const size_t i = rng.below(clients.size());
    Client& c = *clients[i];
    switch (rng.below(6)) {
      case 0:
        c.flags.no_evict = !c.flags.no_evict;
        break;
      case 1:
        c.flags.pubsub = !c.flags.pubsub;
        break;
      case 2:
        c.flags.replica = !c.flags.replica;
        break;
      case 3:
        memory.forget(c);
        clients[i] = std::make_unique<Client>(c.id, &arena);
        break;
      default:
        c.reply_buffer = size_t{1} << rng.below(24);
    }
    memory.update(*clients[i]);
    size_t sum = 0;
    size_t most = 0;
    for (const auto& client : clients) {
      if (client->flags.replica) continue;
      sum += client->memory();
      if (!client->flags.no_evict) most = std::max(most, client->memory());
    }
    CHECK_EQ(memory.limited_bytes(), sum);
    const Client* largest = memory.largest();
    CHECK_EQ(largest == nullptr, most == 0);
    if (largest == nullptr) continue;
    CHECK(!largest->flags.no_evict && !largest->flags.replica);
    CHECK(largest->memory() * 2 > most);
  }
  for (const auto& client : clients) memory.forget(*client);
  CHECK_EQ(memory.limited_bytes(), size_t{0});
  CHECK(memory.largest() == nullptr);
}

}  // namespace

TEST_MAIN()
