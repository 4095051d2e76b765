#include "base/alloc.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "base/background.h"
#include "check.h"

using namespace kvasir;

// An impossible size is to come back as nullptr here too.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options() {
  return "allocator_may_return_null=1";
}

namespace {

struct Held {
  unsigned char* p;
  size_t size;
  unsigned char fill;
};

bool intact(const Held& h) {
  for (size_t i = 0; i < h.size; i++) {
    if (h.p[i] != h.fill) return false;
  }
  return true;
}

size_t random_size(std::mt19937_64& rng) {
  switch (rng() % 8) {
    case 0:
      return rng() % 16;
    case 1:
      return rng() % 40000;
    case 2:
      return rng() % 9000;
    default:
      return rng() % 600;
  }
}

void storm(uint64_t seed, int steps) {
  std::mt19937_64 rng(seed);
  std::vector<Held> held;
  for (int i = 0; i < steps; i++) {
    const uint64_t what = rng() % 8;
    if (held.empty() || (what < 4 && held.size() < 3000)) {
      const size_t n = random_size(rng);
      const auto fill = static_cast<unsigned char>(rng());
      auto* p = static_cast<unsigned char*>(what == 0 ? mem_calloc(n) : mem_alloc(n));
      if (what == 0) CHECK((intact({p, n, 0})));
      memset(p, fill, n);
      CHECK(mem_usable(p) >= n);
      held.push_back({p, n, fill});
      continue;
    }
    Held& h = held[rng() % held.size()];
    CHECK(intact(h));
    if (what == 7) {
      const size_t n = random_size(rng);
      h.p = static_cast<unsigned char*>(mem_realloc(h.p, n));
      CHECK((intact({h.p, std::min(n, h.size), h.fill})));
      memset(h.p, h.fill, n);
      h.size = n;
    } else {
      mem_free(h.p);
      h = held.back();
      held.pop_back();
    }
  }
  for (const Held& h : held) {
    CHECK(intact(h));
    mem_free(h.p);
  }
}

}  // namespace

#if defined(KVASIR_SLABS) && !defined(KVASIR_TSAN)  // whose shadow counts as resident
namespace {
size_t resident() {
  FILE* f = fopen("/proc/self/statm", "r");
  unsigned long size = 0;
  unsigned long rss = 0;
  if (f != nullptr) {
    if (fscanf(f, "%lu %lu", &size, &rss) != 2) rss = 0;
    fclose(f);
  }
  return rss * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}
}  // namespace

// First of all, since the chunks of a heap that was larger once may be huge pages.
TEST(alloc_small_heap_is_small) {
  const HeapScope scope;
  uint64_t now_us = 1;
  mem_upkeep(now_us);
  const bool collapses = madvise(nullptr, 0, 25) == 0;  // MADV_COLLAPSE
  const size_t before = resident();
  // A little of everything.
  std::vector<void*> all;
  for (size_t n = 8; n <= kMaxSlabObject; n += 8) {
    void* p = mem_alloc(n);
    memset(p, 1, n);
    mem_free(p);
  }
  if (collapses) CHECK(resident() < before + (size_t{1} << 20));
  // Full chunks become huge pages, and hold what they held.
  constexpr size_t kEach = 64;
  for (size_t i = 0; i < (size_t{20} << 20) / kEach; i++) {
    all.push_back(mem_alloc(kEach));
    memset(all.back(), static_cast<int>(i % 251), kEach);
  }
  const size_t full = resident();
  for (int i = 0; i < 3; i++) {
    mem_upkeep(now_us += 1'000'000);
    background_drain();
  }
  CHECK(resident() < full + (size_t{1} << 20));
  size_t wrong = 0;
  for (size_t i = 0; i < all.size(); i++) {
    const auto* p = static_cast<const unsigned char*>(all[i]);
    wrong += p[0] != i % 251 || p[kEach - 1] != i % 251 ? 1 : 0;
  }
  CHECK_EQ(wrong, 0u);
  // What is idle goes back, one chunk at a time.
  for (void* p : all) mem_free(p);
  for (int i = 0; i < 30; i++) mem_upkeep(now_us += 1'000'000);
  CHECK(resident() < full - (size_t{17} << 20));
}
#endif

#if defined(KVASIR_SLABS) && defined(__GLIBC__) && !defined(KVASIR_TSAN)
namespace {
// Of malloc's heap, or of all memory, in huge pages; bytes.
size_t in_huge_pages(bool heap_only) {
  FILE* f = fopen("/proc/self/smaps", "r");
  char line[512];
  bool counts = !heap_only;
  size_t kb = 0;
  while (f != nullptr && fgets(line, sizeof line, f) != nullptr) {
    if (heap_only && strchr(line, '-') != nullptr && strchr(line, ':') != nullptr &&
        strstr(line, " r") != nullptr)
      counts = strstr(line, "[heap]") != nullptr;
    size_t n = 0;
    if (counts && sscanf(line, "AnonHugePages: %zu kB", &n) == 1) kb += n;
  }
  if (f != nullptr) fclose(f);
  return kb * 1024;
}

// Not on old kernels; and an emulator may say yes and do nothing.
bool makes_huge_pages() {
  constexpr size_t kPage = size_t{2} << 20;
  const size_t before = in_huge_pages(false);
  void* const area = mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) return false;
  memset(area, 1, 2 * kPage);
  auto* const page =
      reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(area) + kPage - 1) & ~uintptr_t{kPage - 1});
  const bool made = madvise(page, kPage, 25) == 0 && in_huge_pages(false) > before;  // MADV_COLLAPSE
  munmap(area, 2 * kPage);
  return made;
}
}  // namespace

