#include "persist/rdb_list.h"

#include <optional>
#include <string>

#include "persist/rdb_pack.h"
#include "types/list.h"
#include "types/ziplist.h"

namespace kvasir {

namespace {

// How a node says what it is.
enum Container : uint64_t { kPlain = 1, kPacked = 2 };

RdbType type(const Collection&) { return RdbType::kListQuicklist2; }

void save(RdbWriter& out, const Collection& c) {
  const auto node = [&](bool plain, Slice bytes, size_t size) {
    out.length(plain ? kPlain : kPacked);
    bytes.size < size ? out.packed_string(bytes, size) : out.string(bytes);
  };
  if (c.encoding == Encoding::kListpack) {
    const Listpack lp(c.data);
    out.length(1);
    node(false, lp.image(), lp.bytes());
    return;
  }
  const auto* list = static_cast<const Quicklist*>(c.data);
  out.length(list->nodes());
  list->for_each_node(node);
}

void append(Quicklist* list, Slice text, const EncodingLimits& limits) {
  list->push(ListEnd::kTail, {text, nullptr}, limits.list_packed_threshold);
}

// Lists that nobody has made for long: one string an element.
bool load_elements(RdbInput& in, Quicklist* list, const EncodingLimits& limits) {
  uint64_t count;
  if (!in.length(&count)) return false;
  Slice text;
  std::string scratch;
  for (; count > 0; count--) {
    if (!in.string(&text, &scratch)) return false;
    append(list, text, limits);
  }
  return true;
}

// One ziplist, whose elements are pushed one by one.
bool load_ziplist(RdbInput& in, Quicklist* list, const EncodingLimits& limits) {
  Slice bytes;
  std::string scratch;
  if (!in.string(&bytes, &scratch)) return false;
  ZiplistReader reader(bytes);
  char tmp[kInt64Chars + 1];
  for (ListpackItem item; reader.next(&item);) append(list, item.str(tmp), limits);
  return reader.valid() || in.refuse("List ziplist integrity check failed.");
}

// Nodes as they are: listpacks, once ziplists, and single elements.
bool load_nodes(RdbInput& in, RdbType type, Quicklist* list) {
  uint64_t nodes;
  if (!in.length(&nodes)) return false;
  Slice bytes;
  std::string scratch;
  for (; nodes > 0; nodes--) {
    uint64_t container = kPacked;
    if (type == RdbType::kListQuicklist2) {
      if (!in.length(&container)) return false;
      if (container != kPlain && container != kPacked) return in.refuse("Quicklist integrity check failed.");
    }
    if (!in.string(&bytes, &scratch) || bytes.empty()) return false;
    if (container == kPlain) {
      list->append_plain(StrBuf::copy_of(bytes));
      continue;
    }
    std::optional<Listpack> lp;
    if (type == RdbType::kListQuicklist) {
      lp = listpack_of_ziplist(bytes);
    } else if (Listpack::valid(bytes)) {
      lp = Listpack::copy_of(bytes);
    }
    if (!lp) {
      return in.refuse(type == RdbType::kListQuicklist ? "Ziplist integrity check failed."
                                                       : "Listpack integrity check failed.");
    }
    // Empty ones are left out.
    lp->empty() ? lp->destroy() : list->append_listpack(*lp);
  }
  return true;
}

bool load_into(RdbInput& in, RdbType type, Quicklist* list, const EncodingLimits& limits) {
  if (type == RdbType::kList) return load_elements(in, list, limits);
  if (type == RdbType::kListZiplist) return load_ziplist(in, list, limits);
  return load_nodes(in, type, list);
}

RdbLoaded load(RdbInput& in, RdbType type, const EncodingLimits& limits, Collection* c) {
  *c = {Encoding::kQuicklist, Quicklist::make(limits)};
  RdbLoaded result =
      load_into(in, type, static_cast<Quicklist*>(c->data), limits) ? RdbLoaded::kOk : RdbLoaded::kCorrupt;
  if (result == RdbLoaded::kOk && list_size(*c) == 0) result = RdbLoaded::kEmpty;
  if (result != RdbLoaded::kOk) {
    kListOps.destroy(*c);
  } else if (type != RdbType::kListZiplist) {
    // As in Valkey, where that one stays a quicklist however short it is.
    list_settle(*c, limits);
  }
  return result;
}

}  // namespace

const RdbCollection kRdbList = {type, save, load};

}  // namespace kvasir
