#include "commands/pubsub.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "commands/command_keys.h"
#include "commands/core.h"

using namespace kvasir;

namespace {

std::string bytes_of(const Output& out) {
  iovec iov[1024];
  const int n = out.peek(iov, 1024);
  std::string s;
  for (int i = 0; i < n; i++) s.append(static_cast<const char*>(iov[i].iov_base), iov[i].iov_len);
  return s;
}

struct Room {
  Client* client(uint8_t resp = 2) {
    clients.push_back(std::make_unique<Client>(clients.size() + 1, &arena));
    clients.back()->reply.resp = resp;
    by_id[clients.back()->id] = clients.back().get();
    return clients.back().get();
  }
  std::string read(Client* c) {
    std::string s = bytes_of(c->out);
    c->out.consume(s.size());
    return s;
  }
  ReplyArena arena;
  Pushes pushes;
  PubSub pubsub{&pushes};
  std::map<uint64_t, Client*> by_id;
  std::vector<std::unique_ptr<Client>> clients;
};

struct NoSignals final : Signals {
  void key_modified(Database&, Slice, bool) override {}
  void notify(uint32_t, const char*, Slice, int) override {}
  void propagate_delete(Database&, Slice, bool) override {}
  void expiry_took(int64_t) override {}
  void propagate_field_delete(kvasir::Database&, kvasir::Slice, std::span<const kvasir::Slice>, bool,
                              bool) override {}
  void flushed(int) override {}
  void swapping(int, int) override {}
  void swapped(int, int) override {}
  void key_ready(Database&, Slice, Type) override {}
  void key_gone(Database&, Slice) override {}
};

}  // namespace

TEST(message_frames) {
  Room r;
  Client* two = r.client(2);
  Client* three = r.client(3);
  for (Client* c : {two, three}) CHECK(r.pubsub.subscribe(c, TopicKind::kChannel, "ch"));
  CHECK(!r.pubsub.subscribe(two, TopicKind::kChannel, "ch"));
  CHECK(r.pubsub.subscribe(three, TopicKind::kPattern, "c?"));
  CHECK_EQ(r.pubsub.publish("ch", "hi", nullptr, false), size_t{3});
  CHECK_EQ(r.read(two), std::string("*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n"));
  CHECK_EQ(r.read(three), std::string(">3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n"
                                      ">4\r\n$8\r\npmessage\r\n$2\r\nc?\r\n$2\r\nch\r\n$2\r\nhi\r\n"));
  CHECK_EQ(r.pubsub.publish("ch", "hi", nullptr, true), size_t{0});
}

TEST(frames_are_shared) {
  Room r;
  std::vector<Client*> all;
  for (int i = 0; i < 100; i++) {
    all.push_back(r.client());
    r.pubsub.subscribe(all.back(), TopicKind::kChannel, "ch");
  }
  const char* before = r.arena.shared().position();
  r.pubsub.publish("ch", "small", nullptr, false);
  CHECK(r.arena.shared().position() - before < 100);
  // A long message is held once, by references; what is left of a turn stays right after the arena is reset.
  StrBuf* const message = StrBuf::copy_of(std::string(100000, 'm'));
  r.pubsub.publish("ch", message->slice(), message, false);
  CHECK_EQ(message->refs(), 101U);
  const std::string expected = bytes_of(all[0]->out);
  CHECK_EQ(expected.size(), size_t{36 + 34 + 100000 + 2});
  for (Client* c : all) c->out.settle();
  r.arena.reset();
  memset(r.arena.reserve(1000), 'x', 1000);
  memset(r.arena.shared().reserve(1000), 'x', 1000);
  for (Client* c : all) {
    CHECK(bytes_of(c->out) == expected);
    CHECK_EQ(c->out.turn_bytes(), size_t{0});
    c->out.clear();
  }
  CHECK(message->unique());
  message->release();
}

