// The memory of bucket arrays, and what all dicts of the process share.
//
// Arrays of 1 MiB and more are mapped (zeroed lazily by the kernel, backed by huge pages once they are
// filled, given back piece by piece while a rehash empties them); smaller ones come from the data plane's
// allocator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "dict/bucket.h"

namespace kvasir::dict {

inline constexpr size_t kMapThreshold = size_t{1} << 20;
// The unit in which a mapped array is given back: one huge page.
inline constexpr size_t kDiscardBytes = size_t{2} << 20;

// A zeroed array of `buckets` (a power of two), on a cache-line boundary. nullptr when the memory cannot be
// had.
Bucket* table_try_alloc(size_t buckets);
void table_free(Bucket* table, size_t buckets);
// Gives the pages of buckets [first, first + count) back; they read as empty buckets afterwards. Only for
// mapped arrays, and only a hint: without effect on a smaller one.
void table_discard(Bucket* table, size_t buckets, size_t first, size_t count);
// The array is in use and no longer being filled by a rehash: huge pages may back it. Not before, because a
// first touch would then zero 2 MiB at once, which in a virtual machine has been seen to take 5 ms; now a
// background thread has the kernel collapse them.
void table_settled(Bucket* table, size_t buckets);
// Bytes that table_try_alloc(buckets) occupies.
size_t table_bytes(size_t buckets);
// Bytes of all mapped arrays of the process. mem_used() does not see them: used_memory is the sum of the two.
size_t table_mapped_bytes();

Bucket* child_alloc();
void child_free(Bucket* b);

[[noreturn]] void fatal(const char* what);

// Whether tables may start to change their size. kAvoid: only when they are very full or very empty; kForbid:
// only when very full. A resize that has started goes on.
enum class ResizePolicy : uint8_t { kAllow, kAvoid, kForbid };
// Process-wide, like the DEBUG command it serves; any thread.
void set_resize_policy(ResizePolicy policy);
ResizePolicy resize_policy();

// What DEBUG HTSTATS says of one table (or, added up, of the tables of many dicts).
struct TableStats {
  static constexpr size_t kChainLengths = 50;

  int table = 0;
  int64_t rehash_index = -1;
  size_t top_level = 0;
  size_t children = 0;
  size_t used = 0;
  size_t max_chain = 0;
  size_t chains[kChainLengths] =
      {};  // chains[n]: top-level buckets with n children; the last counts all longer

  void add(const TableStats& other);
  // Appends the text of Valkey 9.1 (`full`: with the chains).
  void print(std::string* out, bool full) const;
};

}  // namespace kvasir::dict
