#include "keyspace/value_prefetch.h"

#include "base/prefetch.h"
#include "keyspace/value.h"

namespace kvasir {

namespace {

constexpr size_t kLine = 64;

void prefetch_lines(const void* at, size_t bytes) {
  for (size_t i = 0; i < bytes; i += kLine) prefetch(static_cast<const char*>(at) + i);
}

}  // namespace

void ValuePrefetch::add(const Database& db, const KeyRef& key, Slice element, uint64_t* hash) {
  if (size_ == kMost) return;
  const Entry* e = db.guess(key);
  if (e == nullptr) return;
  const CollectionOps* ops = value_ops(e->type());
  if (ops == nullptr) return;
  const Collection c = e->collection();
  const bool hashed = c.encoding == Encoding::kHashtable || c.encoding == Encoding::kSkiplist;
  if (hashed && element.data != nullptr) *hash = hash_bytes(element);
  // A processor fetches on by itself once it sees lines being read one after the other.
  prefetch_lines(c.data, hashed ? 2 * kLine : 4 * kLine);
  if (ops->prefetch != nullptr) items_[size_++] = {ops, c, *hash};
}

void ValuePrefetch::run() {
  for (unsigned step = 0; step < CollectionOps::kPrefetchSteps; step++) {
    for (size_t i = 0; i < size_; i++) items_[i].ops->prefetch(items_[i].collection, items_[i].hash, step);
  }
  size_ = 0;
}

}  // namespace kvasir
