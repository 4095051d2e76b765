#include "keyspace/lazyfree.h"

#include <atomic>
#include <memory>

#include "base/background.h"
#include "keyspace/value.h"

namespace kvasir {

namespace {

std::atomic<uint64_t> g_pending{0};
std::atomic<uint64_t> g_freed{0};

void free_slot(SlotDicts* d) {
  if (d == nullptr) return;
  d->expires.clear([](Entry*) {});
  d->keys.clear([](Entry* e) { value_destroy(e); });
}

}  // namespace

void free_contents(Database::Contents&& contents) {
  const Database::Contents c = std::move(contents);
  free_slot(c.single.get());
  for (const auto& s : c.slots) free_slot(s.get());
}

void lazyfree_entry(Entry* e) {
  if (value_free_effort(*e) <= kLazyfreeEffort) {
    value_destroy(e);
    return;
  }
  g_pending++;
  run_in_background([e] {
    value_destroy(e);
    g_pending--;
    g_freed++;
  });
}

void lazyfree_contents(Database::Contents&& c) {
  if (c.keys == 0) {
    free_contents(std::move(c));
    return;
  }
  const size_t n = c.keys;
  g_pending += n;
  // A job must be copyable, contents are not: they travel in a shared pointer.
  auto shared = std::make_shared<Database::Contents>(std::move(c));
  run_in_background([shared, n] {
    free_contents(std::move(*shared));
    // What a flush freed would otherwise stay with malloc: the heap's top is seldom what became free.
    mem_return_large();
    g_pending -= n;
    g_freed += n;
  });
}

LazyfreeStats lazyfree_stats() { return {g_pending.load(), g_freed.load()}; }
void lazyfree_reset_stats() { g_freed = 0; }

}  // namespace kvasir
