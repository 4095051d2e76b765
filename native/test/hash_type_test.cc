// Hashes in both encodings, with and without deadlines, against a plain model under random operations; as RDB
// objects, too.
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/alloc.h"
#include "base/rng.h"
#include "check.h"
#include "keyspace/entry.h"
#include "persist/rdb_object.h"
#include "types/hash.h"

using namespace kvasir;

namespace {

constexpr int64_t kNow = 1000000;

struct Value {
  std::string text;
  int64_t deadline;
};
using Model = std::map<std::string, Value>;

FieldClock clock_at(int64_t now) {
  FieldClock c;
  c.hidden_before = c.past_until = now;
  return c;
}

std::string text_of(const HashValue& v) {
  char tmp[kInt64Chars + 1];
  return v.str(tmp).str();
}

void compare(const Collection& c, const Model& model, const FieldClock& clock) {
  CHECK_EQ(hash_size(c), model.size());
  size_t visible = 0;
  bool deadlines = false;
  int64_t earliest = DeadlineTree::kNever;
  for (const auto& [field, value] : model) {
    if (value.deadline != kNoExpiry) {
      deadlines = true;
      earliest = std::min(earliest, value.deadline);
    }
    HashValue got;
    const bool hidden = clock.hides(value.deadline);
    CHECK_EQ(hash_get(c, field, clock, &got), !hidden);
    if (hidden) continue;
    visible++;
    CHECK_EQ(text_of(got), value.text);
    CHECK_EQ(got.deadline, value.deadline);
  }
  CHECK_EQ(hash_has_deadlines(c), deadlines);
  CHECK_EQ(hash_earliest_deadline(c), earliest);
  std::set<std::string> seen;
  hash_for_each(c, clock, [&](const Slice& field, const HashValue& value) {
    const auto it = model.find(field.str());
    CHECK(it != model.end());
    CHECK_EQ(text_of(value), it->second.text);
    seen.insert(field.str());
  });
  CHECK_EQ(seen.size(), visible);
}

std::string random_text(Rng& rng) {
  switch (rng.below(8)) {
    case 0:
      return std::to_string(static_cast<int64_t>(rng.next()));
    case 1:
      return std::string(rng.below(80), 'x');
    case 2:
      return std::string(rng.below(1400), 'y');
    default:
      return "v" + std::to_string(rng.below(1000));
  }
}

Entry* reload(const Collection& c, const EncodingLimits& limits) {
  // The entry is only a view of the hash here.
  Entry* view = Entry::make_collection("k", Type::kHash, c);
  std::string bytes;
  RdbWriter out(&bytes, true);
  rdb_save_value(out, *view);
  const auto type = static_cast<uint8_t>(rdb_type_of(*view));
  Entry::free_shell(view);
  RdbInput in(bytes);
  Entry* e = nullptr;
  CHECK(rdb_load_value(in, type, "k", kNoExpiry, limits, &e) == RdbLoaded::kOk);
  CHECK_EQ(in.left(), 0U);
  return e;
}

RdbLoaded load(RdbType type, const std::string& bytes, const EncodingLimits& limits = {}) {
  RdbInput in(bytes);
  Entry* e = nullptr;
  const RdbLoaded result = rdb_load_value(in, static_cast<uint8_t>(type), "k", kNoExpiry, limits, &e);
  if (result == RdbLoaded::kOk) {
    kHashOps.destroy(e->collection());
    Entry::free_shell(e);
  }
  return result;
}

}  // namespace