TEST(alloc_large_objects_get_huge_pages_where_the_heap_is_full) {
  if (!makes_huge_pages()) return;
  const HeapScope scope;
  constexpr size_t kEach = 40000;
  const auto* const began = static_cast<const char*>(sbrk(0));
  std::vector<unsigned char*> all;
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < (size_t{96} << 20) / kEach; i++) {
      all.push_back(static_cast<unsigned char*>(mem_alloc(kEach)));
      memset(all.back(), static_cast<int>(i % 251), kEach);
      if (i % 100 == 0) background_drain();
    }
    if (static_cast<const char*>(sbrk(0)) < began + (size_t{64} << 20))
      return;  // a sanitizer's malloc has no such heap
    CHECK(in_huge_pages(true) >= size_t{32} << 20);
    size_t wrong = 0;
    for (size_t i = 0; i < all.size(); i++)
      wrong += all[i][0] != i % 251 || all[i][kEach - 1] != i % 251 ? 1 : 0;
    CHECK_EQ(wrong, 0u);
    for (unsigned char* p : all) mem_free(p);
    all.clear();
    mem_return_large();
    CHECK(in_huge_pages(true) < size_t{32} << 20);
  }
}
#endif

TEST(alloc_storm_accounts_to_zero) {
  const size_t before = mem_used();
  {
    const HeapScope scope;
    for (uint64_t seed = 1; seed <= 4; seed++) storm(seed, 60000);
    CHECK_EQ(mem_used(), before);
  }
  storm(9, 20000);  // without a heap
  CHECK_EQ(mem_used(), before);
}

TEST(alloc_alignment_and_sizes) {
  const HeapScope scope;
  for (size_t n = 0; n <= kMaxSlabObject; n++) {
    void* p = mem_alloc(n);
    const auto at = reinterpret_cast<uintptr_t>(p);
    CHECK_EQ(at % 8, 0u);
    if (n != 0 && n % 16 == 0) CHECK_EQ(at % 16, 0u);
    if (n != 0 && n % 64 == 0) CHECK_EQ(at % 64, 0u);
    CHECK(mem_usable(p) >= n);
#ifdef KVASIR_SLABS
    CHECK_EQ(mem_usable(p), mem_good_size(n));
    CHECK(n <= 128 || mem_usable(p) <= n + n / 7);
#endif
    memset(p, 0xa5, n);
    mem_free(p);
  }
  mem_free(nullptr);
}

TEST(alloc_realloc_stays_in_class) {
  const HeapScope scope;
  void* p = mem_alloc(100);
#ifdef KVASIR_SLABS
  CHECK(mem_realloc(p, 104) == p);
  CHECK(mem_realloc(p, 97) == p);
#endif
  p = mem_realloc(p, 20000);
  CHECK(mem_stats().large >= 20000);
  p = mem_realloc(p, 200000);
  p = mem_realloc(p, 10);
  CHECK(mem_stats().large < 20000);
  mem_free(p);
  CHECK(mem_try_alloc(size_t{1} << 62) == nullptr);
}

TEST(alloc_counts_exactly) {
  const HeapScope scope;
  const size_t before = mem_used();
  std::vector<void*> all;
  size_t sum = 0;
  for (size_t n = 1; n < 12000; n += 7) {
    all.push_back(mem_alloc(n));
    sum += mem_usable(all.back());
    CHECK_EQ(mem_used(), before + sum);
  }
  for (void* p : all) {
    sum -= mem_usable(p);
    mem_free(p);
    CHECK_EQ(mem_used(), before + sum);
  }
}

TEST(alloc_large_objects_come_back) {
  const HeapScope scope;
  mem_purge();
  const size_t before = mem_used();
  void* const a = mem_alloc(16410);
  void* const b = mem_alloc(65562);
  CHECK(mem_used() - before >= 16410 + 65562);
  mem_free(a);
  mem_free(b);
  CHECK_EQ(mem_used(), before);
  // Not for what is smaller or larger, whatever the order.
  void* const c = mem_alloc(30000);
  CHECK(c != a && c != b);
  void* const d = mem_alloc(16410);
  void* const e = mem_alloc(65562);
#ifdef KVASIR_SLABS
  CHECK(d == a);
  CHECK(e == b);
#endif
  CHECK(mem_usable(d) >= 16410 && mem_usable(e) >= 65562);
  memset(d, 1, mem_usable(d));
  memset(e, 1, mem_usable(e));
  for (void* p : {c, d, e}) mem_free(p);
  // More than are kept.
  std::vector<void*> many;
  for (int i = 0; i < 100; i++) many.push_back(mem_alloc(100000 + static_cast<size_t>(i % 3) * 1000));
  std::sort(many.begin(), many.end());
  CHECK(std::adjacent_find(many.begin(), many.end()) == many.end());
  for (void* p : many) mem_free(p);
  CHECK_EQ(mem_used(), before);
  mem_purge();
  CHECK_EQ(mem_used(), before);
}

