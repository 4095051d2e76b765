// SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites, PUBLISH, SPUBLISH, PUBSUB.
#include "base/glob.h"
#include "commands/core.h"

namespace kvasir {

namespace {

struct Words {
  Slice subscribe, unsubscribe;
};
const Words& words(TopicKind kind) {
  static const Words kWords[] = {{{"subscribe", 9}, {"unsubscribe", 11}},
                                 {{"psubscribe", 10}, {"punsubscribe", 12}},
                                 {{"ssubscribe", 10}, {"sunsubscribe", 12}}};
  return kWords[static_cast<size_t>(kind)];
}

// Confirmations are pushes: CLIENT REPLY OFF does not silence them.
class Unmuted {
 public:
  explicit Unmuted(Reply& reply) : reply_(reply), was_(reply.muted) { reply.muted = false; }
  ~Unmuted() { reply_.muted = was_; }
  Unmuted(const Unmuted&) = delete;
  Unmuted& operator=(const Unmuted&) = delete;

 private:
  Reply& reply_;
  bool was_;
};

void confirm(const Call& call, TopicKind kind, Slice word, const Slice* name) {
  Reply& reply = call.reply();
  const auto& subscriptions = call.client.subscriptions;
  reply.push(3);
  reply.bulk(word);
  if (name == nullptr) {
    reply.null();
  } else {
    reply.bulk(*name);
  }
  reply.integer(subscriptions == nullptr ? 0 : static_cast<int64_t>(subscriptions->counted_with(kind)));
}

template <TopicKind kKind>
void subscribe_command(Call& call) {
  // Transactions may, for channels and patterns, as they always could.
  if (kKind == TopicKind::kShardChannel && call.client.flags.no_blocking) {
    call.reply().error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    return;
  }
  const Unmuted unmuted(call.reply());
  for (int i = 1; i < call.argc(); i++) {
    const Slice name = call.arg(i);
    call.core.pubsub.subscribe(&call.client, kKind, name);
    confirm(call, kKind, words(kKind).subscribe, &name);
  }
  call.client.flags.pubsub = true;
}

template <TopicKind kKind>
void unsubscribe_command(Call& call) {
  Client& c = call.client;
  const Unmuted unmuted(call.reply());
  const Slice word = words(kKind).unsubscribe;
  std::vector<std::string> all;
  if (call.argc() == 1 && c.subscriptions != nullptr) {
    for (const auto& [topic, at] : c.subscriptions->of(kKind)) all.push_back(topic->name);
  }
  const auto leave = [&](Slice name) {
    call.core.pubsub.unsubscribe(&c, kKind, name);
    confirm(call, kKind, word, &name);
  };
  for (const std::string& name : all) leave(name);
  for (int i = 1; i < call.argc(); i++) leave(call.arg(i));
  if (call.argc() == 1 && all.empty()) confirm(call, kKind, word, nullptr);
  if (c.subscriptions == nullptr || c.subscriptions->total() == 0) c.flags.pubsub = false;
}

template <bool kSharded>
void publish_command(Call& call) {
  StrBuf* const buf = call.bufs == nullptr ? nullptr : call.bufs[2];
  const size_t receivers = call.core.pubsub.publish(call.arg(1), call.arg(2), buf, kSharded);
  // The bus of a cluster reaches the replicas by itself.
  if (!call.ks().clustered() && call.propagating()) call.propagation().force_to_replicas();
  call.reply().integer(static_cast<int64_t>(receivers));
}

template <TopicKind kKind>
void channels_command(Call& call) {
  if (call.argc() > 3) {
    call.reply().errorf("ERR unknown subcommand or wrong number of arguments for '%.128s'. Try PUBSUB HELP.",
                        call.arg(1).str().c_str());
    return;
  }
  Reply& reply = call.reply();
  const Output::Mark mark = reply.begin_aggregate();
  int64_t n = 0;
  call.core.pubsub.each_name(kKind, [&](Slice name) {
    if (call.argc() == 3 && !glob_match(call.arg(2), name)) return;
    reply.bulk(name);
    n++;
  });
  reply.end_array(mark, n);
}

template <TopicKind kKind>
void numsub_command(Call& call) {
  Reply& reply = call.reply();
  reply.array((call.argc() - 2) * 2);
  for (int i = 2; i < call.argc(); i++) {
    reply.bulk(call.arg(i));
    reply.integer(static_cast<int64_t>(call.core.pubsub.subscribers(kKind, call.arg(i))));
  }
}

void numpat_command(Call& call) {
  call.reply().integer(static_cast<int64_t>(call.core.pubsub.topics(TopicKind::kPattern)));
}

}  // namespace

void register_pubsub_commands(HandlerMap& map) {
  map["subscribe"] = subscribe_command<TopicKind::kChannel>;
  map["unsubscribe"] = unsubscribe_command<TopicKind::kChannel>;
  map["psubscribe"] = subscribe_command<TopicKind::kPattern>;
  map["punsubscribe"] = unsubscribe_command<TopicKind::kPattern>;
  map["ssubscribe"] = subscribe_command<TopicKind::kShardChannel>;
  map["sunsubscribe"] = unsubscribe_command<TopicKind::kShardChannel>;
  map["publish"] = publish_command<false>;
  map["spublish"] = publish_command<true>;
  map["pubsub|channels"] = channels_command<TopicKind::kChannel>;
  map["pubsub|shardchannels"] = channels_command<TopicKind::kShardChannel>;
  map["pubsub|numsub"] = numsub_command<TopicKind::kChannel>;
  map["pubsub|shardnumsub"] = numsub_command<TopicKind::kShardChannel>;
  map["pubsub|numpat"] = numpat_command;
}

}  // namespace kvasir
