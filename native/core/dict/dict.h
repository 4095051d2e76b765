// The hash table of Kvasir: a set of elements, each with a key of bytes inside it. Keyspace, expires, sets,
// hashes and sorted sets are dicts; in cluster mode there is one per slot.
//
// Structure. An array of 2^n buckets (bucket.h), each one cache line of seven elements with one tag byte
// each; a full bucket trades its last slot for a child bucket. A lookup costs the line of the bucket and the
// line of the element, and (tag and extra bits together) touches a wrong element about never.
//
// Resizing is incremental. While it lasts there are two arrays, and `cursor_` says where every key is:
//
//   a key whose bucket in array 0 is below cursor_ is in array 1, every other key is in array 0.      (I1)
//
// Lookups, inserts and scan steps therefore visit exactly one chain, always. Each insert and erase moves a
// bounded number of chains. Without a resize cursor_ is 0, so one comparison serves both states.
//
// Which hash bits a slot keeps. Index = low bits of the hash, tag = top byte. The 16 bits above an element's
// address hold the hash bits from extra_base(exp) on; with the index they give the low extra_base + 16 bits
// of the hash. extra_base changes with the array's size at 2^8 and 2^24 buckets only, so that growing needs
// the key (a cache miss for every element) just there, and shrinking never.
//
// Bounds. Growth starts at seven elements a bucket, shrinking below 13 % of that (the thresholds of
// Valkey 9.1, which its test-suite and DEBUG HTSTATS make visible); a shrink is by 2^12 at most, so that the
// array it moves to cannot be overrun before the move is over: an operation moves two chains or skips 320
// empty buckets.
//
// Holes. erase() closes the gap in a chain with an element of the chain's last bucket and frees that when it
// is empty, except while rehashing is paused: iterators and scan callbacks rely on elements not moving. Such
// holes are reused by inserts and closed when an iterator or scan leaves the chain, by the next erase in it,
// or by the next resize.
//
// Not thread-safe. A dict may be moved to another thread to be cleared there.
//
// Traits:
//   using Elem              8 bytes, trivially copyable, zero = none, its value below 2^48 (a pointer is)
//   static Slice key(Elem)
//   static uint64_t hash(Slice)          the hash that callers pass as `h`; flood-resistant
//   static void prefetch(Elem)           optional: default is one line at the element
//   static bool growth_allowed(size_t bytes, double fill)   optional veto of an automatic growth (maxmemory),
//                                        asked as long as the dict is not very full
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "base/prefetch.h"
#include "base/same_bytes.h"
#include "base/slice.h"
#include "dict/bucket.h"
#include "dict/table.h"

namespace kvasir {

template <class Traits>
class Dict {
 public:
  using Elem = typename Traits::Elem;
  using Bucket = dict::Bucket;

  // Where an element is stored. Valid until the next call that changes the dict.
  class Slot {
   public:
    Slot() = default;
    explicit operator bool() const { return place_ != 0; }
    [[nodiscard]] Elem get() const { return elem_of(word()); }
    // Puts another element with the same key in its place.
    void set(Elem e) { word() = (word() & ~dict::kAddressMask) | bits_of(e); }

   private:
    friend class Dict;
    // Two words, which functions return in registers; buckets leave the low bits of their addresses free.
    static constexpr uintptr_t kLow = 7;
    Slot(Bucket* top, Bucket* bucket, unsigned pos, unsigned table)
        : top_(reinterpret_cast<uintptr_t>(top) | table), place_(reinterpret_cast<uintptr_t>(bucket) | pos) {}
    [[nodiscard]] Bucket* top() const { return reinterpret_cast<Bucket*>(top_ & ~kLow); }
    [[nodiscard]] unsigned table() const { return top_ & kLow; }
    [[nodiscard]] Bucket* bucket() const { return reinterpret_cast<Bucket*>(place_ & ~kLow); }
    [[nodiscard]] unsigned pos() const { return place_ & kLow; }
    [[nodiscard]] uint64_t& word() const { return bucket()->slots[pos()]; }
    uintptr_t top_ = 0;
    uintptr_t place_ = 0;
  };

  // Where find_or_prepare() found room. Valid until the next call that changes the dict.
  class InsertPoint {
    friend class Dict;
    Bucket* bucket_ = nullptr;
    uint64_t hash_ = 0;
    uint8_t pos_ = 0;  // kSlots: the chain is full and ends with bucket_
    uint8_t table_ = 0;
  };