TEST(against_a_model) {
  for (const bool dated : {false, true}) {
    for (const uint64_t fields : {6, 40, 3000}) {
      Rng rng(fields * 2 + dated);
      EncodingLimits limits;
      limits.hash_max_listpack_entries = 20;
      Collection c = hash_make(limits, 1, 0);
      Model model;
      const FieldClock clock = clock_at(kNow);
      const int steps = fields > 100 ? 40000 : 6000;
      for (int step = 0; step < steps; step++) {
        const std::string field = "f" + std::to_string(rng.below(fields));
        const auto it = model.find(field);
        const bool visible = it != model.end() && !clock.hides(it->second.deadline);
        const int64_t deadline =
            dated && rng.below(3) == 0 ? kNow - 200 + static_cast<int64_t>(rng.below(1000)) : kNoExpiry;
        switch (rng.below(8)) {
          case 0:
            CHECK_EQ(hash_remove(&c, field, clock), visible);
            if (visible) model.erase(it);
            break;
          case 1:
            if (visible && c.encoding == Encoding::kHashtable) {
              hash_redate(c, field, deadline);
              it->second.deadline = deadline;
            }
            break;
          case 2: {
            HashField* due[10];
            const int64_t time = kNow - 150 + static_cast<int64_t>(rng.below(100));
            const size_t n = hash_take_due(c, time, due, rng.below(10) + 1);
            for (size_t i = 0; i < n; i++) {
              const auto gone = model.find(due[i]->field().str());
              CHECK(gone != model.end());
              CHECK(gone->second.deadline < time);
              model.erase(gone);
              HashField::destroy(due[i]);
            }
            break;
          }
          default: {
            const std::string text = random_text(rng);
            const bool keep = rng.below(4) == 0;
            const HashStored stored =
                hash_set(&c, limits, field, {Slice(text)}, keep ? kNoExpiry : deadline, keep, clock);
            if (it == model.end()) {
              CHECK(stored == HashStored::kAdded);
              model[field] = {text, keep ? kNoExpiry : deadline};
            } else {
              const bool past = clock.past(it->second.deadline);
              CHECK(stored == (past ? HashStored::kRevived : HashStored::kUpdated));
              const int64_t kept = it->second.deadline;
              it->second = {text, keep && !past ? kept : keep ? kNoExpiry : deadline};
            }
          }
        }
        if (step % (fields > 100 ? 4000 : 97) == 0) compare(c, model, clock);
      }
      compare(c, model, clock);
      compare(c, model, {});

      Collection copy = kHashOps.duplicate(c);
      compare(copy, model, clock);
      CHECK_EQ(kHashOps.bytes(copy, 1000000) > 0, true);
      kHashOps.destroy(copy);
      if (!model.empty()) {
        Entry* e = reload(c, limits);
        compare(e->collection(), model, clock);
        kHashOps.destroy(e->collection());
        Entry::free_shell(e);
      }
      kHashOps.destroy(c);
    }
  }
}

TEST(encodings) {
  EncodingLimits limits;
  limits.hash_max_listpack_entries = 3;
  limits.hash_max_listpack_value = 5;
  const auto encoding_of = [&](std::initializer_list<std::pair<const char*, const char*>> pairs,
                               int64_t deadline = kNoExpiry) {
    Collection c = hash_make(limits, 0, 0);
    for (const auto& [f, v] : pairs) hash_set(&c, limits, f, {Slice(v)}, deadline, false, {});
    const Encoding e = c.encoding;
    kHashOps.destroy(c);
    return e;
  };
  CHECK(encoding_of({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"c", "4"}}) == Encoding::kListpack);
  CHECK(encoding_of({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}) == Encoding::kHashtable);
  CHECK(encoding_of({{"a", "12345"}}) == Encoding::kListpack);
  CHECK(encoding_of({{"a", "123456"}}) == Encoding::kHashtable);
  CHECK(encoding_of({{"abcdef", "1"}}) == Encoding::kHashtable);
  CHECK(encoding_of({{"a", "1"}}, 5) == Encoding::kHashtable);
}

// What was a number in the listpack is found by its text everywhere.
TEST(numbers_as_fields) {
  const EncodingLimits limits;
  Collection c = hash_make(limits, 0, 0);
  hash_set(&c, limits, "12", {Slice("-5")}, kNoExpiry, false, {});
  hash_set(&c, limits, "012", {Slice("x")}, kNoExpiry, false, {});
  HashValue v;
  CHECK(hash_get(c, "12", {}, &v) && v.is_int && v.number == -5);
  hash_to_big(&c);
  CHECK(hash_get(c, "12", {}, &v) && text_of(v) == "-5");
  CHECK(hash_get(c, "012", {}, &v) && text_of(v) == "x");
  CHECK(!hash_get(c, "+12", {}, &v));
  kHashOps.destroy(c);
}

// A long value comes in a buffer, which the hash, its copy and replies share.
TEST(long_values_are_shared) {
  const EncodingLimits limits;
  Collection c = hash_make(limits, 0, 0);
  StrBuf* b = StrBuf::copy_of(std::string(5000, 'z'));
  hash_set(&c, limits, "f", {b->slice(), b}, kNoExpiry, false, {});
  CHECK_EQ(b->refs(), 2U);
  HashValue v;
  CHECK(hash_get(c, "f", {}, &v) && v.buffer == b);
  Collection copy = kHashOps.duplicate(c);
  CHECK_EQ(b->refs(), 3U);
  hash_redate(c, "f", 77);
  CHECK_EQ(b->refs(), 3U);
  hash_set(&c, limits, "f", {Slice("short")}, kNoExpiry, false, {});
  CHECK_EQ(b->refs(), 2U);
  kHashOps.destroy(copy);
  kHashOps.destroy(c);
  CHECK_EQ(b->refs(), 1U);
  b->release();
}

TEST(deadline_costs_its_eight_bytes) {
#ifdef KVASIR_SLABS
  HeapScope heap;
  HashField* plain = HashField::make("field:0000001", {Slice("value:0000001")}, kNoExpiry);
  HashField* dated = HashField::make("field:0000001", {Slice("value:0000001")}, 123);
  CHECK_EQ(mem_usable(plain), 32U);
  CHECK_EQ(mem_usable(dated), 40U);
  HashField::destroy(plain);
  HashField::destroy(dated);
#endif
}

