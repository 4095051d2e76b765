// Clients that wait for keys (BLPOP and its kind, BZPOPMIN, XREAD BLOCK): who waits for what, who is to be
// served, and until when they wait.
//
// A command that finds nothing to do calls Call::block() and returns without a reply. The request is kept and
// run again, whole, when one of its keys may serve it; if it still finds nothing it blocks again, with the
// deadline and the place in the queues that it had. Clients are served in the order in which they blocked,
// right after the command, transaction or script that made the key ready and before anything else runs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/slice.h"
#include "keyspace/db_key.h"
#include "types/type.h"

namespace kvasir {

struct Client;

inline constexpr int64_t kNoDeadline = 0;

// What a blocked client waits for; lives in the client while it is blocked on keys.
struct BlockedOnKeys {
  Type type;             // of the value that would serve it
  bool unblock_on_gone;  // also when the key is deleted or gets another type (XREADGROUP)
  int64_t deadline_ms;   // wall clock; kNoDeadline: for ever
  uint64_t order = 0;    // of blocking; 0: it blocks for the first time
  std::vector<std::pair<size_t, std::string>> new_args;  // arguments that the second run gets instead
  uint64_t run_ns = 0;                                   // time spent in the command so far

  using Queue = std::map<uint64_t, Client*>;  // by order
  struct Place {
    const DbKey* key;
    Queue::iterator at;
  };
  std::vector<Place> places;
};

class BlockedClients {
 public:
  // How many clients wait for keys of a type, and for how many keys in all.
  [[nodiscard]] size_t waiting(Type t) const { return by_type_[static_cast<size_t>(t)]; }
  [[nodiscard]] size_t clients() const { return clients_; }
  [[nodiscard]] size_t keys() const { return waiting_.size(); }
  [[nodiscard]] size_t keys_on_gone() const { return on_gone_; }
  // Clients whose wait has an end.
  [[nodiscard]] size_t timed() const { return deadlines_.size(); }

  // Puts the client into the queue of each key: at the end, or where it was if it has blocked before. A key
  // named twice counts once.
  void block(Client* c, int db, std::vector<std::string> keys, std::unique_ptr<BlockedOnKeys> what);
  // Takes it out of all queues; returns what it waited for.
  std::unique_ptr<BlockedOnKeys> unblock(Client* c);

  // A value of this type appeared under the key, or was added to. Remembered until take_ready().
  void key_ready(int db, Slice key, Type type);
  // The key was deleted or its type changed.
  void key_gone(int db, Slice key);
  [[nodiscard]] bool any_ready() const { return !ready_.empty(); }
  std::vector<DbKey> take_ready() { return std::exchange(ready_, {}); }
  // In the order in which they are to be served.
  [[nodiscard]] std::vector<Client*> queue(const DbKey& key) const;
  // All keys of a database that somebody waits for (SWAPDB: the databases' contents change).
  [[nodiscard]] std::vector<std::string> keys_in(int db) const;

  // The client whose time is over first and is over, or nullptr.
  [[nodiscard]] Client* overdue(int64_t now_ms) const;
  // When the next client's time is over; kNoDeadline: never.
  [[nodiscard]] int64_t next_deadline_ms() const {
    return deadlines_.empty() ? kNoDeadline : deadlines_.begin()->first;
  }

 private:
  void mark_ready(int db, Slice key);

  std::unordered_map<DbKey, BlockedOnKeys::Queue, DbKeyHash> waiting_;
  std::set<std::pair<int64_t, Client*>> deadlines_;
  uint64_t last_order_ = 0;
  std::vector<DbKey> ready_;  // each once
  size_t by_type_[kTypes] = {};
  size_t clients_ = 0;
  size_t on_gone_ = 0;
};

}  // namespace kvasir