  Dict() = default;
  Dict(Dict&& other) noexcept { swap(other); }
  Dict& operator=(Dict&& other) noexcept {
    Dict(std::move(other)).swap(*this);
    return *this;
  }
  Dict(const Dict&) = delete;
  Dict& operator=(const Dict&) = delete;
  // Frees the buckets, not the elements: clear() before, if the dict owns them.
  ~Dict() { free_all(); }

  void swap(Dict& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(used_, other.used_);
    std::swap(children_, other.children_);
    std::swap(cursor_, other.cursor_);
    std::swap(paused_, other.paused_);
    std::swap(exp_, other.exp_);
  }
  // The content, to be cleared elsewhere; this dict is empty afterwards.
  [[nodiscard]] Dict detach() { return std::move(*this); }

  [[nodiscard]] size_t size() const { return used_[0] + used_[1]; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] size_t buckets(unsigned table) const {
    return table_[table] == nullptr ? 0 : size_t{1} << exp_[table];
  }
  [[nodiscard]] size_t mem_bytes() const {
    size_t sum = (size_t{children_[0]} + children_[1]) * sizeof(Bucket);
    for (unsigned t = 0; t < 2; t++) {
      if (table_[t] != nullptr) sum += dict::table_bytes(buckets(t));
    }
    return sum;
  }

  // --- Lookup. h is Traits::hash(key) in all of them. ---

  [[nodiscard]] Elem find(const Slice& key, uint64_t h) const {
    const Slot s = find_slot(key, h);
    return s ? s.get() : Elem{};
  }

  [[nodiscard]] Slot find_slot(const Slice& key, uint64_t h) const {
    if (table_[0] == nullptr) return {};
    const unsigned t = table_of(h);
    Bucket* const top = bucket_of(t, h);
    const uint64_t extra = extra_of(h, extra_base(exp_[t]));
    for (Bucket* b = top;;) {
      for (unsigned m = b->match(tag_of(h)); m != 0; m &= m - 1) {
        const unsigned pos = lowest(m);
        if (holds(b->slots[pos], extra, key)) return {top, b, pos, t};
      }
      if (!b->chained()) return {};
      b = b->child();
    }
  }

  // Prefetching in two stages, for batches: issue stage 1 for all keys, then stage 2 for all, then the
  // lookups. Stage 1: the bucket. Stage 2 (reads the bucket): the elements that match, or the child if none
  // does.
  void prefetch_bucket(uint64_t h) const {
    if (table_[0] != nullptr) kvasir::prefetch(bucket_of(table_of(h), h));
  }
  void prefetch_elem(uint64_t h) const {
    if (table_[0] == nullptr) return;
    const unsigned t = table_of(h);
    const Bucket* b = bucket_of(t, h);
    const uint64_t extra = extra_of(h, extra_base(exp_[t]));
    bool any = false;
    for (unsigned m = b->match(tag_of(h)); m != 0; m &= m - 1) {
      const uint64_t word = b->slots[lowest(m)];
      if ((word & ~dict::kAddressMask) != extra) continue;
      prefetch(elem_of(word));
      any = true;
    }
    if (!any && b->chained()) kvasir::prefetch(b->child());
  }

  // An element that very probably has the key with this hash; none if there is none in the first bucket of
  // its chain. Reads the bucket only.
  [[nodiscard]] Elem guess(uint64_t h) const {
    if (table_[0] == nullptr) return Elem{};
    const unsigned t = table_of(h);
    const Bucket* b = bucket_of(t, h);
    const uint64_t extra = extra_of(h, extra_base(exp_[t]));
    for (unsigned m = b->match(tag_of(h)); m != 0; m &= m - 1) {
      const uint64_t word = b->slots[lowest(m)];
      if ((word & ~dict::kAddressMask) == extra) return elem_of(word);
    }
    return Elem{};
  }

  // --- Change ---

  // Precondition: no element with this key.
  void insert_new(Elem e, uint64_t h) {
    before_insert();
    const unsigned t = table_of(h);
    place(t, bucket_of(t, h), tag_of(h), bits_of(e) | extra_of(h, extra_base(exp_[t])));
    used_[t]++;
  }

