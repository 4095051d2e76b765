#include "types/stream_group.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/alloc.h"

namespace kvasir {

// ------------------------------------------------------------------ consumers

Consumer::Consumer(Slice name) : name_size_(static_cast<uint32_t>(name.size)) {
  if (name.size > 0) memcpy(reinterpret_cast<char*>(this + 1), name.data, name.size);
}

Consumer* Consumer::make(Slice name) { return new (mem_alloc(sizeof(Consumer) + name.size)) Consumer(name); }

void Consumer::destroy(Consumer* c) {
  c->~Consumer();
  mem_free(c);
}

// ------------------------------------------------------------------ groups

StreamGroup::StreamGroup(Slice name, const StreamId& last, int64_t read)
    : last_id(last), entries_read(read), name_size_(static_cast<uint32_t>(name.size)) {
  if (name.size > 0) memcpy(reinterpret_cast<char*>(this + 1), name.data, name.size);
}

StreamGroup::~StreamGroup() {
  for (Consumers::Place p = consumers_.first(); p; p.next()) Consumer::destroy(p.key());
}

StreamGroup* StreamGroup::make(Slice name, const StreamId& last_id, int64_t entries_read) {
  return new (mem_alloc(sizeof(StreamGroup) + name.size)) StreamGroup(name, last_id, entries_read);
}

void StreamGroup::destroy(StreamGroup* g) {
  g->~StreamGroup();
  mem_free(g);
}

StreamGroup* StreamGroup::duplicate() const {
  StreamGroup* copy = make(name(), last_id, entries_read);
  for (Consumers::Place p = consumers_.first(); p; p.next()) {
    Consumer* c = copy->add_consumer(p.key()->name());
    c->seen_ms = p.key()->seen_ms;
    c->active_ms = p.key()->active_ms;
  }
  for (PendingEntries::Place p = pending_.first(); p; p.next()) {
    PendingEntry& entry = copy->assign(p.key(), copy->consumer(p.value().consumer->name()));
    entry.delivered_ms = p.value().delivered_ms;
    entry.deliveries = p.value().deliveries;
  }
  return copy;
}

size_t StreamGroup::bytes(size_t samples) const {
  size_t measured = 0, seen = 0;
  for (Consumers::Place p = consumers_.first(); p && seen < samples; p.next(), seen++) {
    measured += p.key()->bytes();
  }
  if (seen > 0 && seen < consumers_.size()) {
    measured = static_cast<size_t>(static_cast<double>(measured) / static_cast<double>(seen) *
                                   static_cast<double>(consumers_.size()));
  }
  return mem_usable(this) + pending_.bytes() + consumers_.bytes() + measured;
}

size_t StreamGroup::free_effort() const {
  // Pending entries lie close together, dozens to an allocation.
  return 1 + pending_.size() / 32 + consumers_.size();
}

Consumer* StreamGroup::consumer(Slice name) const {
  const Consumers::Place p = consumers_.find(name);
  return p ? p.key() : nullptr;
}

Consumer* StreamGroup::add_consumer(Slice name) {
  if (consumer(name) != nullptr) return nullptr;
  Consumer* c = Consumer::make(name);
  consumers_.insert(c, {});
  return c;
}

void StreamGroup::remove_consumer(Consumer* c) {
  for (PendingIds::Place p = c->pending.first(); p; p.next()) pending_.erase(p.key());
  consumers_.erase(c->name());
  Consumer::destroy(c);
}

PendingEntry& StreamGroup::assign(const StreamId& id, Consumer* c, bool* added) {
  bool is_new;
  PendingEntry& entry = pending_.insert(id, {0, 0, c}, &is_new).value();
  if (added != nullptr) *added = is_new;
  if (!is_new) {
    if (entry.consumer == c) return entry;
    entry.consumer->pending.erase(id);
    entry.consumer = c;
  }
  c->pending.insert(id, {});
  return entry;
}

bool StreamGroup::acknowledge(const StreamId& id) {
  const PendingEntries::Place p = pending_.find(id);
  if (!p) return false;
  p.value().consumer->pending.erase(id);
  pending_.erase(id);
  return true;
}

bool StreamGroup::load_pending(const StreamId& id, int64_t delivered_ms, uint64_t deliveries) {
  bool is_new;
  pending_.insert(id, {delivered_ms, deliveries, nullptr}, &is_new);
  return is_new;
}

void StreamGroup::load_owner(const PendingEntries::Place& place, Consumer* c) {
  place.value().consumer = c;
  c->pending.insert(place.key(), {});
}

bool StreamGroup::owned() const {
  size_t owned = 0;
  for (Consumers::Place p = consumers_.first(); p; p.next()) owned += p.key()->pending.size();
  return owned == pending_.size();
}

}  // namespace kvasir
