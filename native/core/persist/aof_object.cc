#include "persist/aof_object.h"

#include <algorithm>

#include "base/numbers.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/stream.h"
#include "types/zset.h"

namespace kvasir {

void AofCommands::line(char type, uint64_t n) {
  char text[kInt64Chars + 3];
  out_->append(text, format_length_line(text, type, n));
}

void AofCommands::arg(int64_t v) {
  char text[kInt64Chars];
  arg(Slice(text, format_i64(text, v)));
}

void AofCommands::arg(uint64_t v) {
  char text[kInt64Chars];
  arg(Slice(text, format_u64(text, v)));
}

void AofCommands::arg(double v) {
  char text[kDoubleChars];
  arg(Slice(text, format_double(text, v)));
}

namespace {

// Commands "name key item ..." with up to kItemsPerCommand items of `width` arguments each.
class Batches {
 public:
  Batches(AofCommands* out, Slice name, Slice key, size_t items, size_t width)
      : out_(*out), name_(name), key_(key), left_(items), width_(width) {}
  // Before each item.
  void item() {
    if (in_command_ == 0) {
      in_command_ = std::min(left_, AofCommands::kItemsPerCommand);
      out_.begin(2 + in_command_ * width_);
      out_.arg(name_);
      out_.arg(key_);
    }
    in_command_--;
    left_--;
  }