  // The element with this key; or, if there is none, where insert_at() may put it.
  [[nodiscard]] Slot find_or_prepare(const Slice& key, uint64_t h, InsertPoint* at) {
    before_insert();
    const unsigned t = table_of(h);
    Bucket* const top = bucket_of(t, h);
    const uint64_t extra = extra_of(h, extra_base(exp_[t]));
    at->bucket_ = nullptr;
    at->hash_ = h;
    at->table_ = static_cast<uint8_t>(t);
    for (Bucket* b = top;; b = b->child()) {
      for (unsigned m = b->match(tag_of(h)); m != 0; m &= m - 1) {
        const unsigned pos = lowest(m);
        if (holds(b->slots[pos], extra, key)) return {top, b, pos, t};
      }
      const unsigned room = b->free_slots();
      if (at->bucket_ == nullptr && room != 0) {
        at->bucket_ = b;
        at->pos_ = static_cast<uint8_t>(lowest(room));
      }
      if (b->chained()) continue;
      if (at->bucket_ == nullptr) {
        at->bucket_ = b;
        at->pos_ = dict::kSlots;
      }
      return {};
    }
  }
  void insert_at(const InsertPoint& at, Elem e) {
    const unsigned t = at.table_;
    const uint64_t word = bits_of(e) | extra_of(at.hash_, extra_base(exp_[t]));
    if (at.pos_ == dict::kSlots) {
      extend(t, at.bucket_)->put(1, tag_of(at.hash_), word);
    } else {
      at.bucket_->put(at.pos_, tag_of(at.hash_), word);
    }
    used_[t]++;
  }

  // Takes the element out and returns it; none if there is none.
  Elem erase(const Slice& key, uint64_t h) {
    const Slot s = find_slot(key, h);
    if (!s) return Elem{};
    const Elem e = s.get();
    erase_slot(s);
    return e;
  }
  // The second half of a two-phase pop: find_slot(), use the element, erase_slot().
  void erase_slot(const Slot& s) {
    s.bucket()->drop(s.pos());
    used_[s.table()]--;
    if (paused_ != 0) return;
    if (s.top()->chained()) close_holes(s.table(), s.top());
    if (table_[1] != nullptr) {
      step(kChainsPerOp, kEmptiesPerOp);
    } else {
      shrink_if_needed();
    }
  }

  // --- Resizing ---

  [[nodiscard]] bool rehashing() const { return table_[1] != nullptr; }
  // Moves up to `chains` chains. True if there is more to do and rehashing is not paused.
  bool rehash_step(size_t chains) {
    if (table_[1] == nullptr || paused_ != 0) return false;
    step(chains, chains * (kEmptiesPerOp / kChainsPerOp));
    return table_[1] != nullptr;
  }
  // The same for a time.
  bool rehash_for(std::chrono::microseconds budget) {
    const auto end = std::chrono::steady_clock::now() + budget;
    while (rehash_step(32)) {
      if (std::chrono::steady_clock::now() >= end) return true;
    }
    return false;
  }
  // Makes room for n elements in all. False if there is room, a resize is going on, or memory is short.
  bool try_expand(size_t n) {
    if (table_[1] != nullptr || n <= size()) return false;
    const unsigned exp = exp_for(n);
    return (table_[0] == nullptr || exp > exp_[0]) && start_resize(exp);
  }
  // Starts a growth or a shrink if it is due: for the cron, after the policy has changed or a veto has gone.
  bool resize_if_needed() {
    if (table_[0] == nullptr || table_[1] != nullptr || paused_ != 0) return false;
    return grow_if_needed(used_[0]) || shrink_if_needed();
  }
  // While paused (calls nest) no element moves and nothing shrinks.
  void pause_rehash() { paused_++; }
  void resume_rehash() {
    if (--paused_ == 0 && table_[0] != nullptr && table_[1] == nullptr) shrink_if_needed();
  }

  // --- Walking ---

