// nodes: number, (id as a string of 16 bytes, listpack) ...
// length, last id, [first id, highest deleted id, entries added]
// groups: number, (name, last id, [entries read], pending: number, (raw id, time, deliveries) ...,
//         consumers: number, (name, seen, [active], pending: number, raw id ...) ...) ...
//
// Ids are two lengths, except where said otherwise. What is in brackets came with type 19; `active` with 21.
#include "persist/rdb_stream.h"

#include "types/stream.h"

namespace kvasir {

namespace {

RdbType type(const Collection&) { return RdbType::kStreamListpacks3; }

// ------------------------------------------------------------------ writing

void save_id(RdbWriter& out, const StreamId& id) {
  out.length(id.ms);
  out.length(id.seq);
}

void save_raw_id(RdbWriter& out, const StreamId& id) {
  char raw[StreamId::kBytes];
  id.encode(raw);
  out.bytes({raw, sizeof raw});
}

void save_consumer(RdbWriter& out, const Consumer& c) {
  out.string(c.name());
  out.le64(static_cast<uint64_t>(c.seen_ms));
  out.le64(static_cast<uint64_t>(c.active_ms));
  out.length(c.pending.size());
  for (PendingIds::Place p = c.pending.first(); p; p.next()) save_raw_id(out, p.key());
}

void save_group(RdbWriter& out, const StreamGroup& g) {
  out.string(g.name());
  save_id(out, g.last_id);
  out.length(static_cast<uint64_t>(g.entries_read));
  out.length(g.pending().size());
  for (PendingEntries::Place p = g.pending().first(); p; p.next()) {
    save_raw_id(out, p.key());
    out.le64(static_cast<uint64_t>(p.value().delivered_ms));
    out.length(p.value().deliveries);
  }
  out.length(g.consumers().size());
  for (Consumers::Place p = g.consumers().first(); p; p.next()) save_consumer(out, *p.key());
}

void save(RdbWriter& out, const Collection& c) {
  const Stream& s = Stream::of(c);
  out.length(s.nodes().size());
  for (StreamNodes::Place p = s.nodes().first(); p; p.next()) {
    char raw[StreamId::kBytes];
    p.id().encode(raw);
    out.string({raw, sizeof raw});
    out.string(p.listpack().image());
  }
  out.length(s.length);
  save_id(out, s.last_id);
  save_id(out, s.first_id);
  save_id(out, s.max_deleted_id);
  out.length(s.entries_added);
  out.length(s.group_count());
  for (StreamGroups::Place p = s.first_group(); p; p.next()) save_group(out, *p.key());
}

// ------------------------------------------------------------------ reading

bool load_id(RdbInput& in, StreamId* id) { return in.length(&id->ms) && in.length(&id->seq); }

bool load_raw_id(RdbInput& in, StreamId* id) {
  Slice raw;
  if (!in.bytes(StreamId::kBytes, &raw)) return false;
  *id = StreamId::decode(raw.data);
  return true;
}

bool load_signed(RdbInput& in, int64_t* v) {
  uint64_t bits;
  if (!in.le64(&bits)) return false;
  *v = static_cast<int64_t>(bits);
  return true;
}

// *live: how many entries are not deleted.
bool load_nodes(RdbInput& in, Stream* s, uint64_t* live) {
  uint64_t nodes;
  if (!in.length(&nodes)) return false;
  std::string scratch;
  Slice bytes;
  for (; nodes > 0; nodes--) {
    if (!in.string(&bytes, &scratch)) return false;
    if (bytes.size != StreamId::kBytes)
      return in.refuse("Stream node key entry is not the size of a stream ID");
    const StreamId id = StreamId::decode(bytes.data);
    uint64_t entries;
    if (!in.string(&bytes, &scratch)) return false;
    if (!StreamNode::valid(bytes, &entries)) return in.refuse("Stream listpack integrity check failed.");
    Listpack lp = Listpack::copy_of(bytes);
    if (!s->load_node(id, lp)) {
      lp.destroy();
      return in.refuse("Listpack re-added with existing key");
    }
    *live += entries;
  }
  return true;
}

bool load_consumer(RdbInput& in, RdbType type, StreamGroup* g) {
  std::string scratch;
  Slice name;
  if (!in.string(&name, &scratch)) return false;
  Consumer* c = g->add_consumer(name);
  if (c == nullptr) return in.refuse("Duplicate stream consumer detected.");
  if (!load_signed(in, &c->seen_ms)) return false;
  c->active_ms = c->seen_ms;
  if (type == RdbType::kStreamListpacks3 && !load_signed(in, &c->active_ms)) return false;
  uint64_t pending;
  if (!in.length(&pending)) return false;
  for (; pending > 0; pending--) {
    StreamId id;
    if (!load_raw_id(in, &id)) return false;
    const PendingEntries::Place place = g->pending().find(id);
    if (!place) return in.refuse("Consumer entry not found in group global PEL");
    const Consumer* owner = place.value().consumer;
    if (owner == c) return in.refuse("Duplicated consumer PEL entry loading a stream consumer group");
    if (owner != nullptr) {
      return in.refuse(
          "NACK already assigned to a different consumer, shared NACKs across consumers are not valid");
    }
    g->load_owner(place, c);
  }
  return true;
}

bool load_pending(RdbInput& in, StreamGroup* g) {
  uint64_t n;
  if (!in.length(&n)) return false;
  for (; n > 0; n--) {
    StreamId id;
    int64_t delivered_ms;
    uint64_t deliveries;
    if (!load_raw_id(in, &id) || !load_signed(in, &delivered_ms) || !in.length(&deliveries)) return false;
    if (!g->load_pending(id, delivered_ms, deliveries)) {
      return in.refuse("Duplicated global PEL entry loading stream consumer group");
    }
  }
  return true;
}

bool load_group(RdbInput& in, RdbType type, Stream* s) {
  std::string scratch;
  Slice text;
  if (!in.string(&text, &scratch)) return false;
  const std::string name = text.str();
  StreamId last;
  if (!load_id(in, &last)) return false;
  uint64_t read;
  if (type == RdbType::kStreamListpacks) {
    read = static_cast<uint64_t>(s->estimate_read(last));
  } else if (!in.length(&read)) {
    return false;
  }
  StreamGroup* g = s->add_group(name, last, static_cast<int64_t>(read));
  if (g == nullptr) return in.refuse("Duplicated consumer group name");
  uint64_t consumers;
  if (!load_pending(in, g) || !in.length(&consumers)) return false;
  for (; consumers > 0; consumers--) {
    if (!load_consumer(in, type, g)) return false;
  }
  return g->owned() || in.refuse("Stream CG PEL entry without consumer");
}

bool load_stream(RdbInput& in, RdbType type, Stream* s) {
  uint64_t live = 0, groups;
  if (!load_nodes(in, s, &live) || !in.length(&s->length) || !load_id(in, &s->last_id)) return false;
  if (type == RdbType::kStreamListpacks) {
    s->entries_added = s->length;
    s->find_first();
  } else if (!load_id(in, &s->first_id) || !load_id(in, &s->max_deleted_id) ||
             !in.length(&s->entries_added)) {
    return false;
  }
  if (s->length > 0 && s->nodes().size() == 0) {
    return in.refuse("Stream length inconsistent with rax entries");
  }
  if (s->length != live) return in.refuse("Stream length inconsistent with the number of valid entries");
  if (!in.length(&groups)) return false;
  for (; groups > 0; groups--) {
    if (!load_group(in, type, s)) return false;
  }
  return true;
}

RdbLoaded load(RdbInput& in, RdbType type, const EncodingLimits&, Collection* c) {
  *c = Stream::make();
  if (load_stream(in, type, &Stream::of(*c))) return RdbLoaded::kOk;
  kStreamOps.destroy(*c);
  return RdbLoaded::kCorrupt;
}

}  // namespace

const RdbCollection kRdbStream = {type, save, load};

}  // namespace kvasir
