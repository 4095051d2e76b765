#include "commands/pause.h"

#include <string>

#include "check.h"

using namespace kvasir;

namespace {
std::string longest(const Pauses& p, int64_t now) {
  int64_t left = 0;
  const std::string reason = p.longest(now, &left);
  return reason + " " + std::to_string(left);
}
}  // namespace

TEST(the_strictest_scope_holds) {
  Pauses p;
  CHECK(p.scope() == PauseScope::kNone);
  CHECK_EQ(p.next_end_ms(), 0);
  CHECK_EQ(longest(p, 0), "none 0");
  p.pause(PauseReason::kClient, 100, PauseScope::kWrites);
  p.pause(PauseReason::kFailover, 50, PauseScope::kAll);
  CHECK(p.scope() == PauseScope::kAll);
  CHECK_EQ(p.next_end_ms(), 50);
  CHECK_EQ(longest(p, 10), "failover_in_progress 40");
  p.update(50);
  CHECK(p.scope() == PauseScope::kWrites);
  CHECK_EQ(longest(p, 60), "client_pause 40");
  p.update(99);
  CHECK(p.scope() == PauseScope::kWrites);
  p.update(100);
  CHECK(p.scope() == PauseScope::kNone);
}

TEST(an_end_only_moves_back) {
  Pauses p;
  p.pause(PauseReason::kClient, 100, PauseScope::kAll);
  p.pause(PauseReason::kClient, 20, PauseScope::kWrites);
  CHECK_EQ(p.next_end_ms(), 100);
  CHECK(p.scope_of(PauseReason::kClient) == PauseScope::kWrites);
  p.end(PauseReason::kClient);
  CHECK(p.scope() == PauseScope::kNone);
  CHECK_EQ(p.next_end_ms(), 0);
}

TEST_MAIN()