  // One step of SCAN: calls emit(Elem) for every element of one chain and returns the next cursor, 0 at the
  // end. Every element that is present during the whole scan is emitted at least once, whatever is inserted,
  // erased and resized between the steps and by emit itself; during one step no element moves.
  //
  // The cursor counts with its bits reversed (the idea of Pieter Noordhuis, Redis 2.8): a step with mask m
  // covers all hashes equal to the cursor in the bits of m, and goes on with the next such class in the order
  // of reversed bits. That order is the same for all sizes, so m may differ from step to step. By (I1) the
  // class of the cursor is one chain, or, moved by a shrink, a part of one.
  template <class F>
  uint64_t scan(uint64_t cursor, F&& emit) {
    if (table_[0] == nullptr) return 0;
    const ScanClass c = scan_class(cursor);
    const uint64_t mask0 = mask(0);
    const uint64_t index0 = cursor & mask0;
    const bool part = c.mask != mask(c.table);
    const unsigned base = extra_base(exp_[c.table]);
    const bool known = exp_[0] <= base + kExtraBits;
    Bucket* const top = &table_[c.table][c.index];

    pause_rehash();
    for_chain(top, [](uint64_t word) { prefetch(elem_of(word)); });
    for_chain(top, [&](uint64_t word) {
      const Elem e = elem_of(word);
      if (part) {
        const uint64_t h = known ? known_hash(word, c.index, base) : Traits::hash(Traits::key(e));
        if ((h & mask0) != index0) return;
      }
      emit(e);
    });
    if (paused_ == 1 && top->chained()) close_holes(c.table, top);
    resume_rehash();
    return after(cursor, c.mask);
  }
  // For those who scan on and on: the cursor that scan() would return if nothing changed, and sending for
  // what it would read there: the bucket, then (reads the bucket) its elements.
  [[nodiscard]] uint64_t scan_next(uint64_t cursor) const {
    return table_[0] == nullptr ? 0 : after(cursor, scan_class(cursor).mask);
  }
  void prefetch_scan_bucket(uint64_t cursor) const {
    if (table_[0] == nullptr) return;
    const ScanClass c = scan_class(cursor);
    kvasir::prefetch(&table_[c.table][c.index]);
  }
  void prefetch_scan_elems(uint64_t cursor) const {
    if (table_[0] == nullptr) return;
    const ScanClass c = scan_class(cursor);
    const Bucket* b = &table_[c.table][c.index];
    prefetch_elems(b);
    if (b->chained()) kvasir::prefetch(b->child());
  }

  // Visits every element once. Rehashing is paused while an iterator exists. Elements may be erased at any
  // time, an element inserted meanwhile may or may not be visited, and an insert may make next() return an
  // element of the bucket it is in a second time.
  class Iterator {
   public:
    explicit Iterator(Dict& d) : dict_(&d), index_(d.cursor_) { d.pause_rehash(); }
    ~Iterator() {
      leave_chain();
      dict_->resume_rehash();
    }
    Iterator(const Iterator&) = delete;
    Iterator& operator=(const Iterator&) = delete;

    // The next element, none at the end.
    Elem next() {
      for (;;) {
        if (bucket_ != nullptr) {
          const unsigned rest = bucket_->filled() & (~0U << pos_);
          if (rest != 0) {
            pos_ = lowest(rest) + 1;
            return elem_of(bucket_->slots[pos_ - 1]);
          }
          bucket_ = bucket_->child();
          pos_ = 0;
          if (bucket_ != nullptr) continue;
          leave_chain();
        }
        while (index_ >= dict_->buckets(table_)) {
          if (table_ == 1) return Elem{};
          table_ = 1;
          index_ = 0;
        }
        bucket_ = top_ = &dict_->table_[table_][index_++];
        if (index_ < dict_->buckets(table_)) dict_->prefetch_elems(top_ + 1);
      }
    }
    // Where the element that next() returned is: to replace it, or for erase_slot().
    [[nodiscard]] Slot slot() const { return {top_, bucket_, pos_ - 1, table_}; }

   private:
    void leave_chain() {
      if (top_ != nullptr && top_->chained() && dict_->paused_ == 1) dict_->close_holes(table_, top_);
      top_ = nullptr;
    }
    Dict* dict_;
    size_t index_;
    Bucket* top_ = nullptr;
    Bucket* bucket_ = nullptr;
    unsigned pos_ = 0;
    unsigned table_ = 0;
  };

  // A random element, all equally likely; none if empty. Rng has `uint64_t below(uint64_t n)`.
  template <class Rng>
  Elem random(Rng& rng) const {
    return empty() ? Elem{} : random_slot(rng).get();
  }
  // The same with its place, for erase_slot(). Precondition: not empty.
  template <class Rng>
  Slot random_slot(Rng& rng) const {
    const RingPlace start = random_place(rng);
    unsigned t = start.table;
    size_t i = start.chain;
    for (size_t skip = start.place;; skip = 0) {
      auto* const top = const_cast<Bucket*>(ring_at(t, i));
      for (Bucket* b = top; b != nullptr; b = b->child()) {
        for (unsigned m = b->filled(); m != 0; m &= m - 1) {
          if (skip-- == 0) return {top, b, lowest(m), t};
        }
      }
      if (++i < ring_part(t)) continue;
      if (cursor_ != 0) t ^= 1;
      i = 0;
    }
  }

