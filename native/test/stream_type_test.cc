// Streams against a plain model under random operations: entries, trimming, groups and what is pending; the
// number of radix nodes against a radix tree that is built; nodes byte for byte.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "persist/rdb_stream.h"
#include "types/stream.h"

using namespace kvasir;

namespace {

using Fields = std::vector<std::string>;

struct PendingModel {
  std::string consumer;
  int64_t delivered_ms;
  uint64_t deliveries;
};

struct Model {
  std::map<StreamId, Fields> entries;
  StreamId last_id, max_deleted;
  uint64_t added = 0;
  std::map<StreamId, PendingModel> pending;
  std::set<std::string> consumers;
};

Fields fields_of(const StreamReader& reader) {
  Fields all;
  char tmp[32];
  reader.for_each_field([&](const ListpackItem& field, const ListpackItem& value) {
    all.push_back(field.str(tmp).str());
    all.push_back(value.str(tmp).str());
  });
  return all;
}

void compare_range(const Stream& s, const Model& model, const StreamId& from, const StreamId& to) {
  std::vector<std::pair<StreamId, Fields>> wanted(
      model.entries.lower_bound(from),
      from > to ? model.entries.lower_bound(from) : model.entries.upper_bound(to));
  StreamReader forward(s, from, to);
  for (const auto& [id, fields] : wanted) {
    CHECK(forward.next());
    CHECK(forward.id() == id);
    CHECK_EQ(forward.fields() * 2, fields.size());
    CHECK(fields_of(forward) == fields);
  }
  CHECK(!forward.next());
  CHECK(!forward.next());
  StreamReader backward(s, from, to, true);
  for (auto it = wanted.rbegin(); it != wanted.rend(); ++it) {
    CHECK(backward.next());
    CHECK(backward.id() == it->first);
    CHECK(fields_of(backward) == it->second);
  }
  CHECK(!backward.next());
}

void compare_group(const StreamGroup& g, const Model& model) {
  CHECK_EQ(g.pending().size(), model.pending.size());
  auto p = g.pending().first();
  std::map<std::string, std::vector<StreamId>> by_consumer;
  for (const auto& [id, entry] : model.pending) {
    CHECK(p && p.key() == id);
    CHECK_EQ(p.value().consumer->name().str(), entry.consumer);
    CHECK_EQ(p.value().delivered_ms, entry.delivered_ms);
    CHECK_EQ(p.value().deliveries, entry.deliveries);
    by_consumer[entry.consumer].push_back(id);
    p.next();
  }
  CHECK(!p);
  CHECK_EQ(g.consumers().size(), model.consumers.size());
  auto c = g.consumers().first();
  for (const std::string& name : model.consumers) {
    CHECK(c && c.key()->name() == Slice(name));
    CHECK(g.consumer(name) == c.key());
    std::vector<StreamId> ids;
    for (auto id = c.key()->pending.first(); id; id.next()) ids.push_back(id.key());
    CHECK(ids == by_consumer[name]);
    c.next();
  }
  CHECK(!c);
}

// A radix tree as such: how many nodes it has once runs are one node.
size_t radix_nodes_of(const StreamNodes& nodes) {
  std::vector<std::array<uint8_t, 16>> keys;
  for (StreamNodes::Place p = nodes.first(); p; p.next()) {
    std::array<uint8_t, 16> key;
    p.id().encode(reinterpret_cast<char*>(key.data()));
    keys.push_back(key);
  }
  if (keys.empty()) return 1;
  const auto count = [&keys](const auto& self, size_t begin, size_t end, size_t depth) -> size_t {
    size_t run = 0;
    while (depth < 16 && keys[begin][depth] == keys[end - 1][depth]) depth++, run++;
    const size_t way = run > 0 ? 1 : 0;
    if (depth == 16) return way + 1;
    size_t n = way + 1;
    for (size_t from = begin; from < end;) {
      size_t to = from;
      while (to < end && keys[to][depth] == keys[from][depth]) to++;
      n += self(self, from, to, depth + 1);
      from = to;
    }
    return n;
  };
  return count(count, 0, keys.size(), 0);
}

void compare_all(const Stream& s, const Model& model) {
  CHECK_EQ(s.length, model.entries.size());
  CHECK_EQ(s.entries_added, model.added);
  CHECK(s.last_id == model.last_id);
  CHECK(s.max_deleted_id == model.max_deleted);
  CHECK(s.first_id == (model.entries.empty() ? StreamId() : model.entries.begin()->first));
  CHECK(s.last_live() == (model.entries.empty() ? StreamId() : model.entries.rbegin()->first));
  CHECK_EQ(s.nodes().radix_nodes(), radix_nodes_of(s.nodes()));
  compare_range(s, model, {}, StreamId::greatest());
  compare_group(*s.group("g"), model);
}

// What DUMP writes is read back as the same.
void check_rdb(const Collection& c, const Model& model) {
  std::string bytes;
  RdbWriter out(&bytes, true);
  kRdbStream.save(out, c);
  RdbInput in(bytes);
  Collection copy;
  CHECK(kRdbStream.load(in, RdbType::kStreamListpacks3, EncodingLimits{}, &copy) == RdbLoaded::kOk);
  CHECK_EQ(in.left(), size_t{0});
  compare_all(Stream::of(copy), model);
  kStreamOps.destroy(copy);
}

StreamId some_id(const Model& model, Rng& rng) {
  if (model.entries.empty() || rng.below(4) == 0) return {rng.below(model.last_id.ms + 3), rng.below(3)};
  auto it = model.entries.lower_bound({rng.below(model.last_id.ms + 1), 0});
  return it == model.entries.end() ? model.entries.rbegin()->first : it->first;
}

std::string some_text(Rng& rng) {
  switch (rng.below(6)) {
    case 0:
      return std::to_string(rng.below(1000000));
    case 1:
      return std::to_string(-static_cast<int64_t>(rng.next() >> 1));
    case 2:
      return std::string(rng.below(100), 'x');
    case 3:
      return std::string(rng.below(20) == 0 ? 5000 : 3, 'y');
    default:
      return std::to_string(rng.below(200));
  }
}

void add(Stream* s, Model* model, Rng& rng, const EncodingLimits& limits) {
  const StreamId id{model->last_id.ms + rng.below(rng.below(8) == 0 ? 70000 : 3),
                    model->last_id.seq + 1 + rng.below(3)};
  static const Fields kNames[] = {{"a", "b"}, {"a"}, {"17", "c", ""}, {"a", "b"}, {"a", "b"}};
  Fields fields;
  for (const std::string& name : kNames[rng.below(5)]) {
    fields.push_back(name);
    fields.push_back(some_text(rng));
  }
  const std::vector<Slice> data(fields.begin(), fields.end());
  s->append(id, data, limits);
  model->entries[id] = fields;
  model->last_id = id;
  model->added++;
}

void erase(Stream* s, Model* model, Rng& rng) {
  const StreamId id = some_id(*model, rng);
  const bool there = model->entries.erase(id) > 0;
  CHECK_EQ(s->contains(id), there);
  CHECK_EQ(s->erase(id), there);
  CHECK(!s->contains(id));
  if (there) model->max_deleted = std::max(model->max_deleted, id);
}

// Exact trimming takes what it says; by whole nodes it takes no more, and all from the front.
void trim(Stream* s, Model* model, Rng& rng) {
  StreamTrim rule;
  rule.whole_nodes = rng.below(2) == 0;
  size_t goes;
  if (rng.below(2) == 0) {
    rule.by = StreamTrim::By::kLength;
    const size_t size = model->entries.size();
    rule.length = size - std::min<size_t>(size, rng.below(30));
    goes = size - rule.length;
  } else {
    rule.by = StreamTrim::By::kId;
    auto it = model->entries.begin();
    for (uint64_t n = rng.below(30); n > 0 && it != model->entries.end(); n--) ++it;
    rule.least = it == model->entries.end() ? model->last_id : it->first;
    goes = static_cast<size_t>(std::distance(model->entries.begin(), model->entries.lower_bound(rule.least)));
  }
  const uint64_t gone = s->trim(rule);
  if (rule.whole_nodes) {
    CHECK(gone <= goes);
  } else {
    CHECK_EQ(gone, goes);
  }
  for (uint64_t n = gone; n > 0; n--) model->entries.erase(model->entries.begin());
}

void pend(StreamGroup* g, Model* model, Rng& rng, int64_t now) {
  const StreamId id = some_id(*model, rng);
  const std::string name = std::string("c").append(std::to_string(rng.below(40)));
  switch (rng.below(rng.below(50) == 0 ? 4 : 3)) {
    case 0: {
      Consumer* c = g->consumer(name);
      CHECK_EQ(c != nullptr, model->consumers.insert(name).second == false);
      if (c == nullptr) c = g->add_consumer(name);
      PendingEntry& entry = g->assign(id, c);
      entry.delivered_ms = now;
      entry.deliveries++;
      PendingModel& m = model->pending.try_emplace(id, PendingModel{name, 0, 0}).first->second;
      m.consumer = name;
      m.delivered_ms = now;
      m.deliveries++;
      break;
    }
    case 1:
    case 2:
      CHECK_EQ(g->acknowledge(id), model->pending.erase(id) > 0);
      break;
    default:
      if (Consumer* c = g->consumer(name)) {
        g->remove_consumer(c);
        model->consumers.erase(name);
        std::erase_if(model->pending, [&](const auto& e) { return e.second.consumer == name; });
      }
  }
}

void run(uint64_t seed, const EncodingLimits& limits, size_t steps) {
  Rng rng(seed);
  Model model;
  const Collection c = Stream::make();
  Stream& s = Stream::of(c);
  StreamGroup* g = s.add_group("g", {}, 0);
  CHECK(s.add_group("g", {}, 0) == nullptr);
  for (size_t i = 0; i < steps; i++) {
    const uint64_t what = rng.below(100);
    if (what < (i < steps / 2 ? 50U : 20U)) {
      add(&s, &model, rng, limits);
    } else if (what < 65) {
      erase(&s, &model, rng);
    } else if (what < 68) {
      trim(&s, &model, rng);
    } else if (what < 90) {
      pend(g, &model, rng, static_cast<int64_t>(i));
    } else {
      compare_range(s, model, some_id(model, rng), some_id(model, rng));
    }
    if (i % (steps / 10) == 0) {
      compare_all(s, model);
      check_rdb(c, model);
    }
  }
  compare_all(s, model);
  const Collection copy = kStreamOps.duplicate(c);
  kStreamOps.destroy(c);
  compare_all(Stream::of(copy), model);
  CHECK(kStreamOps.bytes(copy, SIZE_MAX) >= kStreamOps.bytes(copy, 0));
  kStreamOps.destroy(copy);
}

std::string hex(Slice bytes) {
  std::string text;
  char two[3];
  for (const char b : bytes) {
    snprintf(two, sizeof two, "%02x", static_cast<uint8_t>(b));
    text += two;
  }
  return text;
}

void append(Stream* s, const StreamId& id, const Fields& fields, const EncodingLimits& limits = {}) {
  const std::vector<Slice> data(fields.begin(), fields.end());
  s->append(id, data, limits);
}

}  // namespace

