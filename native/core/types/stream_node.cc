#include "types/stream_node.h"

#include <algorithm>

#include "types/listpack_appender.h"

namespace kvasir {

// Ours are numbers as such; from outside they may come as text.
int64_t StreamNode::number(const ListpackItem& item) {
  if (item.is_int) [[likely]]
    return item.number;
  int64_t v = 0;
  parse_i64(item.text, &v);
  return v;
}

StreamNode::StreamNode(const Listpack& lp, const StreamId& id) : lp_(lp), id_(id) {
  Pos at = Listpack::kHeader;
  live_ = take_number(&at);
  deleted_ = take_number(&at);
  fields_ = take_number(&at);
  fields_at_ = at;
}

// ------------------------------------------------------------------ reading

StreamEntry StreamNode::entry(Pos at) const {
  StreamEntry e;
  if (at == lp_.end_pos()) return e;
  e.at = at;
  const int64_t flags = take_number(&at);
  e.deleted = (flags & kDeleted) != 0;
  e.same_fields = (flags & kSameFields) != 0;
  e.id.ms = id_.ms + static_cast<uint64_t>(take_number(&at));
  e.id.seq = id_.seq + static_cast<uint64_t>(take_number(&at));
  e.fields = static_cast<uint64_t>(e.same_fields ? fields_ : take_number(&at));
  e.data = at;
  return e;
}

StreamEntry StreamNode::before(Pos end) const {
  // (Not before the first element: an entry or the head's 0 stands there.)
  Pos at = end == lp_.end_pos() ? lp_.last() : lp_.prev(end);
  const int64_t elements = number(lp_.get(at));
  if (elements == 0) return {};
  for (int64_t n = elements; n > 0; n--) at = lp_.prev(at);
  return entry(at);
}

bool StreamNode::late(const StreamId& id) const {
  // A short node is not worth the look at its end.
  if (live_ + deleted_ < 8) return false;
  const StreamId end = last().id;
  if (id >= end) return true;
  if (end.ms != id_.ms) return id.ms - id_.ms > (end.ms - id_.ms) / 2;
  return id.seq - id_.seq > (end.seq - id_.seq) / 2;
}

StreamEntry StreamNode::at_or_after(const StreamId& id) const {
  if (id > id_ && late(id)) {
    StreamEntry found;
    for (StreamEntry e = last(); e; e = prev(e)) {
      if (e.deleted) continue;
      if (e.id < id) break;
      found = e;
    }
    return found;
  }
  StreamEntry e = first();
  while (e && (e.deleted || e.id < id)) e = next(e);
  return e;
}

StreamEntry StreamNode::at_or_before(const StreamId& id) const {
  if (!late(id)) {
    StreamEntry found;
    for (StreamEntry e = first(); e; e = next(e)) {
      if (e.deleted) continue;
      if (e.id > id) break;
      found = e;
    }
    return found;
  }
  StreamEntry e = last();
  while (e && (e.deleted || e.id > id)) e = prev(e);
  return e;
}

// ------------------------------------------------------------------ changing

Listpack StreamNode::make(std::span<const Slice> data, size_t capacity) {
  size_t head = Listpack::kEmpty + 4 * ListpackAppender::kNumber;
  for (size_t i = 0; i < data.size(); i += 2) head += ListpackAppender::most(data[i]);
  Listpack lp = Listpack::make(std::max(head, capacity));
  ListpackAppender to(lp);
  to.number(0);
  to.number(0);
  to.number(static_cast<int64_t>(data.size() / 2));
  for (size_t i = 0; i < data.size(); i += 2) to.text(data[i]);
  to.number(0);
  to.finish();
  return lp;
}

void StreamNode::append(Listpack* lp, const StreamId& id, std::span<const Slice> data, size_t limit,
                        int64_t max_entries) {
  const size_t n = data.size() / 2;
  bool same = fields_ == static_cast<int64_t>(n);
  Pos field = fields_at_;
  for (size_t i = 0; same && i < n; i++) {
    const ListpackItem item = lp->take(&field);
    int64_t v;
    same = item.is_int ? parse_i64(data[2 * i], &v) && v == item.number : item.text == data[2 * i];
  }
  size_t room = 5 * ListpackAppender::kNumber;
  for (size_t i = same ? 1 : 0; i < data.size(); i += same ? 2U : 1U) room += ListpackAppender::most(data[i]);
  const size_t bytes = lp->bytes();
  if (bytes + room > lp->footprint()) {
    size_t wanted = std::min(2 * bytes, limit);
    if (const int64_t present = live_ + deleted_; present > 0 && max_entries > present) {
      const size_t each = bytes / static_cast<size_t>(present);
      wanted = std::min(wanted, bytes + room + each * static_cast<size_t>(max_entries - present - 1));
    }
    lp->reserve(std::max(bytes + room, wanted));
  }

  ListpackAppender to(*lp);
  to.number(same ? int64_t{kSameFields} : 0);
  to.number(static_cast<int64_t>(id.ms - id_.ms));
  to.number(static_cast<int64_t>(id.seq - id_.seq));
  if (!same) to.number(static_cast<int64_t>(n));
  for (size_t i = same ? 1 : 0; i < data.size(); i += same ? 2U : 1U) to.text(data[i]);
  to.number(static_cast<int64_t>(same ? n + 3 : 2 * n + 4));
  to.finish();
  lp->replace_int(lp->first(), ++live_);
  lp_ = *lp;
}

StreamEntry StreamNode::mark_deleted(Listpack* lp, const StreamEntry& e) {
  const size_t bytes = lp->bytes();
  const Pos next = behind(e);
  lp->replace_int(e.at, number(lp->get(e.at)) | kDeleted);
  lp_ = *lp;
  return entry(static_cast<Pos>(next + (lp->bytes() - bytes)));
}

void StreamNode::set_counts(Listpack* lp, int64_t live, int64_t deleted) {
  lp->replace_int(lp->first(), live);
  lp->replace_int(lp->next(lp->first()), deleted);
}

// ------------------------------------------------------------------ bytes from outside

bool StreamNode::valid(Slice image, uint64_t* live) {
  if (!Listpack::valid(image)) return false;
  const Listpack lp(const_cast<char*>(image.data));
  Pos at = Listpack::kHeader;
  const Pos end = lp.end_pos();
  const auto take = [&](int64_t* v) {
    if (at == end) return false;
    const ListpackItem item = lp.take(&at);
    *v = item.number;
    return item.is_int || parse_i64(item.text, v);
  };
  const auto pass = [&](int64_t elements) {
    for (; elements > 0; elements--) {
      if (at == end) return false;
      at = lp.skip(at, 1);
    }
    return true;
  };
  int64_t counts[2], fields, zero;
  if (!take(&counts[0]) || counts[0] < 0 || !take(&counts[1]) || counts[1] < 0) return false;
  if (!take(&fields) || fields < 0 || !pass(fields) || !take(&zero) || zero != 0) return false;
  int64_t found[2] = {0, 0};
  while (at != end) {
    int64_t flags, unused, n = fields, elements;
    if (!take(&flags) || !take(&unused) || !take(&unused)) return false;
    const bool same = (flags & kSameFields) != 0;
    if (!same && (!take(&n) || n < 0)) return false;
    if (!pass(n) || (!same && !pass(n)) || !take(&elements)) return false;
    if (elements != (same ? n + 3 : 2 * n + 4)) return false;
    found[flags & kDeleted]++;
  }
  if (found[0] != counts[0] || found[1] != counts[1]) return false;
  *live = static_cast<uint64_t>(counts[0]);
  return true;
}

}  // namespace kvasir
