// MULTI: what a client has queued, and WATCH: who wants to know whether a key changed before EXEC.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "commands/command.h"
#include "keyspace/db_key.h"
#include "keyspace/keyspace.h"
#include "resp/saved_request.h"

namespace kvasir {

struct Client;

// Between MULTI and EXEC or DISCARD.
struct Transaction {
  struct Queued {
    SavedRequest request;
    Command* command;
    uint64_t hash;  // of its first key, and that key's slot: see Pending
    int slot;
  };
  static constexpr size_t kUsualSize = 16;  // of a queue: room from the start
  std::vector<Queued> queue;
  uint64_t command_flags = 0;            // of all that is queued, or'ed
  uint64_t common_flags = ~uint64_t{0};  // and'ed
  size_t bytes = 0;                      // of their arguments
  bool refused = false;                  // a command could not be queued: EXEC will discard

  // EXEC will run nothing: what is queued need not be kept, and nothing more is.
  void drop_queue();
};

// The keys that one client watches.
struct Watching {
  struct Key {
    int db;
    std::string name;
    bool was_due;  // it was past its deadline when WATCH saw it: its removal is no change
  };
  std::vector<Key> keys;
  size_t bytes = 0;      // that they take
  bool changed = false;  // one of them was: EXEC answers null. No more is watched from then on.
};

// Who watches which key. A client appears under a key at most once.
class WatchedKeys {
 public:
  explicit WatchedKeys(Keyspace* ks) : ks_(ks) {}
  [[nodiscard]] size_t clients() const { return clients_; }
  [[nodiscard]] size_t keys() const { return index_.size(); }

  void watch(Client* c, int db, Slice key);
  // Forgets all keys of the client and that any changed.
  void unwatch(Client* c);
  // Whether EXEC must not run: a key changed, or is past its deadline only now.
  [[nodiscard]] bool broken(const Client& c) const;

  void key_modified(const Database& db, Slice key);
  // The database (-1: every one) is about to be emptied; swapped with another if `with` is one.
  void flushed(int db, int with = -1);

 private:
  void mark_changed(Client* c);
  void drop(Client* c);
  [[nodiscard]] bool due(const Watching::Key& k) const;

  Keyspace* ks_;
  std::unordered_map<DbKey, std::vector<Client*>, DbKeyHash> index_;
  size_t clients_ = 0;
};

}  // namespace kvasir
