// SORT and SORT_RO.
#include <algorithm>
#include <memory>
#include <vector>

#include "base/crc16.h"
#include "base/numbers.h"
#include "commands/scan_args.h"
#include "commands/sort_pattern.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

namespace kvasir {

namespace {

struct SortOptions {
  bool descending = false, alpha = false;
  bool sorted = true;  // false: BY a constant, which asks for the order that there is
  int64_t offset = 0, count = -1;
  int store = 0;  // argument of the destination; 0: none
  std::optional<SortPattern> by;
  std::vector<SortPattern> get;
};

// In cluster mode, patterns may only lead to keys of the slot that is being sorted.
bool slot_allowed(const Call& call, Slice pattern, const char* option) {
  if (!call.ks().clustered() || pattern_slot(pattern) == static_cast<int>(key_slot(call.arg(1)))) return true;
  call.reply().errorf(
      "ERR %s option of SORT denied in Cluster mode when keys formed by the pattern may be in different "
      "slots.",
      option);
  return false;
}

// False: an error was replied.
bool parse_sort_options(const Call& call, bool may_store, SortOptions* o) {
  for (int i = 2; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    const int more = call.argc() - i - 1;
    if (equals_nocase(word, "asc")) {
      o->descending = false;
    } else if (equals_nocase(word, "desc")) {
      o->descending = true;
    } else if (equals_nocase(word, "alpha")) {
      o->alpha = true;
    } else if (equals_nocase(word, "limit") && more >= 2) {
      if (!parse_i64(call.arg(i + 1), &o->offset) || !parse_i64(call.arg(i + 2), &o->count)) {
        return call.not_an_integer(), false;
      }
      i += 2;
    } else if (may_store && equals_nocase(word, "store") && more >= 1) {
      o->store = ++i;
    } else if (equals_nocase(word, "by") && more >= 1) {
      o->by.emplace(call.arg(++i));
      if (!o->by->refers()) {
        o->sorted = false;
      } else if (!slot_allowed(call, call.arg(i), "BY")) {
        return false;
      }
    } else if (equals_nocase(word, "get") && more >= 1) {
      o->get.emplace_back(call.arg(++i));
      if (!o->get.back().element() && !slot_allowed(call, call.arg(i), "GET")) return false;
    } else {
      return call.syntax_error(), false;
    }
  }
  return true;
}

// An element on its way to its place. What decides about that is a score or, with ALPHA, a text.
struct Sortable {
  Slice text;
  Slice weight;  // without data: none, which comes before all others
  double score;
  size_t index;  // where it was: the last word between equals
};

// Texts that live as long as the command.
class Texts {
 public:
  Slice keep(Slice s) {
    char* const p = room(s.size);
    if (s.size > 0) memcpy(p, s.data, s.size);
    return {p, s.size};
  }
  // With a NUL behind it.
  Slice keep_terminated(Slice s) {
    char* const p = room(s.size + 1);
    if (s.size > 0) memcpy(p, s.data, s.size);
    p[s.size] = '\0';
    return {p, s.size};
  }

 private:
  char* room(size_t n) {
    constexpr size_t kBlock = 16384;
    if (n > left_ || free_ == nullptr) {
      const size_t block = std::max(n, kBlock);
      blocks_.push_back(std::make_unique<char[]>(block));
      free_ = blocks_.back().get();
      left_ = block;
    }
    char* const p = free_;
    free_ += n;
    left_ -= n;
    return p;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  size_t left_ = 0;
};

// As far as a C string goes.
Slice up_to_nul(Slice s) {
  return {s.data, static_cast<size_t>(std::find(s.begin(), s.end(), '\0') - s.begin())};
}

class Sort {
 public:
  Sort(const Call& call, const SortOptions& options) : call_(call), o_(options), lookup_(call) {}

  // The elements of the value (nullptr: of none), in the order asked for, cut to the LIMIT.
  void load(Entry* e);
  // False: an element has no score.
  bool order();
  void reply();
  // As a list under the destination; replies its length.
  void store();

 private:
  void window(size_t elements);
  void load_list(const Collection& c);
  void load_set(const Collection& c);
  void load_zset(Entry* e);
  void add(Slice text) { elements_.push_back({text, {}, 0, elements_.size()}); }
  void weigh(Sortable* s, const SortValue& v);
  [[nodiscard]] size_t size() const { return static_cast<size_t>(end_ - first_); }
  // Of what is sent or stored: elements, or what GET leads to.
  template <class F>
  void results(F&& f);

