#include "types/stream.h"

#include <algorithm>
#include <new>

#include "base/alloc.h"

namespace kvasir {

namespace {

// stream-node-max-bytes, 0 for as many as a listpack may have.
size_t max_bytes(const EncodingLimits& limits) {
  const auto n = static_cast<uint64_t>(limits.stream_node_max_bytes);
  return n == 0 || n > Listpack::kMaxBytes ? Listpack::kMaxBytes : n;
}

// Room that a node doubles up to; beyond it grows by what it needs.
constexpr size_t kSlackUpTo = 4096;
// What an entry is given room for besides its text.
constexpr size_t kEntryRoom = 64;

}  // namespace

Collection Stream::make() { return {Encoding::kStream, new (mem_alloc(sizeof(Stream))) Stream()}; }

Stream::~Stream() {
  if (groups_ == nullptr) return;
  for (StreamGroups::Place p = groups_->first(); p; p.next()) StreamGroup::destroy(p.key());
  groups_->~StreamGroups();
  mem_free(groups_);
}

void Stream::insert_group(StreamGroup* g) {
  if (groups_ == nullptr) groups_ = new (mem_alloc(sizeof(StreamGroups))) StreamGroups();
  groups_->insert(g, {});
}

Stream* Stream::duplicate() const {
  auto* copy = new (mem_alloc(sizeof(Stream))) Stream();
  for (StreamNodes::Place p = nodes_.first(); p; p.next()) {
    copy->nodes_.insert(p.id(), Listpack::copy_of(p.listpack().image()));
  }
  for (StreamGroups::Place p = first_group(); p; p.next()) {
    copy->insert_group(p.key()->duplicate());
  }
  copy->length = length;
  copy->first_id = first_id;
  copy->last_id = last_id;
  copy->max_deleted_id = max_deleted_id;
  copy->entries_added = entries_added;
  return copy;
}

size_t Stream::free_effort() const {
  size_t effort = nodes_.size();
  // The first group stands for all.
  if (group_count() > 0) effort += group_count() * first_group().key()->free_effort();
  return effort;
}

size_t Stream::bytes(size_t samples) const {
  size_t sum = mem_usable(this) + nodes_.bytes();
  // The last node is seldom full: it is measured by itself.
  size_t measured = 0, seen = 0;
  for (StreamNodes::Place p = nodes_.first(); p && seen < samples && seen + 1 < nodes_.size();
       p.next(), seen++) {
    measured += p.listpack().footprint();
  }
  if (seen > 0) {
    sum += static_cast<size_t>(static_cast<double>(measured) / static_cast<double>(seen) *
                               static_cast<double>(nodes_.size() - 1));
  }
  if (nodes_.size() > 0) sum += nodes_.last().listpack().footprint();
  if (groups_ == nullptr) return sum;

  measured = seen = 0;
  for (StreamGroups::Place p = first_group(); p && seen < samples; p.next(), seen++) {
    measured += p.key()->bytes(samples);
  }
  if (seen > 0) {
    measured = static_cast<size_t>(static_cast<double>(measured) / static_cast<double>(seen) *
                                   static_cast<double>(group_count()));
  }
  return sum + mem_usable(groups_) + groups_->bytes() + measured;
}

// ------------------------------------------------------------------ entries

bool Stream::next_id(int64_t now_ms, StreamId* id) const {
  const auto ms = static_cast<uint64_t>(now_ms);
  if (ms > last_id.ms) {
    *id = {ms, 0};
    return true;
  }
  *id = last_id;
  return id->increment();
}

bool Stream::append(const StreamId& id, std::span<const Slice> data, const EncodingLimits& limits) {
  size_t text = 0;
  for (const Slice& s : data) text += s.size;
  if (text > kMaxText) return false;
  const size_t most = max_bytes(limits);
  StreamNodes::Place place = nodes_.last();
  Listpack lp(nullptr);
  StreamNode node;
  size_t capacity = 0;
  if (place) {
    lp = place.listpack();
    node = StreamNode(lp, place.id());
    const int64_t entries = limits.stream_node_max_entries;
    if (lp.bytes() + text >= most || (entries != 0 && node.live() + node.deleted() >= entries)) {
      // It is complete, and says how much room the next one will want.
      capacity = std::min(lp.bytes() + text + kEntryRoom, kSlackUpTo);
      lp.shrink();
      nodes_.set(place, lp);
      place = {};
    }
  }
  if (!place) {
    lp = StreamNode::make(data, capacity);
    if (!nodes_.insert(id, lp)) {
      // A node begins with this id, after XSETID took the last one back behind entries since deleted.
      lp.destroy();
      lp = nodes_.at_or_before(id).listpack();
    }
    place = nodes_.at_or_before(id);
    node = StreamNode(lp, id);
  }
  node.append(&lp, id, data, std::min(most, kSlackUpTo), limits.stream_node_max_entries);
  nodes_.set(place, lp);
  length++;
  entries_added++;
  last_id = id;
  if (length == 1) first_id = id;
  return true;
}

void Stream::free_node(const StreamNodes::Place& place) {
  Listpack lp = place.listpack();
  nodes_.erase(place);
  lp.destroy();
  front_ = {};
}

StreamEntry Stream::mark_deleted(StreamNode* node, Listpack* lp, const StreamEntry& e) {
  const size_t bytes = lp->bytes();
  const StreamEntry next = node->mark_deleted(lp, e);
  // (Flags that others have written may be wider than ours.)
  if (lp->bytes() != bytes) front_ = {};
  return next;
}

bool Stream::erase(const StreamId& id) {
  const StreamNodes::Place place = nodes_.at_or_before(id);
  if (!place) return false;
  Listpack lp = place.listpack();
  StreamNode node(lp, place.id());
  const StreamEntry e = node.at_or_after(id);
  if (!e || e.id != id) return false;
  if (node.live() == 1) {
    free_node(place);
  } else {
    mark_deleted(&node, &lp, e);
    StreamNode::set_counts(&lp, node.live() - 1, node.deleted() + 1);
    nodes_.set(place, lp);
  }
  length--;
  max_deleted_id = std::max(max_deleted_id, id);
  if (length == 0) {
    first_id = {};
  } else if (id == first_id) {
    find_first();
  }
  return true;
}

StreamEntry Stream::front(const StreamNodes::Place& place, const StreamNode& node) const {
  if (front_.at == Listpack::kNone || front_.node != place.id()) return node.first();
  return node.entry(front_.at + (node.begin() - front_.begin));
}

void Stream::find_first() {
  first_id = StreamId::greatest();
  for (StreamNodes::Place place = nodes_.first(); place; place.next()) {
    const StreamNode node(place.listpack(), place.id());
    const StreamEntry e = node.skip_deleted(front(place, node));
    if (!e) continue;
    first_id = e.id;
    if (place.id() == nodes_.first().id()) front_ = {place.id(), e.at, node.begin()};
    return;
  }
}

uint64_t Stream::trim_node(const StreamNodes::Place& place, const StreamTrim& rule) {
  Listpack lp = place.listpack();
  StreamNode node(lp, place.id());
  uint64_t gone = 0;
  // Trimming by id also ends at a deleted entry.
  for (StreamEntry e = rule.by == StreamTrim::By::kLength ? front(place, node) : node.first(); e;) {
    if (rule.by == StreamTrim::By::kLength ? length <= rule.length : e.id >= rule.least) break;
    if (e.deleted) {
      e = node.next(e);
      continue;
    }
    e = mark_deleted(&node, &lp, e);
    gone++;
    length--;
  }
  StreamNode::set_counts(&lp, node.live() - static_cast<int64_t>(gone),
                         node.deleted() + static_cast<int64_t>(gone));
  nodes_.set(place, lp);
  return gone;
}

uint64_t Stream::trim(const StreamTrim& rule) {
  uint64_t gone = 0;
  const bool by_length = rule.by == StreamTrim::By::kLength;
  if (rule.by == StreamTrim::By::kNothing) return 0;
  while (const StreamNodes::Place place = nodes_.first()) {
    if (by_length && length <= rule.length) break;
    const StreamNode node(place.listpack(), place.id());
    const auto live = static_cast<uint64_t>(node.live());
    if (rule.limit != 0 && gone + live > rule.limit) break;
    if (by_length ? length - live >= rule.length : node.last().id < rule.least) {
      free_node(place);
      length -= live;
      gone += live;
      continue;
    }
    if (!rule.whole_nodes) gone += trim_node(place, rule);
    break;
  }
  if (length == 0) {
    first_id = {};
  } else if (gone > 0) {
    find_first();
  }
  return gone;
}

bool Stream::contains(const StreamId& id) const {
  const StreamNodes::Place place = nodes_.at_or_before(id);
  if (!place) return false;
  const StreamEntry e = StreamNode(place.listpack(), place.id()).at_or_after(id);
  return e && e.id == id;
}

StreamId Stream::last_live() const {
  for (StreamNodes::Place p = nodes_.last(); p; p.prev()) {
    const StreamNode node(p.listpack(), p.id());
    if (node.live() == 0) continue;
    if (const StreamEntry e = node.skip_deleted_back(node.last())) return e.id;
  }
  return {};
}

StreamId Stream::first_stored() const {
  const StreamNodes::Place p = nodes_.first();
  const StreamEntry e = p ? StreamNode(p.listpack(), p.id()).first() : StreamEntry();
  return e ? e.id : StreamId::greatest();
}

// ------------------------------------------------------------------ groups

StreamGroup* Stream::group(Slice name) const {
  if (groups_ == nullptr) return nullptr;
  const StreamGroups::Place p = groups_->find(name);
  return p ? p.key() : nullptr;
}

StreamGroup* Stream::add_group(Slice name, const StreamId& last, int64_t entries_read) {
  if (group(name) != nullptr) return nullptr;
  StreamGroup* g = StreamGroup::make(name, last, entries_read);
  insert_group(g);
  return g;
}

void Stream::remove_group(StreamGroup* g) {
  groups_->erase(g->name());
  StreamGroup::destroy(g);
}

// ------------------------------------------------------------------ counting what was read

bool Stream::deleted_from(const StreamId& from) const {
  return length > 0 && !max_deleted_id.is_zero() && from <= max_deleted_id;
}

int64_t Stream::estimate_read(const StreamId& id) const {
  const auto added = static_cast<int64_t>(entries_added);
  const auto stored = static_cast<int64_t>(length);
  if (added == 0) return 0;
  if (length == 0 && id <= last_id) return added;
  // What was deleted behind the id may have come before it or after.
  if (!id.is_zero() && id < max_deleted_id) return StreamGroup::kUnknown;
  if (id == last_id) return added;
  if (id > last_id) return StreamGroup::kUnknown;
  if (max_deleted_id.is_zero() || max_deleted_id < first_id) {
    if (id < first_id) return added - stored;
    if (id == first_id) return added - stored + 1;
  }
  return StreamGroup::kUnknown;
}

bool Stream::lag(const StreamGroup& g, int64_t* entries) const {
  int64_t read = g.entries_read;
  if (entries_added == 0) {
    *entries = 0;
    return true;
  }
  if (read == StreamGroup::kUnknown || deleted_from(g.last_id)) read = estimate_read(g.last_id);
  if (read == StreamGroup::kUnknown) return false;
  *entries = static_cast<int64_t>(entries_added - static_cast<uint64_t>(read));
  return true;
}

void Stream::advance(StreamGroup* g, const StreamId& id) const {
  if (g->entries_read != StreamGroup::kUnknown && g->last_id >= first_id && !deleted_from(g->last_id)) {
    g->entries_read = static_cast<int64_t>(static_cast<uint64_t>(g->entries_read) + 1);
  } else if (entries_added > 0) {
    g->entries_read = estimate_read(id);
  }
  g->last_id = id;
}

// ------------------------------------------------------------------ reading

StreamReader::StreamReader(const Stream& stream, const StreamId& from, const StreamId& to, bool backwards)
    : from_(from), to_(to), backwards_(backwards) {
  place_ = stream.nodes_.at_or_before(backwards ? to : from);
  if (!place_ && !backwards) place_ = stream.nodes_.first();
}

bool StreamReader::next() {
  if (!place_) return false;
  if (started_) {
    entry_ =
        backwards_ ? node_.skip_deleted_back(node_.prev(entry_)) : node_.skip_deleted(node_.next(entry_));
  } else {
    started_ = true;
    node_ = StreamNode(place_.listpack(), place_.id());
    entry_ = backwards_ ? node_.at_or_before(to_) : node_.at_or_after(from_);
  }
  while (!entry_) {
    backwards_ ? place_.prev() : place_.next();
    if (!place_) return false;
    node_ = StreamNode(place_.listpack(), place_.id());
    entry_ = backwards_ ? node_.skip_deleted_back(node_.last()) : node_.skip_deleted(node_.first());
  }
  if (backwards_ ? entry_.id < from_ : entry_.id > to_) {
    place_ = {};
    return false;
  }
  return true;
}

// ------------------------------------------------------------------ what the keyspace asks

namespace {

Collection duplicate(const Collection& c) { return {c.encoding, Stream::of(c).duplicate()}; }

void destroy(Collection c) {
  Stream::of(c).~Stream();
  mem_free(c.data);
}

size_t free_effort(const Collection& c) { return Stream::of(c).free_effort(); }
size_t bytes(const Collection& c, size_t samples) { return Stream::of(c).bytes(samples); }

void mix(const Collection& c, Sha1::Digest* digest) {
  char tmp[kInt64Chars + 1];
  char id[StreamId::kChars];
  StreamReader reader(Stream::of(c), {}, StreamId::greatest());
  while (reader.next()) {
    const size_t n = reader.id().format(id);
    std::replace(id, id + n, '-', '.');
    digest_mix(digest, {id, n});
    reader.for_each_field([&](const ListpackItem& field, const ListpackItem& value) {
      digest_mix(digest, field.str(tmp));
      digest_mix(digest, value.str(tmp));
    });
  }
}

}  // namespace

const CollectionOps kStreamOps = {duplicate, destroy, free_effort, bytes, mix};

}  // namespace kvasir
