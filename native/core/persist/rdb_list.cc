#include "persist/rdb_list.h"

#include "types/list.h"

namespace kvasir {

namespace {

// How a node says what it is.
enum Container : uint64_t { kPlain = 1, kPacked = 2 };

RdbType type(const Collection&) { return RdbType::kListQuicklist2; }

void save(RdbWriter& out, const Collection& c) {
  const auto node = [&](bool plain, Slice bytes) {
    out.length(plain ? kPlain : kPacked);
    out.string(bytes);
  };
  if (c.encoding == Encoding::kListpack) {
    out.length(1);
    node(false, Listpack(c.data).image());
    return;
  }
  const auto* list = static_cast<const Quicklist*>(c.data);
  out.length(list->nodes());
  list->for_each_node(node);
}

bool load_nodes(RdbInput& in, Quicklist* list) {
  uint64_t nodes;
  if (!in.length(&nodes)) return false;
  std::string scratch;
  for (; nodes > 0; nodes--) {
    uint64_t container;
    Slice bytes;
    if (!in.length(&container) || (container != kPlain && container != kPacked)) return false;
    if (!in.string(&bytes, &scratch)) return false;
    if (container == kPlain) {
      list->append_plain(StrBuf::copy_of(bytes));
      continue;
    }
    if (!Listpack::valid(bytes)) return false;
    if (bytes.size > Listpack::kEmpty) list->append_listpack(Listpack::copy_of(bytes));
  }
  return true;
}

RdbLoaded load(RdbInput& in, RdbType, const EncodingLimits& limits, Collection* c) {
  *c = {Encoding::kQuicklist, Quicklist::make(limits)};
  RdbLoaded result = load_nodes(in, static_cast<Quicklist*>(c->data)) ? RdbLoaded::kOk : RdbLoaded::kCorrupt;
  if (result == RdbLoaded::kOk && list_size(*c) == 0) result = RdbLoaded::kEmpty;
  if (result == RdbLoaded::kOk) {
    list_settle(*c, limits);
  } else {
    kListOps.destroy(*c);
  }
  return result;
}

}  // namespace

const RdbCollection kRdbList = {type, save, load};

}  // namespace kvasir
