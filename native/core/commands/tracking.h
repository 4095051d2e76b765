// Client-side caching: who may have a copy of which key, and telling them when it is no longer good.
//
// Two ways of tracking. By default the server remembers which client read which key (the table: key name,
// whatever the database, to client ids) and forgets the key when it has told them. In broadcasting mode it
// remembers only prefixes: changed keys are collected under every prefix that they begin with, and one
// message per prefix and turn tells its clients.
//
// The table is bounded (tracking-table-max-keys): beyond it random keys are invalidated, a slice at a time. A
// client that stops tracking leaves its id in the table, to be told of the same keys should it begin anew;
// once no such client is connected the table goes. Ids are never used again.
//
// What a command invalidates for its own client is told after its reply, see push.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/hash.h"
#include "base/rng.h"
#include "base/slice.h"
#include "commands/push.h"
#include "keyspace/keyspace.h"

namespace kvasir {

struct Client;
struct Command;

struct TrackingOptions {
  bool bcast = false, optin = false, optout = false, noloop = false;
  uint64_t redirect = 0;  // the client that is told instead; 0: none
};

struct TrackedPrefix {
  // By id. A pointer each: a client may have many thousand prefixes, and what it holds counts against
  // maxmemory-clients as it does in Valkey, whose estimate this stays below.
  std::vector<Client*> clients;
  bool add(Client* c);  // false: it is there
  void remove(const Client* c);

  std::map<std::string, uint64_t, std::less<>>
      changed;  // keys of this turn, with the client that did it; 0: none
};
using PrefixTable = std::map<std::string, TrackedPrefix, std::less<>>;

struct ClientTracking {
  TrackingOptions options;
  bool caching = false;          // CLIENT CACHING was given for the next command or transaction
  bool broken_redirect = false;  // the client that is to be told has gone
  std::vector<PrefixTable::iterator> prefixes;  // in their order

  // Bytes for this client; the texts of the prefixes, which clients share, are not among them.
  [[nodiscard]] size_t memory() const;
};

class Tracking {
 public:
  Tracking(Keyspace* ks, Pushes* pushes, const std::map<uint64_t, Client*>* clients, Rng* rng)
      : ks_(ks), pushes_(pushes), clients_(clients), rng_(rng) {}

  size_t max_keys = 1000000;  // 0: no limit

  [[nodiscard]] size_t clients() const { return trackers_.size(); }
  [[nodiscard]] size_t keys() const { return order_.size(); }
  [[nodiscard]] size_t items() const { return items_; }  // clients under keys
  [[nodiscard]] size_t prefixes() const { return prefixes_.size(); }

  // Begins to track, or changes how. The prefixes are added to those that the client has.
  void enable(Client* c, const TrackingOptions& options, std::span<const Slice> prefixes);
  void disable(Client* c);
  // The client is being closed.
  void forget(Client* c);
  // Changes must be told: somebody tracks, or a client that did may be in the table.
  [[nodiscard]] bool interested() const { return !trackers_.empty() || !order_.empty(); }
  // Two prefixes that would invalidate one key: of those given the first that is in the way of another, and
  // whether that one is the client's already. False: there are none.
  struct Overlap {
    Slice prefix, with;
    bool existing;
  };
  static bool overlap(const Client& c, std::span<const Slice> prefixes, Overlap* found);

  // The client has read the keys of this request.
  void remember(Client& tracker, const Command& command, std::span<const Slice> argv);
  // A key changed. changer: the client that did it, nullptr if it was nobody's command.
  void key_modified(Slice key, const Client* changer);
  // A database is being emptied: to be on the safe side, everything is invalid.
  void flushed();
  // A command of the client is over, the last of a transaction if it is one.
  static void command_done(Client& c, const Command* command);

  // What the command that ends invalidated for its own client.
  void send_pending();
  // Tells the clients of all prefixes what changed in this turn.
  void broadcast();
  [[nodiscard]] bool to_broadcast() const { return !changed_.empty(); }
  // A slice of the work of coming back to max_keys; the more, the longer it has been over it.
  void limit_keys();

 private:
  struct Key {
    std::string name;
    std::vector<uint64_t> ids;  // ascending
    size_t place = 0;           // in order_
  };
  struct NameHash {
    using is_transparent = void;
    size_t operator()(Slice s) const { return hash_bytes(s); }
    size_t operator()(const std::unique_ptr<Key>& k) const { return hash_bytes(Slice(k->name)); }
  };
  struct NameEqual {
    using is_transparent = void;
    static Slice name(Slice s) { return s; }
    static Slice name(const std::unique_ptr<Key>& k) { return k->name; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return name(a) == name(b);
    }
  };
  using Table = std::unordered_set<std::unique_ptr<Key>, NameHash, NameEqual>;

  // What is told: the array of keys or null, and its frames, one per form.
  struct Invalidation {
    explicit Invalidation(Slice array) : body(array, nullptr) {}
    PushBody body;
    PushFrame push, message;
  };
  void tell(Client& c, Invalidation& what);
  void invalidate(Slice key);
  void drop_table();
  void update_interest();
  Table::node_type take(Table::const_iterator it);

  Keyspace* ks_;
  Pushes* pushes_;
  const std::map<uint64_t, Client*>* clients_;
  Rng* rng_;
  std::map<uint64_t, Client*> trackers_;
  std::unordered_set<uint64_t> former_;  // connected clients that tracked once and do not now
  Table table_;
  std::vector<Key*> order_;  // the same keys, for choosing one at random
  size_t items_ = 0;
  unsigned over_limit_ = 0;  // how often limit_keys() has found more than it could do
  PrefixTable prefixes_;
  std::map<size_t, size_t> prefix_lengths_;  // with how many prefixes have it
  std::map<Slice, TrackedPrefix*, bool (*)(const Slice&, const Slice&)> changed_{
      [](const Slice& a, const Slice& b) { return compare(a, b) < 0; }};  // prefixes with changed keys
  struct PendingKey {
    bool all;
    std::string key;
  };
  std::vector<PendingKey> pending_;
};

}  // namespace kvasir
