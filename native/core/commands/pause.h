// Who has paused clients, until when, and how: CLIENT PAUSE, a shutdown that waits for replicas, a failover,
// a slot migration. Each reason has one pause; what clients feel is the strictest that is not over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace kvasir {

// kKeyMigration: MIGRATE, which counts as a slot migration for who asks.
enum class PauseReason : uint8_t { kClient, kShutdown, kFailover, kSlotMigration, kKeyMigration };
inline constexpr size_t kPauseReasons = 5;

enum class PauseScope : uint8_t { kNone, kWrites, kAll };

class Pauses {
 public:
  // Pauses until end_ms (wall clock). The scope replaces that of an earlier pause for this reason, its end
  // only moves back.
  void pause(PauseReason reason, int64_t end_ms, PauseScope scope) {
    One& one = at(reason);
    one.scope = scope;
    if (end_ms > one.end_ms) one.end_ms = end_ms;
    refresh();
  }
  void end(PauseReason reason) {
    at(reason) = {};
    refresh();
  }
  // Forgets the pauses that are over.
  void update(int64_t now_ms) {
    for (One& one : by_reason_) {
      if (one.end_ms <= now_ms) one = {};
    }
    refresh();
  }

  // The strictest, as of the last update().
  [[nodiscard]] PauseScope scope() const { return scope_; }
  [[nodiscard]] PauseScope scope_of(PauseReason reason) const {
    return by_reason_[static_cast<size_t>(reason)].scope;
  }
  // When the first of them ends; 0: there is none.
  [[nodiscard]] int64_t next_end_ms() const {
    int64_t next = 0;
    for (const One& one : by_reason_) {
      if (one.scope != PauseScope::kNone && (next == 0 || one.end_ms < next)) next = one.end_ms;
    }
    return next;
  }
  // INFO's paused_reason: the reason of that scope which lasts longest. *left_ms: how long.
  [[nodiscard]] const char* longest(int64_t now_ms, int64_t* left_ms) const {
    static constexpr const char* kNames[kPauseReasons] = {
        "client_pause", "shutdown_in_progress", "failover_in_progress", "slot_migration_in_progress",
        "slot_migration_in_progress"};
    const char* name = "none";
    *left_ms = 0;
    for (size_t i = 0; i < kPauseReasons; i++) {
      const One& one = by_reason_[i];
      if (one.scope == PauseScope::kNone || one.scope < scope_ || one.end_ms - now_ms <= *left_ms) continue;
      *left_ms = one.end_ms - now_ms;
      name = kNames[i];
    }
    return name;
  }

 private:
  struct One {
    int64_t end_ms = 0;
    PauseScope scope = PauseScope::kNone;
  };
  void refresh() {
    scope_ = PauseScope::kNone;
    for (const One& one : by_reason_) {
      if (one.scope > scope_) scope_ = one.scope;
    }
  }
  One& at(PauseReason reason) { return by_reason_[static_cast<size_t>(reason)]; }
  std::array<One, kPauseReasons> by_reason_{};
  PauseScope scope_ = PauseScope::kNone;
};

}  // namespace kvasir