TEST(random_operations_agree_with_a_model) {
  for (uint64_t seed = 1; seed <= 6; seed++) {
    run(seed, EncodingLimits{}, 3000);
    EncodingLimits small;
    small.stream_node_max_entries = 5;
    run(seed, small, 3000);
    EncodingLimits single;
    single.stream_node_max_bytes = 1;
    run(seed, single, 3000);
    EncodingLimits none;
    none.stream_node_max_bytes = none.stream_node_max_entries = 0;
    run(seed, none, 1000);
  }
}

// Taken from a DUMP of Valkey 9.1.2 (rdbcompression no).
TEST(nodes_have_the_bytes_of_the_original) {
  const Collection c = Stream::make();
  Stream& s = Stream::of(c);
  append(&s, {5, 1}, {"f", "v1"});
  append(&s, {5, 3}, {"f", "12345"});
  append(&s, {300, 0}, {"g", "w", "f", "x"});
  CHECK(s.erase({5, 3}));
  CHECK_EQ(s.nodes().size(), size_t{1});
  const std::string image = hex(s.nodes().first().listpack().image());
  CHECK_EQ(image, std::string("4200000018000201010101018166020001") +  // the head
                      "02010001000182763103" + "0401" +                // 5-1
                      "0301000102" + "01f139300304" + "01" +           // 5-3, deleted
                      "0001c12702dfff02" + "02018167028177028166028178020801" + "ff");
  kStreamOps.destroy(c);
}

