#include "commands/error_stats.h"

#include "check.h"

using namespace kvasir;

TEST(error_stats_own_errors_are_always_told_apart) {
  ErrorStats stats;
  for (int i = 0; i < 300; i++) stats.add("CODE" + std::to_string(i), 1, false);
  CHECK_EQ(stats.counts().size(), size_t{300});
  stats.add("CODE7", 4, false);
  CHECK_EQ(stats.counts().at("CODE7"), uint64_t{5});
}

TEST(error_stats_custom_errors_overflow) {
  ErrorStats stats;
  for (size_t i = 0; i < ErrorStats::kMaxCodes; i++) stats.add(std::to_string(i), 1, true);
  CHECK(!stats.counts().contains(ErrorStats::kOverflow));
  stats.add("late", 1, true);
  stats.add("later", 2, true);
  CHECK_EQ(stats.counts().at(ErrorStats::kOverflow), uint64_t{3});
  CHECK(!stats.counts().contains("late"));
  // Those known before keep their own counter, and so do the server's errors.
  stats.add("5", 1, true);
  stats.add("ERR", 1, false);
  CHECK_EQ(stats.counts().at("5"), uint64_t{2});
  CHECK_EQ(stats.counts().at("ERR"), uint64_t{1});
}

TEST_MAIN()