TEST(messages_in_a_row_are_one_range) {
  Room r;
  Client* publisher = r.client();
  Client* subscriber = r.client();
  r.pubsub.subscribe(subscriber, TopicKind::kChannel, "ch");
  for (int i = 0; i < 50; i++) {
    r.pubsub.publish("ch", std::to_string(i), nullptr, false);
    publisher->reply.integer(1);
  }
  iovec iov[4];
  CHECK_EQ(subscriber->out.peek(iov, 4), 1);
  CHECK_EQ(publisher->out.peek(iov, 4), 1);
  std::string expected;
  for (int i = 0; i < 50; i++) {
    const std::string n = std::to_string(i);
    expected += "*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$";
    expected += std::to_string(n.size()).append("\r\n").append(n).append("\r\n");
  }
  CHECK_EQ(r.read(subscriber), expected);
}

TEST(own_pushes_wait_for_the_reply) {
  Room r;
  Client* c = r.client();
  r.pubsub.subscribe(c, TopicKind::kChannel, "ch");
  r.pushes.begin(c);
  r.pubsub.publish("ch", "1", nullptr, false);
  CHECK(r.pushes.unfinished);
  c->reply.integer(1);
  std::vector<Client*> lagging;
  r.pushes.end(&lagging);
  CHECK_EQ(r.read(c), std::string(":1\r\n*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$1\r\n1\r\n"));
  // A client whose output became long is named, once the command is over.
  Client* other = r.client();
  r.pubsub.subscribe(other, TopicKind::kChannel, "ch");
  r.pubsub.publish("ch", std::string(20000, 'x'), nullptr, false);
  r.pushes.end(&lagging);
  CHECK(std::find(lagging.begin(), lagging.end(), other) != lagging.end());
  r.pushes.begin(nullptr);
}

TEST(registry_against_a_model) {
  Room r;
  Rng rng;
  using Model = std::map<std::pair<int, std::string>, std::set<Client*>>;
  Model model;
  for (int i = 0; i < 20; i++) r.client();
  for (int step = 0; step < 50000; step++) {
    Client* c = r.clients[rng.below(20)].get();
    const auto kind = static_cast<TopicKind>(rng.below(3));
    const std::string name = "t" + std::to_string(rng.below(12));
    const std::pair<int, std::string> topic(static_cast<int>(kind), name);
    switch (rng.below(10)) {
      case 0:
        r.pubsub.forget(c);
        for (auto it = model.begin(); it != model.end();) {
          it->second.erase(c);
          it = it->second.empty() ? model.erase(it) : std::next(it);
        }
        break;
      case 1:
      case 2:
      case 3: {
        const bool was = model.contains(topic) && model[topic].erase(c) > 0;
        if (model.contains(topic) && model[topic].empty()) model.erase(topic);
        CHECK_EQ(r.pubsub.unsubscribe(c, kind, name), was);
        break;
      }
      default:
        CHECK_EQ(r.pubsub.subscribe(c, kind, name), model[topic].insert(c).second);
    }
    const size_t here = model.contains(topic) ? model[topic].size() : 0;
    CHECK_EQ(r.pubsub.subscribers(kind, name), here);
    if (step % 100 != 0) continue;
    size_t topics = 0;
    for (const auto& [t, clients] : model) topics += t.first == static_cast<int>(kind) ? 1 : 0;
    CHECK_EQ(r.pubsub.topics(kind), topics);
    size_t mine = 0;
    for (const auto& [t, clients] : model) mine += clients.count(c);
    CHECK_EQ(c->subscriptions == nullptr ? 0 : c->subscriptions->total(), mine);
  }
  for (const auto& c : r.clients) r.pubsub.forget(c.get());
  for (int k = 0; k < 3; k++) CHECK_EQ(r.pubsub.topics(static_cast<TopicKind>(k)), size_t{0});
}