  // Up to `count` different elements that are neighbours in the table; each element of the dict is as likely
  // to be among them as any other. Fewer only if the dict has fewer, or if it is far emptier than resizing
  // leaves it: the work is bounded by count, except that one element is always found.
  template <class Rng>
  size_t sample(Rng& rng, Elem* out, size_t count) const {
    count = std::min(count, size());
    if (count == 0) return 0;
    RingPlace start = random_place(rng);
    const size_t all = ring_part(0) + (cursor_ == 0 ? 0 : ring_part(1));
    size_t n = 0;
    unsigned t = start.table;
    size_t i = start.chain;
    // Once round the ring, and what was skipped in the first chain at last.
    for (size_t visited = 0; visited <= all && n < count && (n == 0 || visited < 8 * count + 64); visited++) {
      const size_t from = visited == 0 ? start.place : 0;
      const size_t to = visited == all ? start.place : ~size_t{0};
      size_t place = 0;
      for_chain(ring_at(t, i), [&](uint64_t word) {
        if (place >= from && place < to && n < count) out[n++] = elem_of(word);
        place++;
      });
      if (++i < ring_part(t)) continue;
      if (cursor_ != 0) t ^= 1;
      i = 0;
    }
    return n;
  }

  // --- Emptying ---

  template <class F>
  void clear(F&& release) {
    while (clear_step(~size_t{0} >> 1, release)) {
    }
  }
  // Releases the elements of up to `max` buckets; true if there is more to do. Until it returns false only
  // size(), mem_bytes(), clear_step(), clear() and the destructor may be called; then the dict is empty and
  // as new.
  template <class F>
  bool clear_step(size_t max, F&& release) {
    while (table_[0] != nullptr) {
      const size_t end = buckets(0);
      while (cursor_ < end && used_[0] + children_[0] != 0) {
        if (max-- == 0) return true;
        for_chain(&table_[0][cursor_], [&](uint64_t word) {
          release(elem_of(word));
          used_[0]--;
        });
        free_children(0, &table_[0][cursor_]);
        pass_bucket();
      }
      drop_table0();
    }
    return false;
  }

  // --- DEBUG HTSTATS ---

  // O(buckets) if `chains`.
  [[nodiscard]] dict::TableStats table_stats(unsigned t, bool chains) const {
    dict::TableStats s;
    s.table = static_cast<int>(t);
    s.rehash_index = table_[1] == nullptr ? -1 : static_cast<int64_t>(cursor_);
    s.top_level = buckets(t);
    s.children = children_[t];
    s.used = used_[t];
    for (size_t i = 0; chains && i < s.top_level; i++) {
      size_t length = 0;
      for (const Bucket* b = table_[t][i].child(); b != nullptr; b = b->child()) length++;
      s.max_chain = std::max(s.max_chain, length);
      s.chains[std::min(length, dict::TableStats::kChainLengths - 1)]++;
    }
    return s;
  }
  void stats(std::string* out, bool chains) const {
    table_stats(0, chains).print(out, chains);
    if (table_[1] != nullptr) table_stats(1, chains).print(out, chains);
  }

 private:
  static_assert(sizeof(Elem) == sizeof(uint64_t) && std::is_trivially_copyable_v<Elem>);

  static constexpr size_t kChainsPerOp = 2;
  static constexpr size_t kEmptiesPerOp = 320;
  static constexpr unsigned kExtraBits = 64 - dict::kAddressBits;
  static constexpr unsigned kMaxExp = 40;
  static constexpr unsigned kMaxShrink = 12;
  static constexpr size_t kDiscardBuckets = dict::kDiscardBytes / sizeof(Bucket);
  // Percent of all slots of the top level.
  static constexpr size_t kGrowAbove = 100, kGrowAboveHard = 500;
  static constexpr size_t kShrinkBelow = 13, kShrinkBelowHard = 3;

  static uint64_t bits_of(Elem e) {
    const auto bits = std::bit_cast<uint64_t>(e);
    if (bits > dict::kAddressMask || bits == 0) [[unlikely]]
      dict::fatal("element is not a 48-bit address");
    return bits;
  }
  static Elem elem_of(uint64_t word) { return std::bit_cast<Elem>(word & dict::kAddressMask); }
  static uint8_t tag_of(uint64_t h) { return static_cast<uint8_t>(h >> 56); }
  static unsigned lowest(unsigned m) { return static_cast<unsigned>(__builtin_ctz(m)); }

