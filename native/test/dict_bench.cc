// Times the hash table: dict_bench [elements]. 16-byte keys in heap objects, random order, one thread.
// Prints ns per operation and bytes per element of the table; "batch" is the staged prefetch of 16 keys a
// time.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/alloc.h"
#include "base/rng.h"
#include "dict/dict.h"

namespace {

using kvasir::Dict;
using kvasir::Rng;
using kvasir::Slice;

struct Item {
  uint32_t header;
  uint32_t size;
  char key[16];
};

// Stands for SipHash; the table's own cost is what is measured, so that hashing is kept out of the timed
// loops.
struct Traits {
  using Elem = Item*;
  static Slice key(const Item* i) { return {i->key, i->size}; }
  static uint64_t hash(const Slice& s) {
    uint64_t a;
    uint64_t b;
    memcpy(&a, s.data, 8);
    memcpy(&b, s.data + 8, 8);
    const __uint128_t m = static_cast<__uint128_t>(a ^ 0x9e3779b97f4a7c15ULL) * (b ^ 0xd6e8feb86659fd93ULL);
    uint64_t x = static_cast<uint64_t>(m) ^ static_cast<uint64_t>(m >> 64);
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    return x ^ (x >> 32);
  }
};

struct Query {
  uint64_t hash;
  char key[16];
};

void write_key(char* key, uint64_t n) {
  memcpy(key, "key:", 4);
  for (int i = 15; i >= 4; i--, n /= 10) key[i] = static_cast<char>('0' + n % 10);
}

// CPU time of this thread, so that what else runs on the machine counts only by the cache it takes.
double cpu_ns() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}
void print_per_op(const char* what, double ns, size_t n) {
  printf("  %-22s %7.1f ns\n", what, ns / static_cast<double>(n));
}
class Timer {
 public:
  void print(const char* what, size_t n) const { print_per_op(what, cpu_ns() - start_, n); }

 private:
  double start_ = cpu_ns();
};
// The best of five.
template <class F>
void best(const char* what, size_t n, F&& f) {
  double least = 1e18;
  for (int i = 0; i < 5; i++) {
    const double start = cpu_ns();
    f();
    least = std::min(least, cpu_ns() - start);
  }
  print_per_op(what, least, n);
}

// Each lookup waits for the element of the one before, as commands executed one after the other do; a loop of
// independent lookups would let the CPU overlap them and hide what staged prefetching is for.
class Chain {
 public:
  explicit Chain(const Dict<Traits>& d) : dict_(d) {}
  void find(const Query& q) {
    const Item* i = dict_.find({q.key, 16}, q.hash + wait_);
    if (i == nullptr) return;
    found_++;
    wait_ = i->size >> 8;  // 0, but only the element knows
  }
  [[nodiscard]] size_t found() const { return found_; }

 private:
  const Dict<Traits>& dict_;
  uint64_t wait_ = 0;
  size_t found_ = 0;
};
size_t find_all(const Dict<Traits>& d, const std::vector<Query>& queries) {
  Chain chain(d);
  for (const Query& q : queries) chain.find(q);
  return chain.found();
}
size_t find_batched(const Dict<Traits>& d, const std::vector<Query>& queries) {
  Chain chain(d);
  for (size_t at = 0; at + 16 <= queries.size(); at += 16) {
    for (size_t i = 0; i < 16; i++) d.prefetch_bucket(queries[at + i].hash);
    for (size_t i = 0; i < 16; i++) d.prefetch_elem(queries[at + i].hash);
    for (size_t i = 0; i < 16; i++) chain.find(queries[at + i]);
  }
  return chain.found();
}

