// Random members of sets: SPOP, SRANDMEMBER.
#include "types/set_random.h"

#include <limits>
#include <vector>

#include "base/numbers.h"
#include "commands/integer_args.h"
#include "commands/set_args.h"

namespace kvasir {

namespace {

// What SPOP is propagated as: SREMs with so many of the members each.
class RemovedMembers {
 public:
  RemovedMembers(const Call& call, Slice key) : call_(call), key_(key), wanted_(call.propagating()) {}
  void add(const SetItem& item) {
    if (!wanted_) return;
    if (ends_.size() == kBatch) flush();
    char tmp[kInt64Chars + 1];
    const Slice text = item.str(tmp);
    bytes_.append(text.data, text.size);
    ends_.push_back(bytes_.size());
  }
  void flush() {
    if (ends_.empty()) return;
    std::vector<Slice> argv = {"SREM", key_};
    size_t from = 0;
    for (const size_t end : ends_) {
      argv.emplace_back(bytes_.data() + from, end - from);
      from = end;
    }
    call_.propagation().also(argv);
    bytes_.clear();
    ends_.clear();
  }

 private:
  static constexpr size_t kBatch = 1024;
  const Call& call_;
  Slice key_;
  bool wanted_;
  std::string bytes_;
  std::vector<size_t> ends_;
};

void remove_key(const Call& call, const KeyRef& k) {
  Keyspace& ks = call.ks();
  ks.remove(call.db(), k, ks.lazyfree_server_del);
  ks.notify(kNotifyGeneric, "del", k.key, call.db());
}

void spop_count(const Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  int64_t count;
  if (!parse_positive(call, 2, &count)) return;
  const KeyRef k = call.key(1);
  const FoundSet found = write_set(call, k);
  if (found.wrong) return;
  if (!found || count == 0) return call.reply().set(0);
  Collection c = found.collection();
  const size_t size = set_size(c);
  const size_t n = std::min(static_cast<uint64_t>(count), static_cast<uint64_t>(size));
  ks.notify(kNotifySet, "spop", k.key, db);
  ks.dirty += n;
  if (n == size) {
    // The original reads the key like SUNION, and counts a hit.
    ks.stats.hits++;
    reply_members(call, c, true);
    remove_key(call, k);
    if (call.propagating()) call.propagation().rewrite({ks.lazyfree_server_del ? "UNLINK" : "DEL", k.key});
    return ks.modified(db, k.key);
  }
  RemovedMembers removed(call, k.key);
  call.reply().set(count);
  set_pop(&c, call.core.settings.encodings, call.core.rng, n, [&](const SetItem& item) {
    reply_member(call, item);
    removed.add(item);
  });
  found.entry->set_collection(c);
  removed.flush();
  call.propagation().suppress();
  ks.modified(db, k.key);
}

void spop_command(Call& call) {
  if (call.argc() == 3) return spop_count(call);
  if (call.argc() > 3) return call.syntax_error();
  Keyspace& ks = call.ks();
  const KeyRef k = call.key(1);
  const FoundSet found = write_set(call, k);
  if (found.wrong) return;
  if (!found) return call.reply().null();
  Collection c = found.collection();
  set_pop(&c, call.core.rng, [&](const SetItem& item) {
    reply_member(call, item);
    if (!call.propagating()) return;
    char tmp[kInt64Chars + 1];
    call.propagation().rewrite({"SREM", k.key, item.str(tmp)});
  });
  found.entry->set_collection(c);
  ks.notify(kNotifySet, "spop", k.key, call.db());
  if (set_size(c) == 0) remove_key(call, k);
  ks.modified(call.db(), k.key);
  ks.dirty++;
}

void srandmember_command(Call& call) {
  if (call.argc() > 3) return call.syntax_error();
  Reply& reply = call.reply();
  const auto emit = [&](const SetItem& item) { reply_member(call, item); };
  if (call.argc() == 2) {
    const FoundSet found = read_set(call, 1);
    if (found.wrong) return;
    if (!found) return reply.null();
    return set_random(found.collection(), call.core.rng, emit);
  }
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  int64_t count;
  if (!parse_in_range(call, 2, -kMost, kMost, &count)) return;
  const FoundSet found = read_set(call, 1);
  if (found.wrong) return;
  if (!found || count == 0) return reply.array(0);
  const Collection c = found.collection();
  if (count < 0) {
    // With repetition: as many as are asked for, or as the client's output limit lets through.
    reply.array(-count);
    for (; count < 0 && !call.client.flags.close_asap; count++) set_random(c, call.core.rng, emit);
    return;
  }
  const size_t size = set_size(c);
  if (static_cast<uint64_t>(count) >= size) return reply_members(call, c, false);
  reply.array(count);
  set_sample(c, call.core.rng, static_cast<size_t>(count), emit);
}

}  // namespace

void register_set_random_commands(HandlerMap& map) {
  map["spop"] = spop_command;
  map["srandmember"] = srandmember_command;
}

}  // namespace kvasir