TEST(a_node_is_full_by_entries_or_by_bytes) {
  EncodingLimits limits;
  limits.stream_node_max_entries = 3;
  const Collection c = Stream::make();
  Stream& s = Stream::of(c);
  for (uint64_t i = 1; i <= 7; i++) append(&s, {i, 0}, {"f", "v"}, limits);
  CHECK_EQ(s.nodes().size(), size_t{3});
  // Deleted entries count until the node goes.
  CHECK(s.erase({7, 0}));
  CHECK_EQ(s.nodes().size(), size_t{2});
  append(&s, {8, 0}, {"f", "v"}, limits);
  CHECK_EQ(s.nodes().size(), size_t{3});
  limits.stream_node_max_bytes = 100;
  append(&s, {9, 0}, {"f", std::string(80, 'x')}, limits);
  CHECK_EQ(s.nodes().size(), size_t{4});
  kStreamOps.destroy(c);
}

// As XADD with MAXLEN = does, over heads whose numbers change their size.
TEST(trimming_goes_on_where_it_ended) {
  for (const size_t most : {size_t{1}, size_t{50}, size_t{300}}) {
    EncodingLimits limits;
    limits.stream_node_max_entries = 200;
    Rng rng(most);
    Model model;
    const Collection c = Stream::make();
    Stream& s = Stream::of(c);
    s.add_group("g", {}, 0);
    StreamTrim rule;
    rule.by = StreamTrim::By::kLength;
    rule.length = most;
    for (int i = 0; i < 3000; i++) {
      add(&s, &model, rng, limits);
      if (rng.below(8) == 0) erase(&s, &model, rng);
      const size_t goes = model.entries.size() - std::min(model.entries.size(), most);
      CHECK_EQ(s.trim(rule), goes);
      for (size_t n = goes; n > 0; n--) model.entries.erase(model.entries.begin());
      CHECK(s.first_id == (model.entries.empty() ? StreamId() : model.entries.begin()->first));
      if (i % 100 == 0) compare_all(s, model);
    }
    kStreamOps.destroy(c);
  }
}