 private:
  AofCommands& out_;
  Slice name_, key_;
  size_t left_, width_;
  size_t in_command_ = 0;
};

void write_list(AofCommands& out, Slice key, const Collection& c) {
  char number[kInt64Chars + 1];
  Batches batches(&out, "RPUSH", key, list_size(c), 1);
  ListReader reader(c, 0, ListEnd::kTail);
  for (ListItem item; reader.take(&item);) {
    batches.item();
    out.arg(item.str(number));
  }
}

void write_set(AofCommands& out, Slice key, const Collection& c) {
  char number[kInt64Chars + 1];
  Batches batches(&out, "SADD", key, set_size(c), 1);
  set_for_each(c, [&](const SetItem& item) {
    batches.item();
    out.arg(item.str(number));
    return true;
  });
}

void write_zset(AofCommands& out, Slice key, const Collection& c) {
  char number[kInt64Chars + 1];
  Batches batches(&out, "ZADD", key, zset_size(c), 2);
  for (ZsetCursor at(c, 0); at.valid(); at.next()) {
    batches.item();
    out.arg(at.score());
    out.arg(at.member(number));
  }
}

void write_hash(AofCommands& out, Slice key, const Collection& c) {
  size_t lasting = hash_size(c);
  if (hash_has_deadlines(c)) {
    hash_for_each(c, {}, [&](const Slice& field, const HashValue& value) {
      if (value.deadline == kNoExpiry) return;
      lasting--;
      out.begin(8);
      out.arg(Slice("HSETEX"));
      out.arg(key);
      out.arg(Slice("PXAT"));
      out.arg(value.deadline);
      out.arg(Slice("FIELDS"));
      out.arg(Slice("1"));
      out.arg(field);
      out.arg(value.text);
    });
  }
  char number[kInt64Chars + 1];
  Batches batches(&out, "HMSET", key, lasting, 2);
  hash_for_each(c, {}, [&](const Slice& field, const HashValue& value) {
    if (value.deadline != kNoExpiry) return;
    batches.item();
    out.arg(field);
    out.arg(value.str(number));
  });
}

void write_id(AofCommands& out, const StreamId& id) { out.arg(StreamIdText(id).slice()); }

void write_entries(AofCommands& out, Slice key, const Stream& s) {
  if (s.length == 0) {
    // An entry that goes at once leaves an empty stream.
    out.begin(7);
    for (const Slice word :
         {Slice("XADD"), key, Slice("MAXLEN"), Slice("0"), Slice("0-1"), Slice("x"), Slice("y")}) {
      out.arg(word);
    }
  }
  char number[kInt64Chars + 1];
  StreamReader reader(s, {}, StreamId::greatest());
  while (reader.next()) {
    out.begin(3 + reader.fields() * 2);
    out.arg(Slice("XADD"));
    out.arg(key);
    write_id(out, reader.id());
    reader.for_each_field([&](const ListpackItem& field, const ListpackItem& value) {
      out.arg(field.str(number));
      out.arg(value.str(number));
    });
  }
  out.begin(7);
  out.arg(Slice("XSETID"));
  out.arg(key);
  write_id(out, s.last_id);
  out.arg(Slice("ENTRIESADDED"));
  out.arg(s.entries_added);
  out.arg(Slice("MAXDELETEDID"));
  write_id(out, s.max_deleted_id);
}

void write_consumer(AofCommands& out, Slice key, const StreamGroup& group, const Consumer& consumer) {
  if (consumer.pending.size() == 0) {
    out.begin(5);
    for (const Slice word : {Slice("XGROUP"), Slice("CREATECONSUMER"), key, group.name(), consumer.name()}) {
      out.arg(word);
    }
    return;
  }
  for (PendingIds::Place p = consumer.pending.first(); p; p.next()) {
    const PendingEntry& entry = group.pending().find(p.key()).value();
    out.begin(12);
    for (const Slice word : {Slice("XCLAIM"), key, group.name(), consumer.name(), Slice("0")}) out.arg(word);
    write_id(out, p.key());
    out.arg(Slice("TIME"));
    out.arg(entry.delivered_ms);
    out.arg(Slice("RETRYCOUNT"));
    out.arg(entry.deliveries);
    out.arg(Slice("JUSTID"));
    out.arg(Slice("FORCE"));
  }
}

void write_stream(AofCommands& out, Slice key, const Collection& c) {
  const Stream& s = Stream::of(c);
  write_entries(out, key, s);
  for (StreamGroups::Place g = s.first_group(); g; g.next()) {
    const StreamGroup& group = *g.key();
    out.begin(7);
    for (const Slice word : {Slice("XGROUP"), Slice("CREATE"), key, group.name()}) out.arg(word);
    write_id(out, group.last_id);
    out.arg(Slice("ENTRIESREAD"));
    out.arg(group.entries_read);
    for (Consumers::Place p = group.consumers().first(); p; p.next())
      write_consumer(out, key, group, *p.key());
  }
}

}  // namespace

void aof_write_time(std::string* out, int64_t second) {
  out->append("#TS:").append(std::to_string(second)).append("\r\n");
}

void aof_write_select(AofCommands& out, int db) {
  out.begin(2);
  out.arg(Slice("SELECT"));
  out.arg(static_cast<int64_t>(db));
}

void aof_write_library(AofCommands& out, Slice source) {
  out.begin(3);
  out.arg(Slice("FUNCTION"));
  out.arg(Slice("LOAD"));
  out.arg(source);
}

void aof_write_entry(AofCommands& out, const Entry& e) {
  const Slice key = e.key();
  switch (e.type()) {
    case Type::kString: {
      char number[kInt64Chars + 4];
      out.begin(3);
      out.arg(Slice("SET"));
      out.arg(key);
      out.arg(e.string_value(number));
      break;
    }
    case Type::kList:
      write_list(out, key, e.collection());
      break;
    case Type::kSet:
      write_set(out, key, e.collection());
      break;
    case Type::kZset:
      write_zset(out, key, e.collection());
      break;
    case Type::kHash:
      write_hash(out, key, e.collection());
      break;
    case Type::kStream:
      write_stream(out, key, e.collection());
      break;
  }
  if (!e.has_expiry_slot() || e.expire_ms() == kNoExpiry) return;
  out.begin(3);
  out.arg(Slice("PEXPIREAT"));
  out.arg(key);
  out.arg(e.expire_ms());
}

}  // namespace kvasir