  static constexpr unsigned extra_base(unsigned exp) { return exp < 8 ? 0 : exp < 24 ? 8 : 24; }
  // The hash bits [base, base + 16) in the place where a slot word has them.
  static uint64_t extra_of(uint64_t h, unsigned base) { return h >> base << dict::kAddressBits; }
  // The low base + 16 bits of the hash of an element in bucket `index`.
  static uint64_t known_hash(uint64_t word, size_t index, unsigned base) {
    return (index & ((uint64_t{1} << base) - 1)) | (word >> dict::kAddressBits << base);
  }
  static bool holds(uint64_t word, uint64_t extra, const Slice& key) {
    return (word & ~dict::kAddressMask) == extra && same_bytes(Traits::key(elem_of(word)), key);
  }
  static void prefetch(Elem e) {
    if constexpr (requires { Traits::prefetch(e); }) {
      Traits::prefetch(e);
    } else {
      kvasir::prefetch(std::bit_cast<const void*>(e));
    }
  }
  static void prefetch_elems(const Bucket* b) {
    for (unsigned m = b->filled(); m != 0; m &= m - 1) prefetch(elem_of(b->slots[lowest(m)]));
  }
  // The class of hashes that a step of scan() covers, and the chain that holds it.
  struct ScanClass {
    unsigned table;
    uint64_t mask;
    size_t index;
  };
  [[nodiscard]] ScanClass scan_class(uint64_t cursor) const {
    const uint64_t mask0 = mask(0);
    if ((cursor & mask0) >= cursor_) return {0, mask0, static_cast<size_t>(cursor & mask0)};
    return {1, std::max(mask0, mask(1)), static_cast<size_t>(cursor & mask(1))};
  }
  // The next class in the order of reversed bits.
  static uint64_t after(uint64_t cursor, uint64_t mask) {
    return reverse_bits(reverse_bits(cursor | ~mask) + 1);
  }
  static uint64_t reverse_bits(uint64_t v) {
    v = ((v >> 1) & 0x5555555555555555ULL) | ((v & 0x5555555555555555ULL) << 1);
    v = ((v >> 2) & 0x3333333333333333ULL) | ((v & 0x3333333333333333ULL) << 2);
    v = ((v >> 4) & 0x0f0f0f0f0f0f0f0fULL) | ((v & 0x0f0f0f0f0f0f0f0fULL) << 4);
    return __builtin_bswap64(v);
  }

  // Calls f(slot word) along a chain. f may erase elements and insert others as long as rehashing is paused.
  template <class F>
  static void for_chain(const Bucket* b, F&& f) {
    for (; b != nullptr; b = b->child()) {
      for (unsigned pos = 0; pos < dict::kSlots; pos++) {
        if ((b->filled() >> pos & 1) != 0) f(b->slots[pos]);
      }
    }
  }
  [[nodiscard]] uint64_t mask(unsigned t) const { return (uint64_t{1} << exp_[t]) - 1; }
  [[nodiscard]] unsigned table_of(uint64_t h) const { return (h & mask(0)) < cursor_ ? 1 : 0; }
  [[nodiscard]] Bucket* bucket_of(unsigned t, uint64_t h) const { return &table_[t][h & mask(t)]; }
  [[nodiscard]] size_t first_bucket(unsigned t) const { return t == 0 ? cursor_ : 0; }
  // Slots of an array of 2^exp buckets without children.
  static size_t capacity(unsigned exp) { return size_t{dict::kSlots} << exp; }
  // The smallest array that n elements fill to 32/35 at most.
  static unsigned exp_for(size_t n) {
    if (n > capacity(kMaxExp) / 2) return kMaxExp;
    const size_t least = (std::max<size_t>(n, 1) * 5 + 31) / 32;
    return static_cast<unsigned>(std::bit_width(least - 1));
  }

  void before_insert() {
    if (table_[0] == nullptr) {
      table_[0] = dict::child_alloc();  // one bucket is an array of one
      exp_[0] = 0;
    } else if (table_[1] != nullptr) {
      if (paused_ == 0) step(kChainsPerOp, kEmptiesPerOp);
    } else if (used_[0] >= capacity(exp_[0])) [[unlikely]] {
      grow_if_needed(used_[0] + 1);
    }
  }

  // Puts an element into a chain that has not got it.
  void place(unsigned t, Bucket* b, uint8_t tag, uint64_t word) {
    for (;; b = b->child()) {
      const unsigned room = b->free_slots();
      if (room != 0) return b->put(lowest(room), tag, word);
      if (!b->chained()) return extend(t, b)->put(1, tag, word);
    }
  }
  // Gives a full bucket a child, whose slot 0 gets what was in the bucket's last slot.
  Bucket* extend(unsigned t, Bucket* b) {
    constexpr unsigned last = dict::kSlots - 1;
    Bucket* const child = dict::child_alloc();
    child->put(0, b->tags[last], b->slots[last]);
    b->drop(last);
    b->set_child(child);
    children_[t]++;
    return child;
  }