TEST(keys_of_requests) {
  const auto keys = [](std::vector<int32_t> specs, std::vector<Slice> argv) {
    Command c;
    c.key_specs = std::move(specs);
    std::string found;
    each_key(c, argv, [&](int i) { found += argv[static_cast<size_t>(i)].str() + " "; });
    return found;
  };
  // MGET: index 1, range to the last.
  CHECK_EQ(keys({0, 1, 1, 0, 1, -1, 1, 0}, {"mget", "a", "b", "c"}), std::string("a b c "));
  CHECK_EQ(keys({0, 1, 1, 0, 1, -1, 2, 0}, {"mset", "a", "1", "b", "2"}), std::string("a b "));
  // XREAD: keyword STREAMS, the first half of what follows.
  CHECK_EQ(keys({0, 2, 3, 1, 1, -1, 1, 2}, {"xread", "count", "1", "streams", "a", "b", "0", "0"}),
           std::string("a b "));
  CHECK_EQ(keys({0, 2, 3, 1, 1, -1, 1, 2}, {"xread", "count", "1"}), std::string());
  // ZINTER: numkeys at 1; a number that claims more than there is.
  CHECK_EQ(keys({0, 1, 1, 0, 2, 0, 1, 1}, {"zinter", "2", "a", "b", "weights"}), std::string("a b "));
  CHECK_EQ(keys({0, 1, 1, 0, 2, 0, 1, 1}, {"zinter", "9", "a"}), std::string());
  CHECK_EQ(keys({0, 1, 1, 0, 2, 0, 1, 1}, {"zinter", "x", "a"}), std::string());
}

TEST(tracking) {
  Room r;
  NoSignals signals;
  Keyspace ks(1, false, &signals);
  Rng rng;
  Tracking t(&ks, &r.pushes, &r.by_id, &rng);
  Command get;
  get.key_specs = {0, 1, 1, 0, 1, -1, 1, 0};
  Client* c = r.client(3);
  CHECK_EQ(ks.interest_modified, 0);
  t.enable(c, {}, {});
  CHECK_EQ(ks.interest_modified, Keyspace::kTrackers);
  t.max_keys = 100;
  std::vector<std::string> names;
  for (int i = 0; i < 1000; i++) names.push_back("key" + std::to_string(i));
  for (const std::string& n : names) {
    const Slice argv[] = {"get", n};
    t.remember(*c, get, argv);
    t.remember(*c, get, argv);
  }
  CHECK_EQ(t.keys(), size_t{1000});
  CHECK_EQ(t.items(), size_t{1000});
  // The effort grows from call to call: 100, 200, 300, then what is left.
  for (int i = 0; i < 4; i++) t.limit_keys();
  CHECK_EQ(t.keys(), size_t{100});
  r.read(c);
  for (const std::string& n : names) t.key_modified(n, nullptr);
  CHECK_EQ(t.keys(), size_t{0});
  CHECK_EQ(t.items(), size_t{0});
  size_t told = 0;
  const std::string all = r.read(c);
  for (size_t at = 0; (at = all.find("invalidate", at)) != std::string::npos; at++) told++;
  CHECK_EQ(told, size_t{100});
  const Slice again[] = {"get", "key1"};
  t.remember(*c, get, again);
  t.disable(c);
  // It may come back.
  CHECK_EQ(ks.interest_modified, Keyspace::kTrackers);
  t.enable(c, {}, {});
  t.key_modified("key1", nullptr);
  CHECK(!r.read(c).empty());
  t.remember(*c, get, again);
  t.forget(c);
  CHECK_EQ(ks.interest_modified, 0);
  CHECK_EQ(t.keys(), size_t{0});

  const Slice prefixes[] = {"a:", "b:"};
  Tracking::Overlap found;
  CHECK(!Tracking::overlap(*c, prefixes, &found));
  TrackingOptions bcast;
  bcast.bcast = true;
  t.enable(c, bcast, prefixes);
  const Slice more[] = {"c:", "b:1"};
  CHECK(Tracking::overlap(*c, more, &found));
  CHECK(found.existing && found.prefix == Slice("b:1") && found.with == Slice("b:"));
  for (const char* key : {"b:1", "a:2", "a:1", "c:1", "a", "a:2"}) t.key_modified(key, nullptr);
  CHECK(t.to_broadcast());
  t.broadcast();
  CHECK_EQ(r.read(c), std::string(">2\r\n$10\r\ninvalidate\r\n*2\r\n$3\r\na:1\r\n$3\r\na:2\r\n"
                                  ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nb:1\r\n"));
  t.key_modified("a:1", nullptr);
  t.disable(c);
  CHECK(!t.to_broadcast());
  CHECK_EQ(t.prefixes(), size_t{0});
}

TEST_MAIN()