TEST(refuses_broken_objects) {
  const auto listpack = [](std::initializer_list<const char*> items) {
    Listpack lp = Listpack::make();
    for (const char* i : items) lp.append(i);
    std::string bytes;
    RdbWriter out(&bytes, false);
    out.string(lp.image());
    lp.destroy();
    return bytes;
  };
  CHECK(load(RdbType::kHashListpack, listpack({"a", "1", "b", "2"})) == RdbLoaded::kOk);
  CHECK(load(RdbType::kHashListpack, listpack({"a", "1", "b"})) == RdbLoaded::kCorrupt);
  CHECK(load(RdbType::kHashListpack, listpack({"a", "1", "a", "2"})) == RdbLoaded::kCorrupt);
  CHECK(load(RdbType::kHashListpack, listpack({"12", "1", "12", "2"})) == RdbLoaded::kCorrupt);
  CHECK(load(RdbType::kHashListpack, listpack({})) == RdbLoaded::kEmpty);

  const auto zipmap = [](const std::string& image) {
    std::string bytes;
    RdbWriter out(&bytes, false);
    out.string(image);
    return load(RdbType::kHashZipmap, bytes);
  };
  CHECK(zipmap(std::string("\x02\x03"
                           "foo\x03\x00"
                           "bar\x05hello\x05\x00world\xff",
                           24)) == RdbLoaded::kOk);
  CHECK(zipmap(std::string("\x01\x03"
                           "foo\x03\x02"
                           "bar..\xff",
                           13)) == RdbLoaded::kOk);  // with spare bytes
  CHECK(zipmap(std::string("\x02\x03"
                           "foo\x03\x00"
                           "bar\x03"
                           "foo\x03\x00"
                           "bar\xff",
                           20)) == RdbLoaded::kCorrupt);
  CHECK(zipmap(std::string("\x03\x03"
                           "foo\x03\x00"
                           "bar\xff",
                           11)) == RdbLoaded::kCorrupt);
  CHECK(zipmap(std::string("\x01\x03"
                           "foo\x04\x00"
                           "bar\xff",
                           11)) == RdbLoaded::kCorrupt);
  CHECK(zipmap(std::string("\x01\xfe\xff\xff\xff\xff"
                           "o\x04\x00"
                           "bar\xff",
                           13)) == RdbLoaded::kCorrupt);
  CHECK(zipmap(std::string("\x00\xff", 2)) == RdbLoaded::kCorrupt);
  CHECK(zipmap("") == RdbLoaded::kCorrupt);

  const auto pairs = [](uint64_t n, std::initializer_list<const char*> items, int64_t deadline, bool dated) {
    std::string bytes;
    RdbWriter out(&bytes, false);
    out.length(n);
    int i = 0;
    for (const char* item : items) {
      out.string(item);
      if (++i % 2 == 0 && dated) out.le64(static_cast<uint64_t>(deadline));
    }
    return bytes;
  };
  CHECK(load(RdbType::kHash, pairs(2, {"a", "1", "b", "2"}, 0, false)) == RdbLoaded::kOk);
  CHECK(load(RdbType::kHash, pairs(0, {}, 0, false)) == RdbLoaded::kEmpty);
  CHECK(load(RdbType::kHash, pairs(2, {"a", "1", "a", "2"}, 0, false)) == RdbLoaded::kCorrupt);
  CHECK(load(RdbType::kHash, pairs(3, {"a", "1", "b", "2"}, 0, false)) == RdbLoaded::kCorrupt);
  CHECK(load(RdbType::kHash, pairs(UINT64_MAX, {"a", "1"}, 0, false)) == RdbLoaded::kCorrupt);
  EncodingLimits short_values;
  short_values.hash_max_listpack_value = 1;
  CHECK(load(RdbType::kHash, pairs(3, {"a", "1", "a", "2", "b", "33"}, 0, false), short_values) ==
        RdbLoaded::kCorrupt);
  CHECK(load(RdbType::kHash, pairs(3, {"a", "1", "b", "22", "a", "3"}, 0, false), short_values) ==
        RdbLoaded::kCorrupt);
  CHECK(load(RdbType::kHash2, pairs(2, {"a", "1", "b", "2"}, 5, true)) == RdbLoaded::kOk);
  CHECK(load(RdbType::kHash2, pairs(2, {"a", "1", "b", "2"}, -1, true)) == RdbLoaded::kOk);
  CHECK(load(RdbType::kHash2, pairs(2, {"a", "1", "b", "2"}, -2, true)) == RdbLoaded::kCorrupt);
  CHECK(load(RdbType::kHash2, pairs(2, {"a", "1", "a", "2"}, 5, true)) == RdbLoaded::kCorrupt);
  CHECK(load(RdbType::kHash2, pairs(1, {"a", "1"}, 5, false)) == RdbLoaded::kCorrupt);
}

TEST_MAIN()