  // Fills all holes of a chain from its last bucket, and frees what gets empty.
  void close_holes(unsigned t, Bucket* top) {
    constexpr unsigned last = dict::kSlots - 1;
    while (top->chained()) {
      Bucket* hole = top->free_slots() != 0 ? top : nullptr;
      Bucket* parent = top;
      Bucket* tail = top->child();
      for (; tail->chained(); tail = tail->child()) {
        if (hole == nullptr && tail->free_slots() != 0) hole = tail;
        parent = tail;
      }
      const unsigned m = tail->filled();
      if (m != 0 && hole == nullptr && (m & (m - 1)) != 0) return;
      if (m != 0 && hole != nullptr) {
        const unsigned from = lowest(m);
        hole->put(lowest(hole->free_slots()), tail->tags[from], tail->slots[from]);
        tail->drop(from);
        continue;
      }
      // Nothing is left in the tail, or a single element for which the parent has the slot that the link
      // took.
      parent->clear_child();
      if (m != 0) parent->put(last, tail->tags[lowest(m)], tail->slots[lowest(m)]);
      dict::child_free(tail);
      children_[t]--;
    }
  }

  bool grow_if_needed(size_t n) {
    const size_t slots = capacity(exp_[0]);
    const bool hard = n * 100 > slots * kGrowAboveHard;
    if (n * 100 <= slots * kGrowAbove || (!hard && dict::resize_policy() != dict::ResizePolicy::kAllow))
      return false;
    const unsigned exp = exp_for(n);
    if (exp <= exp_[0]) return false;
    if constexpr (requires { Traits::growth_allowed(size_t{}, 0.0); }) {
      const double fill = static_cast<double>(n) / static_cast<double>(slots);
      if (!hard && !Traits::growth_allowed(dict::table_bytes(size_t{1} << exp), fill)) return false;
    }
    return start_resize(exp);  // without memory for it the chains get longer, and the next insert tries again
  }
  bool shrink_if_needed() {
    if (used_[0] * 100 > capacity(exp_[0]) * kShrinkBelow || exp_[0] == 0) return false;
    const dict::ResizePolicy policy = dict::resize_policy();
    if (policy == dict::ResizePolicy::kForbid) return false;
    if (policy == dict::ResizePolicy::kAvoid && used_[0] * 100 > capacity(exp_[0]) * kShrinkBelowHard)
      return false;
    const unsigned least = exp_[0] > kMaxShrink ? exp_[0] - kMaxShrink : 0;
    const unsigned exp = std::max(exp_for(used_[0]), least);
    return exp < exp_[0] && start_resize(exp);
  }

  bool start_resize(unsigned exp) {
    Bucket* const table = dict::table_try_alloc(size_t{1} << exp);
    if (table == nullptr) return false;
    if (table_[0] == nullptr) {
      table_[0] = table;
      exp_[0] = static_cast<uint8_t>(exp);
      dict::table_settled(table, size_t{1} << exp);
      return true;
    }
    table_[1] = table;
    exp_[1] = static_cast<uint8_t>(exp);
    if (paused_ == 0 && used_[0] + children_[0] == 0) drop_table0();
    return true;
  }

