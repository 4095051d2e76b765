// Who listens to what: channels, patterns and sharded channels.
//
// A topic is the name of one of them with its subscribers. A client knows its topics and its place in each
// topic's list, so that subscribing, unsubscribing and going away cost what the client's own subscriptions
// cost, however many others listen. Invariant: topic->clients[i] == c exactly if c's subscriptions of that
// kind map the topic to i; a topic without subscribers does not exist.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/hash.h"
#include "base/slice.h"
#include "commands/push.h"

namespace kvasir {

struct Client;

enum class TopicKind : uint8_t { kChannel, kPattern, kShardChannel };

struct Topic {
  std::string name;
  std::vector<Client*> clients;
};

// What one client listens to.
struct Subscriptions {
  std::array<std::unordered_map<Topic*, size_t>, 3> topics;  // by TopicKind
  [[nodiscard]] const std::unordered_map<Topic*, size_t>& of(TopicKind kind) const {
    return topics[static_cast<size_t>(kind)];
  }
  // What SUBSCRIBE and its kin answer: channels and patterns are counted together, sharded channels alone.
  [[nodiscard]] size_t counted_with(TopicKind kind) const {
    if (kind == TopicKind::kShardChannel) return of(kind).size();
    return of(TopicKind::kChannel).size() + of(TopicKind::kPattern).size();
  }
  [[nodiscard]] size_t total() const { return topics[0].size() + topics[1].size() + topics[2].size(); }
  [[nodiscard]] size_t memory() const;
};

class PubSub {
 public:
  explicit PubSub(Pushes* pushes) : pushes_(pushes) {}

  // False: nothing changed.
  bool subscribe(Client* c, TopicKind kind, Slice name);
  bool unsubscribe(Client* c, TopicKind kind, Slice name);
  // Ends all of a client's subscriptions without telling it.
  void forget(Client* c);

  // To the subscribers of the channel and, unless it is sharded, of matching patterns. buf: where the message
  // lives, or nullptr. Returns how many times it was sent.
  size_t publish(Slice channel, Slice message, StrBuf* buf, bool sharded);

  [[nodiscard]] size_t subscribers(TopicKind kind, Slice name) const {
    const Topic* const t = find(kind, name);
    return t == nullptr ? 0 : t->clients.size();
  }
  [[nodiscard]] size_t topics(TopicKind kind) const { return table(kind).size(); }
  template <class F>
  void each_name(TopicKind kind, F f) const {
    for (const auto& t : table(kind)) f(Slice(t->name));
  }

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(Slice s) const { return hash_bytes(s); }
    size_t operator()(const std::unique_ptr<Topic>& t) const { return hash_bytes(Slice(t->name)); }
  };
  struct NameEqual {
    using is_transparent = void;
    static Slice name(Slice s) { return s; }
    static Slice name(const std::unique_ptr<Topic>& t) { return t->name; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return name(a) == name(b);
    }
  };
  using Table = std::unordered_set<std::unique_ptr<Topic>, NameHash, NameEqual>;
  [[nodiscard]] const Table& table(TopicKind kind) const { return tables_[static_cast<size_t>(kind)]; }
  [[nodiscard]] Topic* find(TopicKind kind, Slice name) const;
  void remove(Client* c, TopicKind kind, Topic* t, size_t at);

  Pushes* pushes_;
  std::array<Table, 3> tables_;  // by TopicKind
};

}  // namespace kvasir
