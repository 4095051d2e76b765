#include "commands/pubsub.h"

#include "base/glob.h"
#include "commands/client.h"

namespace kvasir {

namespace {

constexpr TopicKind kKinds[] = {TopicKind::kChannel, TopicKind::kPattern, TopicKind::kShardChannel};

// Sends one message to the subscribers of a topic; encode(client) makes its frame, once per protocol.
template <class Encode>
size_t send_all(Pushes* pushes, const Topic& topic, Encode encode) {
  PushFrame frames[2];
  for (Client* c : topic.clients) {
    PushFrame& f = frames[c->reply.resp - 2];
    if (f.empty()) f = encode(*c);
    pushes->send(*c, f);
  }
  return topic.clients.size();
}

}  // namespace

size_t Subscriptions::memory() const {
  constexpr size_t kNode = sizeof(Topic*) + sizeof(size_t) + 2 * sizeof(void*);
  size_t n = sizeof *this;
  for (const auto& t : topics) n += t.size() * kNode + t.bucket_count() * sizeof(void*);
  return n;
}

Topic* PubSub::find(TopicKind kind, Slice name) const {
  const auto it = table(kind).find(name);
  return it == table(kind).end() ? nullptr : it->get();
}

bool PubSub::subscribe(Client* c, TopicKind kind, Slice name) {
  if (c->subscriptions == nullptr) c->subscriptions = std::make_unique<Subscriptions>();
  Topic* t = find(kind, name);
  if (t == nullptr) {
    auto fresh = std::make_unique<Topic>();
    fresh->name = name.str();
    t = fresh.get();
    tables_[static_cast<size_t>(kind)].insert(std::move(fresh));
  }
  if (!c->subscriptions->topics[static_cast<size_t>(kind)].emplace(t, t->clients.size()).second) return false;
  t->clients.push_back(c);
  return true;
}

bool PubSub::unsubscribe(Client* c, TopicKind kind, Slice name) {
  Topic* const t = find(kind, name);
  if (t == nullptr || c->subscriptions == nullptr) return false;
  auto& mine = c->subscriptions->topics[static_cast<size_t>(kind)];
  const auto it = mine.find(t);
  if (it == mine.end()) return false;
  const size_t at = it->second;
  mine.erase(it);
  remove(c, kind, t, at);
  return true;
}

// The last subscriber takes the place that becomes free.
void PubSub::remove(Client* c, TopicKind kind, Topic* t, size_t at) {
  Client* const last = t->clients.back();
  t->clients.pop_back();
  if (last != c) {
    t->clients[at] = last;
    last->subscriptions->topics[static_cast<size_t>(kind)][t] = at;
  } else if (t->clients.empty()) {
    Table& table = tables_[static_cast<size_t>(kind)];
    table.erase(table.find(Slice(t->name)));
  }
}

void PubSub::forget(Client* c) {
  if (c->subscriptions == nullptr) return;
  for (const TopicKind kind : kKinds) {
    for (const auto& [topic, at] : c->subscriptions->of(kind)) remove(c, kind, topic, at);
  }
  c->subscriptions.reset();
}

size_t PubSub::publish(Slice channel, Slice message, StrBuf* buf, bool sharded) {
  PushBody body(message, buf);
  size_t receivers = 0;
  const Slice kind = sharded ? Slice("smessage", 8) : Slice("message", 7);
  if (const Topic* const t = find(sharded ? TopicKind::kShardChannel : TopicKind::kChannel, channel)) {
    receivers += send_all(pushes_, *t, [&](const Client& c) {
      return pushes_->message(c, {kind, channel}, body);
    });
  }
  if (sharded) return receivers;
  for (const auto& t : table(TopicKind::kPattern)) {
    if (!glob_match(t->name, channel)) continue;
    receivers += send_all(pushes_, *t, [&](const Client& c) {
      return pushes_->message(c, {{"pmessage", 8}, t->name, channel}, body);
    });
  }
  return receivers;
}

}  // namespace kvasir