TEST(ids_that_were_taken_back_stay_in_order) {
  EncodingLimits limits;
  limits.stream_node_max_entries = 1;
  const Collection c = Stream::make();
  Stream& s = Stream::of(c);
  append(&s, {1, 0}, {"f", "a"}, limits);
  append(&s, {5, 0}, {"f", "b"}, limits);
  limits.stream_node_max_entries = 2;
  append(&s, {6, 0}, {"f", "c"}, limits);
  // As XTRIM MINID does when the last entry of a node was deleted before: a node without live entries.
  CHECK(s.erase({6, 0}));
  StreamTrim rule;
  rule.by = StreamTrim::By::kId;
  rule.least = {5, 5};
  CHECK_EQ(s.trim(rule), uint64_t{2});
  CHECK_EQ(s.nodes().size(), size_t{1});
  CHECK(s.first_id.is_zero());
  // As XSETID may.
  s.last_id = {2, 0};
  append(&s, {3, 0}, {"f", "d"}, limits);
  append(&s, {5, 0}, {"f", "e"}, limits);
  append(&s, {6, 0}, {"f", "f"}, limits);
  CHECK_EQ(s.length, uint64_t{3});
  StreamReader reader(s, {}, StreamId::greatest());
  while (reader.next()) CHECK_EQ(reader.fields(), uint64_t{1});
  kStreamOps.destroy(c);
}

