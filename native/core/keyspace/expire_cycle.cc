#include "keyspace/expire_cycle.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"

namespace kvasir {

namespace {

constexpr int kDatabasesPerCycle = 16;
constexpr uint64_t kKeysPerStep = 20;
constexpr uint64_t kFieldsPerKey = 4;
constexpr uint64_t kFastUs = 1000;
constexpr uint64_t kSlowTimePercent = 25;
constexpr uint64_t kAcceptableStalePercent = 10;
// The clock is read, and the average taken, once in as many steps.
constexpr uint64_t kStepsPerCheck = 16;

// The running average of remaining lifetimes: every step that saw one counts for 2 %.
void average_ttl(Database& db, int64_t sum, int64_t samples, uint64_t steps) {
  const int64_t now = sum / samples;
  if (db.avg_ttl_ms == 0) {
    db.avg_ttl_ms = now;
  } else {
    // In long double, whose pow is one symbol in every glibc.
    const auto weight = static_cast<double>(std::pow(static_cast<long double>(0.98), steps));
    db.avg_ttl_ms = now + static_cast<int64_t>(static_cast<double>(db.avg_ttl_ms - now) * weight);
  }
}

}  // namespace

uint64_t ExpireCycle::begin(int64_t hz) {
  const uint64_t percent = kSlowTimePercent + 2 * static_cast<uint64_t>(level());
  const uint64_t budget = percent * 1000000 / static_cast<uint64_t>(std::max<int64_t>(1, hz)) / 100;
  if (active_) finish(End::kTimeLimit);
  start(time_limited_, budget);
  return between_turns();
}

void ExpireCycle::start(bool all_databases, uint64_t budget_us) {
  active_ = true;
  budget_us_ = budget_us;
  databases_left_ = ks_.databases();
  databases_to_do_ = all_databases ? ks_.databases() : std::min(kDatabasesPerCycle, ks_.databases());
  sampled_ = expired_ = hashes_looked_at_ = hashes_due_ = 0;
  fields_first_ = !fields_first_;
}

uint64_t ExpireCycle::between_turns() {
  const uint64_t from = clock_();
  if (!active_) {
    if (!time_limited_) return 0;
    const uint64_t limit = kFastUs + kFastUs / 4 * static_cast<uint64_t>(level());
    if (from < last_fast_us_ + 2 * limit) return 0;
    last_fast_us_ = from;
    start(true, limit);
  }
  const End end = run(std::min(kSliceUs, budget_us_));
  const uint64_t spent = clock_() - from;
  budget_us_ -= std::min(budget_us_, spent);
  if (end == End::kFinished || budget_us_ == 0) finish(end);
  ks_.stats.expire_cycle_cpu_us += spent;
  return spent;
}

void ExpireCycle::finish(End end) {
  active_ = false;
  time_limited_ = end == End::kTimeLimit;
  if (time_limited_) {
    ks_.stats.expired_time_cap_reached++;
    // So that one database cannot take all the time there is.
    next_db_ = (next_db_ + 1) % ks_.databases();
    next_fields_db_ = (next_fields_db_ + 1) % ks_.databases();
  }
  const auto average = [](double* percent, uint64_t stale, uint64_t all) {
    const double now = all == 0 ? 0 : 100.0 * static_cast<double>(stale) / static_cast<double>(all);
    *percent = now * 0.05 + *percent * 0.95;
  };
  average(&ks_.stats.expired_stale_perc, expired_, sampled_);
  average(&ks_.stats.hashes_stale_perc, hashes_due_, hashes_looked_at_);
}

ExpireCycle::End ExpireCycle::run(uint64_t limit_us) {
  const uint64_t start = clock_();
  const auto job = [&](bool fields) {
    return fields ? run_fields(start, limit_us) : run_keys(start, limit_us);
  };
  return job(fields_first_) == End::kTimeLimit ? End::kTimeLimit : job(!fields_first_);
}

ExpireCycle::End ExpireCycle::run_fields(uint64_t start, uint64_t limit_us) {
  const auto fields_per_step =
      static_cast<size_t>(kFieldsPerKey * (kKeysPerStep + kKeysPerStep / 4 * static_cast<uint64_t>(level())));
  for (int left = ks_.databases(); left > 0; left--) {
    Database& db = ks_.db(next_fields_db_);
    bool looked = false;
    do {
      if (ks_.expire_fields(db, fields_per_step, &looked) > 0) hashes_due_++;
      if (!looked) break;
      hashes_looked_at_++;
    } while (clock_() - start < limit_us);
    if (looked) return End::kTimeLimit;  // the next slice goes on with this database
    next_fields_db_ = (next_fields_db_ + 1) % ks_.databases();
  }
  return End::kFinished;
}

ExpireCycle::End ExpireCycle::run_keys(uint64_t start, uint64_t limit_us) {
  const auto effort_level = static_cast<uint64_t>(level());
  const uint64_t acceptable = kAcceptableStalePercent - effort_level;
  const uint64_t keys_per_step = kKeysPerStep + kKeysPerStep / 4 * effort_level;
  const int last_slot = ks_.clustered() ? Database::kSlots - 1 : 0;
  uint64_t steps = 0;

  while (databases_left_ > 0 && databases_to_do_ > 0) {
    Database& db = ks_.db(next_db_);
    int64_t ttl_sum = 0;
    int64_t ttl_samples = 0;
    uint64_t ttl_steps = 0;
    bool again = db.expires_size() != 0;
    if (again) {
      databases_to_do_--;
    } else {
      db.avg_ttl_ms = 0;
    }
    while (again) {
      steps++;
      const uint64_t want = std::min<uint64_t>(db.expires_size(), keys_per_step);
      uint64_t sampled = 0;
      uint64_t expired = 0;
      const int64_t samples_before = ttl_samples;
      bool wrapped = false;
      // Empty buckets are cheap, but not free.
      for (uint64_t buckets = 0; sampled < want && buckets < want * 10; buckets++) {
        db.expire_cursor = db.scan(KeyIndex::kExpiring, db.expire_cursor, 0, last_slot, true, [&](Entry* e) {
          const int64_t ttl = e->expire_ms() - ks_.now_ms;
          sampled++;
          if (ttl < 0) {
            ks_.delete_expired(db, ks_.ref(e->key()));
            expired++;
          } else if (ttl > 0) {
            ttl_sum += ttl;
            ttl_samples++;
          }
        });
        if (db.expire_cursor == 0) {
          wrapped = true;
          break;
        }
      }
      sampled_ += sampled;
      expired_ += expired;
      if (ttl_samples != samples_before) ttl_steps++;
      if (db.expires_size() == 0) {
        db.avg_ttl_ms = 0;
        ttl_samples = 0;
      }
      again = !wrapped && db.expires_size() != 0 && (sampled == 0 || expired * 100 / sampled > acceptable);
      const bool check = steps % kStepsPerCheck == 0;
      if (ttl_samples != 0 && (check || !again)) {
        average_ttl(db, ttl_sum, ttl_samples, ttl_steps);
        ttl_sum = ttl_samples = 0;
        ttl_steps = 0;
      }
      if (check && again && clock_() - start >= limit_us) {
        databases_to_do_++;  // the next slice goes on with this database
        return End::kTimeLimit;
      }
    }
    databases_left_--;
    next_db_ = (next_db_ + 1) % ks_.databases();
  }
  return End::kFinished;
}

void ReplicaKeyExpiry::run() {
  auto& keys = ks_.replica_keys;
  const uint64_t end = mono_us() + 1000;
  for (size_t n = std::min<size_t>(keys.size(), 4096); n > 0; n--) {
    auto it = keys.upper_bound(cursor_);
    if (it == keys.end()) it = keys.begin();
    cursor_ = *it;
    Database& db = ks_.db(cursor_.first);
    const KeyRef k = ks_.ref(cursor_.second);
    const EntrySlot slot = db.find(k);
    const bool has_deadline = slot && slot.get()->expire_ms() != kNoExpiry;
    const bool due = has_deadline && ks_.now_ms > slot.get()->expire_ms();
    if (due) ks_.delete_expired(db, k);
    if (due || !has_deadline) keys.erase(it);
    if (n % 64 == 0 && mono_us() >= end) return;
  }
}

}  // namespace kvasir