  const Call& call_;
  const SortOptions& o_;
  SortLookup lookup_;
  Texts texts_;
  std::vector<Sortable> elements_;
  int64_t first_ = 0, end_ = 0;  // the window of LIMIT in elements_
  bool numbers_ = true;
};

// LIMIT counts from 0 if the offset is negative and to the end if the count is.
void Sort::window(size_t elements) {
  const auto n = static_cast<int64_t>(elements);
  first_ = std::clamp<int64_t>(o_.offset, 0, n);
  end_ = o_.count < 0 ? n : first_ + std::min(o_.count, n - first_);
}

void Sort::load(Entry* e) {
  if (e == nullptr) return;
  const Collection c = e->collection();
  if (e->type() == Type::kList) {
    load_list(c);
  } else if (e->type() == Type::kSet) {
    load_set(c);
  } else {
    load_zset(e);
  }
}

void Sort::load_list(const Collection& c) {
  const size_t n = list_size(c);
  window(n);
  size_t from = 0;
  size_t count = n;
  if (!o_.sorted) {
    // Nothing is fetched but the window.
    from = o_.descending ? n - static_cast<size_t>(first_) - 1 : static_cast<size_t>(first_);
    count = size();
    first_ = 0;
    end_ = static_cast<int64_t>(count);
  }
  if (count == 0) return;
  elements_.reserve(count);
  ListReader reader(c, from, !o_.sorted && o_.descending ? ListEnd::kHead : ListEnd::kTail);
  char tmp[kInt64Chars + 1];
  // Copies: nodes may be compressed, and then their elements are gone when the reader goes on.
  while (elements_.size() < count && reader.next()) add(texts_.keep(reader.item().str(tmp)));
}

void Sort::load_set(const Collection& c) {
  window(set_size(c));
  elements_.reserve(set_size(c));
  char tmp[kInt64Chars + 1];
  set_for_each(c, [&](const SetItem& item) {
    add(item.is_int ? texts_.keep(item.str(tmp)) : item.text);
    return true;
  });
}

void Sort::load_zset(Entry* e) {
  // The original sorts no listpack and leaves the set as it then is, which OBJECT ENCODING shows.
  Collection c = e->collection();
  zset_make_skiplist(&c);
  e->set_collection(c);
  const size_t n = zset_size(c);
  window(n);
  size_t rank = 0;
  size_t count = n;
  if (!o_.sorted) {
    rank = o_.descending ? n - static_cast<size_t>(first_) - 1 : static_cast<size_t>(first_);
    count = size();
    first_ = 0;
    end_ = static_cast<int64_t>(count);
  }
  if (count == 0) return;
  elements_.reserve(count);
  char unused[kInt64Chars + 1];
  ZsetCursor at(c, rank);
  for (size_t i = 0; i < count; i++) {
    add(at.member(unused));
    !o_.sorted&& o_.descending ? at.prev() : at.next();
  }
}

// Takes down what decides about the place of an element.
void Sort::weigh(Sortable* s, const SortValue& v) {
  if (!v.found) return;
  if (!o_.alpha) {
    // A text behind a NUL is not looked at.
    const Slice text = up_to_nul(v.text);
    if (!parse_double(text, &s->score)) numbers_ = false;
    return;
  }
  const bool lasting = v.text.data == s->text.data || v.buffer != nullptr;
  if (o_.store != 0) {
    s->weight = lasting ? v.text : texts_.keep(v.text);
  } else if (call_.core.collation.by_bytes()) {
    const Slice text = up_to_nul(v.text);
    s->weight = lasting ? text : texts_.keep(text);
  } else {
    s->weight = texts_.keep_terminated(up_to_nul(v.text));
  }
}

bool Sort::order() {
  if (o_.by) {
    lookup_.run(
        elements_.size(),
        [&](size_t i) {
          return SortLookup::Wanted{&*o_.by, elements_[i].text};
        },
        [&](size_t i, const SortValue& v) { weigh(&elements_[i], v); });
  } else {
    for (Sortable& s : elements_) weigh(&s, {true, s.text, nullptr});
  }
  if (!numbers_) return false;

  const auto arrange = [&](auto&& difference) {
    const auto before = [&](const Sortable& a, const Sortable& b) {
      const int d = difference(a, b);
      if (d != 0) return o_.descending ? d > 0 : d < 0;
      return a.index < b.index;
    };
    // A window at the beginning of many is cheaper to find than the order of all.
    constexpr size_t kFew = 8;
    const auto end = static_cast<size_t>(end_);
    if (end < elements_.size() / kFew) {
      std::partial_sort(elements_.begin(), elements_.begin() + end_, elements_.end(), before);
    } else {
      std::sort(elements_.begin(), elements_.end(), before);
    }
  };
  const auto none_first = [](const Sortable& a, const Sortable& b) {
    return static_cast<int>(a.weight.data != nullptr) - static_cast<int>(b.weight.data != nullptr);
  };
  if (!o_.alpha) {
    arrange([](const Sortable& a, const Sortable& b) {
      return a.score < b.score ? -1 : a.score > b.score ? 1 : compare(a.text, b.text);
    });
  } else if (o_.store != 0 || call_.core.collation.by_bytes()) {
    arrange([&](const Sortable& a, const Sortable& b) {
      const int d = none_first(a, b);
      return d != 0 ? d : compare(a.weight, b.weight);
    });
  } else {
    arrange([&](const Sortable& a, const Sortable& b) {
      const int d = none_first(a, b);
      if (d != 0 || a.weight.data == nullptr) return d;
      return call_.core.collation.compare(a.weight.data, b.weight.data);
    });
  }
  return true;
}

template <class F>
void Sort::results(F&& f) {
  const Sortable* const first = elements_.data() + first_;
  if (o_.get.empty()) {
    for (size_t i = 0; i < size(); i++) f(SortValue{true, first[i].text, nullptr});
    return;
  }
  const size_t patterns = o_.get.size();
  lookup_.run(
      size() * patterns,
      [&](size_t i) {
        return SortLookup::Wanted{&o_.get[i % patterns], first[i / patterns].text};
      },
      [&](size_t /*i*/, const SortValue& v) { f(v); });
}

void Sort::reply() {
  Reply& reply = call_.reply();
  reply.array(static_cast<int64_t>(size() * std::max<size_t>(o_.get.size(), 1)));
  results([&](const SortValue& v) {
    if (!v.found) {
      reply.null();
    } else if (v.buffer != nullptr) {
      reply.bulk(v.buffer, v.text);
    } else {
      reply.bulk(v.text);
    }
  });
}

void Sort::store() {
  Keyspace& ks = call_.ks();
  Database& db = call_.db();
  const EncodingLimits& limits = call_.core.settings.encodings;
  const KeyRef k = call_.key(o_.store);
  const size_t n = size() * std::max<size_t>(o_.get.size(), 1);
  if (n == 0) {
    if (ks.remove(db, k, ks.lazyfree_server_del)) {
      ks.modified(db, k.key);
      ks.notify(kNotifyGeneric, "del", k.key, db);
      ks.dirty++;
    }
    return call_.reply().integer(0);
  }
  // A quicklist from the start, as there, so that its nodes are the same.
  Collection list{Encoding::kQuicklist, Quicklist::make(limits)};
  results([&](const SortValue& v) { list_push(list, ListEnd::kTail, {v.text, v.buffer}, limits); });
  list_settle(list, limits);
  ks.set(db, k, Entry::make_collection(k.key, Type::kList, list));
  ks.modified(db, k.key);
  ks.notify(kNotifyList, "sortstore", k.key, db);
  ks.dirty += n;
  call_.reply().integer(static_cast<int64_t>(n));
}

void sort_generic(const Call& call, bool may_store) {
  SortOptions options;
  if (!parse_sort_options(call, may_store, &options)) return;
  Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e != nullptr && e->type() != Type::kSet && e->type() != Type::kList && e->type() != Type::kZset) {
    return call.wrong_type();
  }
  if (!options.sorted && e != nullptr && e->type() == Type::kSet && options.store != 0) {
    // The order of a set is the table's own: what is stored must be the same everywhere.
    options.sorted = options.alpha = true;
    options.by.reset();
  }
  Sort sort(call, options);
  sort.load(e);
  if (options.sorted && !sort.order()) {
    return call.reply().error("ERR One or more scores can't be converted into double");
  }
  options.store != 0 ? sort.store() : sort.reply();
}

void sort_command(Call& call) { sort_generic(call, true); }
void sort_ro_command(Call& call) { sort_generic(call, false); }

}  // namespace

void register_sort_commands(HandlerMap& map) {
  map["sort"] = sort_command;
  map["sort_ro"] = sort_ro_command;
}

}  // namespace kvasir