TEST(alloc_remote_frees) {
  const size_t before = mem_used();
  const HeapScope scope;
  for (int round = 0; round < 3; round++) {
    constexpr int kThreads = 3;
    constexpr int kEach = 20000;
    std::vector<std::vector<uint64_t*>> gifts(kThreads);
    for (int t = 0; t < kThreads; t++) {
      for (int i = 0; i < kEach; i++) {
        auto* p = static_cast<uint64_t*>(mem_alloc(8 + static_cast<size_t>((i * 37) % 700)));
        *p = static_cast<uint64_t>(t * kEach + i);
        gifts[static_cast<size_t>(t)].push_back(p);
      }
    }
    std::atomic<int> done{0};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; t++) {
      threads.emplace_back([&, t] {
        auto run = [&] {
          for (int i = 0; i < kEach; i++) {
            uint64_t* p = gifts[static_cast<size_t>(t)][static_cast<size_t>(i)];
            if (*p != static_cast<uint64_t>(t * kEach + i)) wrong++;
            mem_free(p);
            if (t == 1) mem_free(mem_alloc(64));
          }
        };
        if (t == 1) {
          const HeapScope own;
          run();
        } else {
          run();
        }
        done++;
      });
    }
    // The owner goes on allocating the same classes while they come back.
    std::vector<void*> mine;
    while (done.load() < kThreads) {
      mem_collect();
      for (int i = 0; i < 200; i++) {
        void* p = mem_alloc(8 + static_cast<size_t>((i * 37) % 700));
        memset(p, 0xff, 8);
        mine.push_back(p);
      }
      if (mine.size() > 5000) {
        for (void* p : mine) mem_free(p);
        mine.clear();
      }
    }
    for (auto& th : threads) th.join();
    for (void* p : mine) mem_free(p);
    CHECK_EQ(wrong.load(), 0);
    CHECK_EQ(mem_used(), before);
    mem_purge();
#ifdef KVASIR_SLABS
    CHECK_EQ(mem_stats().slab_live, 0u);
#endif
  }
}

TEST(alloc_heap_is_inherited) {
  uint64_t* p = nullptr;
  std::thread([&] {
    const HeapScope a;
    const HeapScope b;
    p = static_cast<uint64_t*>(mem_alloc(40));
    *p = 42;
  }).join();
  CHECK_EQ(*p, 42u);
  std::thread([&] {
    const HeapScope a;
    mem_free(p);
  }).join();
}

#ifdef KVASIR_SLABS
#ifndef KVASIR_TSAN  // its shadow counts as resident
TEST(alloc_gives_memory_back) {
  const HeapScope scope;
  mem_purge();
  const size_t before = resident();
  std::vector<void*> all;
  for (int i = 0; i < 400000; i++) {
    all.push_back(mem_alloc(200));
    memset(all.back(), 1, 200);
  }
  const size_t full = resident();
  CHECK(full > before + (size_t{70} << 20));
  for (void* p : all) mem_free(p);
  // Without being asked, most is given back.
  const size_t idle = resident();
  CHECK(idle < before + (size_t{24} << 20));
  mem_purge();
  CHECK(resident() < before + (size_t{12} << 20));
  CHECK(mem_stats().active < size_t{1} << 20);
}
#endif

TEST(alloc_fragmentation) {
  const HeapScope scope;
  mem_purge();
  // Nine of ten objects go; what is allocated next fills the holes instead of new slabs.
  std::vector<void*> all;
  for (int i = 0; i < 200000; i++) all.push_back(mem_alloc(128));
  const size_t active = mem_stats().active;
  for (size_t i = 0; i < all.size(); i++) {
    if (i % 10 != 0) mem_free(all[i]);
  }
  const size_t mapped = mem_stats().mapped;
  std::vector<void*> more;
  for (size_t i = 0; i < 170000; i++) more.push_back(mem_alloc(128));
  CHECK(mem_stats().active <= active);
  CHECK_EQ(mem_stats().mapped, mapped);
  // Another class gets the slabs of a class that vanished.
  for (void* p : more) mem_free(p);
  for (size_t i = 0; i < all.size(); i += 10) mem_free(all[i]);
  std::vector<void*> other;
  for (size_t i = 0; i < 40000; i++) other.push_back(mem_alloc(512));
  CHECK_EQ(mem_stats().mapped, mapped);
  for (void* p : other) mem_free(p);
  CHECK_EQ(mem_stats().slab_live, 0u);
}
#endif

TEST_MAIN()