void run(size_t n) {
  printf("%zu elements\n", n);
  Rng rng(1);
  std::vector<Item*> items(n);
  for (size_t i = 0; i < n; i++) {
    auto* item = static_cast<Item*>(kvasir::mem_alloc(sizeof(Item)));
    item->size = 16;
    write_key(item->key, i);
    items[i] = item;
  }
  for (size_t i = n - 1; i > 0; i--) std::swap(items[i], items[rng.below(i + 1)]);
  const auto query = [](uint64_t number) {
    Query q;
    write_key(q.key, number);
    q.hash = Traits::hash({q.key, 16});
    return q;
  };
  std::vector<uint64_t> hashes(n);
  for (size_t i = 0; i < n; i++) hashes[i] = Traits::hash(Traits::key(items[i]));

  Dict<Traits> d;
  double slowest = 0;
  {
    const Timer t;
    for (size_t i = 0; i < n; i++) d.insert_new(items[i], hashes[i]);
    t.print("insert, growing", n);
  }
  {
    Dict<Traits> timed;
    for (size_t i = 0; i < n; i++) {
      const double start = cpu_ns();
      timed.insert_new(items[i], hashes[i]);
      slowest = std::max(slowest, cpu_ns() - start);
    }
  }
  printf("  %-22s %7.0f us\n", "slowest insert", slowest / 1000);
  while (d.rehash_step(100)) {
  }
  const auto s = d.table_stats(0, true);
  printf("  load %.2f, chained %.1f %%, %.2f bytes/element\n",
         static_cast<double>(d.size()) / static_cast<double>(s.top_level),
         100.0 * static_cast<double>(s.top_level - s.chains[0]) / static_cast<double>(s.top_level),
         static_cast<double>(d.mem_bytes()) / static_cast<double>(n));

  constexpr size_t kQueries = 2000000;
  std::vector<Query> hits;
  std::vector<Query> misses;
  for (size_t i = 0; i < kQueries; i++) {
    hits.push_back(query(rng.below(n)));
    misses.push_back(query(n + rng.below(n)));
  }
  size_t found = 0;
  best("find hit", kQueries, [&] { found += find_all(d, hits); });
  best("find hit, batch", kQueries, [&] { found += find_batched(d, hits); });
  best("find miss", kQueries, [&] { found += find_all(d, misses); });
  best("find miss, batch", kQueries, [&] { found += find_batched(d, misses); });
  if (found != 10 * kQueries) abort();
  Item* out[16];
  {
    const Timer t;
    for (size_t i = 0; i < 1000000; i++) found += d.random(rng)->size;
    t.print("random", 1000000);
  }
  {
    const Timer t;
    for (size_t i = 0; i < 1000000; i++) found += d.sample(rng, out, 5);
    t.print("sample of 5", 1000000);
  }
  {
    const Timer t;
    uint64_t cursor = 0;
    do {
      cursor = d.scan(cursor, [&](Item* i) { found += i->size; });
    } while (cursor != 0);
    t.print("scan, per element", n);
  }
  {
    const Timer t;
    Dict<Traits>::Iterator it(d);
    while (Item* i = it.next()) found += i->size;
    t.print("iterate, per element", n);
  }
  for (size_t i = n - 1; i > 0; i--) {
    const size_t other = rng.below(i + 1);
    std::swap(items[i], items[other]);
    std::swap(hashes[i], hashes[other]);
  }
  {
    const Timer t;
    for (size_t i = 0; i < n / 2; i++) {
      if (d.erase(Traits::key(items[i]), hashes[i]) != items[i]) abort();
    }
    t.print("erase", n / 2);
  }
  {
    const Timer t;
    for (size_t i = 0; i < n / 2; i++) {
      Dict<Traits>::InsertPoint at;
      if (d.find_or_prepare(Traits::key(items[i]), hashes[i], &at)) abort();
      d.insert_at(at, items[i]);
    }
    t.print("find or insert", n / 2);
  }
  {
    const Timer t;
    for (size_t i = 0; i < n; i++) {
      if (d.erase(Traits::key(items[i]), hashes[i]) != items[i]) abort();
    }
    t.print("erase all, shrinking", n);
  }
  for (Item* i : items) kvasir::mem_free(i);
  if (found == 0) abort();
}

}  // namespace

int main(int argc, char** argv) {
  const kvasir::HeapScope heap;
  if (argc > 1) {
    run(strtoull(argv[1], nullptr, 10));
  } else {
    run(1000000);
    run(10000000);
  }
}
