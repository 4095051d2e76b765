#include "base/fiber.h"

#include <memory>
#include <string>
#include <vector>

#include "check.h"

using namespace kvasir;

TEST(a_fiber_stops_and_goes_on_where_it_was) {
  std::vector<int> seen;
  Fiber f([&](Fiber& self) {
    for (int i = 0; i < 3; i++) {
      CHECK(self.running());
      seen.push_back(i);
      self.yield();
    }
    seen.push_back(9);
  });
  int resumed = 0;
  while (!f.done()) {
    f.resume();
    CHECK(!f.running());
    resumed++;
  }
  CHECK_EQ(resumed, 4);
  CHECK(seen == std::vector<int>({0, 1, 2, 9}));
}

namespace {

// Deep enough to matter, with something to destroy on every level.
size_t descend(Fiber& f, size_t depth) {
  const std::string here(100, static_cast<char>('a' + depth % 26));
  if (depth % 100 == 0) f.yield();
  return depth == 0 ? here.size()
                    : descend(f, depth - 1) + (here[0] == static_cast<char>('a' + depth % 26) ? 1 : 0);
}

}  // namespace

TEST(it_stops_at_any_depth) {
  size_t result = 0;
  Fiber f([&](Fiber& self) { result = descend(self, 1000); });
  while (!f.done()) f.resume();
  CHECK_EQ(result, 1100u);
}

TEST(many_at_once) {
  std::string order;
  std::vector<std::unique_ptr<Fiber>> all;
  for (char c = 'a'; c < 'e'; c++) {
    all.push_back(std::make_unique<Fiber>([&order, c](Fiber& self) {
      order += c;
      self.yield();
      order += c;
    }));
  }
  for (int round = 0; round < 2; round++) {
    for (auto& f : all) f->resume();
  }
  for (auto& f : all) CHECK(f->done());
  CHECK_EQ(order, std::string("abcdabcd"));
}

TEST(one_that_was_never_begun) {
  auto kept = std::make_shared<int>(1);
  {
    Fiber f([kept](Fiber&) {});
  }
  CHECK_EQ(kept.use_count(), 1);
}

TEST_MAIN()