TEST(counting_what_was_read) {
  const Collection c = Stream::make();
  Stream& s = Stream::of(c);
  int64_t lag;
  StreamGroup* g = s.add_group("g", {}, StreamGroup::kUnknown);
  CHECK(s.lag(*g, &lag) && lag == 0);
  for (uint64_t i = 1; i <= 5; i++) append(&s, {i, 0}, {"f", "v"});
  CHECK(s.lag(*g, &lag) && lag == 5);
  s.advance(g, {1, 0});
  CHECK_EQ(g->entries_read, int64_t{1});
  s.advance(g, {2, 0});
  CHECK_EQ(g->entries_read, int64_t{2});
  CHECK(s.erase({4, 0}));
  // What is deleted ahead may be read or not.
  CHECK(!s.lag(*g, &lag));
  s.advance(g, {3, 0});
  CHECK_EQ(g->entries_read, StreamGroup::kUnknown);
  s.advance(g, {5, 0});
  CHECK(s.lag(*g, &lag) && lag == 0);
  kStreamOps.destroy(c);
}

TEST(payloads_that_do_not_agree_with_themselves_are_refused) {
  const Collection c = Stream::make();
  Stream& s = Stream::of(c);
  append(&s, {1, 1}, {"f", "v"});
  append(&s, {1, 2}, {"g", "v", "h", "w"});
  StreamGroup* g = s.add_group("g", {1, 2}, 2);
  g->assign({1, 1}, g->add_consumer("c"));
  g->assign({1, 2}, g->add_consumer("d"));
  std::string good;
  RdbWriter out(&good, false);
  kRdbStream.save(out, c);
  kStreamOps.destroy(c);
  size_t read = 0;
  for (size_t i = 0; i < good.size(); i++) {
    for (unsigned bit = 0; bit < 8; bit++) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1U << bit));
      RdbInput in(bad);
      Collection copy;
      if (kRdbStream.load(in, RdbType::kStreamListpacks3, EncodingLimits{}, &copy) != RdbLoaded::kOk)
        continue;
      // An id, a time, a name or a text is another one: it can be used all the same.
      read++;
      Stream& other = Stream::of(copy);
      StreamReader reader(other, {}, StreamId::greatest());
      uint64_t live = 0;
      while (reader.next()) live++;
      CHECK_EQ(live, other.length);
      append(&other, StreamId::greatest(), {"f", "v"});
      kStreamOps.destroy(copy);
    }
    RdbInput in({good.data(), i});
    Collection copy;
    CHECK(kRdbStream.load(in, RdbType::kStreamListpacks3, EncodingLimits{}, &copy) == RdbLoaded::kCorrupt);
  }
  CHECK(read > 0 && read < good.size() * 8);
}

TEST(ids_as_text_and_bytes) {
  char text[StreamId::kChars];
  CHECK_EQ(Slice(text, StreamId::greatest().format(text)).str(), "18446744073709551615-18446744073709551615");
  char bytes[StreamId::kBytes];
  StreamId id{0x0102030405060708, 9};
  id.encode(bytes);
  CHECK_EQ(hex({bytes, sizeof bytes}), "01020304050607080000000000000009");
  CHECK(StreamId::decode(bytes) == id);
  StreamId top = StreamId::greatest();
  CHECK(!top.increment() && top.is_zero());
  CHECK(!top.decrement() && top == StreamId::greatest());
  id = {7, UINT64_MAX};
  CHECK(id.increment() && id == (StreamId{8, 0}));
  CHECK(id.decrement() && id == (StreamId{7, UINT64_MAX}));
}

TEST_MAIN()