  // Moves up to `chains` chains or passes `empties` empty buckets, whichever comes first.
  void step(size_t chains, size_t empties) {
    const size_t end = size_t{1} << exp_[0];
    while (chains != 0 && empties != 0) {
      if (table_[0][cursor_].meta == 0) {
        empties--;
      } else if (move_chain(cursor_)) {
        chains--;
      } else {  // children without elements, which erasing while paused has left
        empties -= std::min<size_t>(empties, 8);
      }
      pass_bucket();
      if (cursor_ == end || used_[0] + children_[0] == 0) return drop_table0();
    }
    // What the next step will touch.
    kvasir::prefetch(&table_[0][cursor_]);
    if (exp_[1] > exp_[0]) {
      kvasir::prefetch(&table_[1][cursor_]);
      kvasir::prefetch(&table_[1][cursor_ + end]);
    }
  }
  // False if there was no element in it.
  bool move_chain(size_t index) {
    const unsigned from = extra_base(exp_[0]);
    const unsigned to = extra_base(exp_[1]);
    const bool known = to <= from && exp_[1] <= from + kExtraBits;
    Bucket* const top = &table_[0][index];
    if (!known) for_chain(top, [](uint64_t word) { prefetch(elem_of(word)); });
    size_t moved = 0;
    for (Bucket* b = top; b != nullptr; b = b->child()) {
      for (unsigned m = b->filled(); m != 0; m &= m - 1) {
        const unsigned pos = lowest(m);
        const uint64_t word = b->slots[pos];
        const uint64_t h = known ? known_hash(word, index, from) : Traits::hash(Traits::key(elem_of(word)));
        place(1, bucket_of(1, h), b->tags[pos], (word & dict::kAddressMask) | extra_of(h, to));
        moved++;
      }
    }
    free_children(0, top);
    top->meta = 0;
    used_[0] -= moved;
    used_[1] += moved;
    return moved != 0;
  }
  // Bucket cursor_ of array 0 is done with; a mapped array goes back to the system as it empties.
  void pass_bucket() {
    cursor_++;
    if (cursor_ % kDiscardBuckets == 0) {
      dict::table_discard(table_[0], size_t{1} << exp_[0], cursor_ - kDiscardBuckets, kDiscardBuckets);
    }
  }
  // Array 0 is empty: array 1, if there is one, takes its place.
  void drop_table0() {
    free_table(0);
    table_[0] = std::exchange(table_[1], nullptr);
    used_[0] = std::exchange(used_[1], 0);
    children_[0] = std::exchange(children_[1], 0);
    exp_[0] = std::exchange(exp_[1], 0);
    cursor_ = 0;
    if (table_[0] != nullptr) dict::table_settled(table_[0], size_t{1} << exp_[0]);
  }

  void free_children(unsigned t, Bucket* top) {
    for (Bucket* b = top->child(); b != nullptr;) {
      Bucket* const next = b->child();
      dict::child_free(b);
      children_[t]--;
      b = next;
    }
    top->clear_child();
  }
  void free_table(unsigned t) {
    if (table_[t] == nullptr) return;
    for (size_t i = first_bucket(t); children_[t] != 0; i++) free_children(t, &table_[t][i]);
    dict::table_free(table_[t], size_t{1} << exp_[t]);
  }
  void free_all() {
    free_table(0);
    free_table(1);
  }

  // The chains that may hold elements form a ring of two parts: those of array 0 that have not moved yet, and
  // those of array 1 that they have moved to so far. Random choices go by this, since during a resize the
  // rest is empty.
  [[nodiscard]] size_t ring_part(unsigned t) const {
    if (t == 0) return (size_t{1} << exp_[0]) - cursor_;
    return exp_[1] > exp_[0] ? cursor_ << (exp_[1] - exp_[0])
                             : std::min<size_t>(cursor_, size_t{1} << exp_[1]);
  }
  [[nodiscard]] const Bucket* ring_at(unsigned t, size_t i) const {
    if (t == 0) return &table_[0][cursor_ + i];
    if (exp_[1] < exp_[0]) return &table_[1][i];
    const unsigned more = exp_[1] - exp_[0];
    return &table_[1][(i >> more) | (i & ((size_t{1} << more) - 1)) << exp_[0]];
  }

  struct RingPlace {
    unsigned table;
    size_t chain;
    size_t place;  // counts the elements of the chain
  };
  // The place of a random element, by rejection: a random chain and a random place in 0..limit-1 of it,
  // accepted if the chain is that long. Only elements beyond the limit are missed, and a random hash puts
  // less than one in a hundred thousand there. In a table far emptier than resizing leaves it the tries run
  // out: a random chain, which may be empty.
  template <class Rng>
  RingPlace random_place(Rng& rng) const {
    const unsigned t = used_[1] != 0 && rng.below(size()) >= used_[0] ? 1 : 0;
    const size_t range = ring_part(t);
    // During a shrink some chains of array 1 have the content of one bucket more than others.
    const bool uneven = t == 1 && exp_[1] < exp_[0];
    const size_t share = uneven ? (cursor_ + range - 1) / range : 1;
    const size_t limit = 2 * share * used_[t] / (uneven ? cursor_ : range) + 8;
    for (int tries = 0; tries < 256; tries++) {
      const size_t i = rng.below(range);
      const size_t place = rng.below(limit);
      size_t length = 0;
      for (const Bucket* b = ring_at(t, i); b != nullptr && length <= place; b = b->child())
        length += b->count();
      if (place < length) return {t, i, place};
    }
    return {t, rng.below(range), 0};
  }

  Bucket* table_[2] = {nullptr, nullptr};
  size_t used_[2] = {0, 0};
  uint64_t cursor_ = 0;
  uint32_t children_[2] = {0, 0};
  uint32_t paused_ = 0;
  uint8_t exp_[2] = {0, 0};
};

}  // namespace kvasir
