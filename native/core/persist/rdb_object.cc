#include "persist/rdb_object.h"

#include <array>
#include <string>

#include "persist/rdb_hash.h"
#include "persist/rdb_list.h"
#include "persist/rdb_set.h"
#include "persist/rdb_stream.h"
#include "persist/rdb_zset.h"

namespace kvasir {

namespace {

// By Type.
constexpr std::array<const RdbCollection*, kTypes> kCollections = {
    nullptr,      // strings are no collections
    &kRdbList,    // list
    &kRdbSet,     // set
    &kRdbZset,    // sorted set
    &kRdbHash,    // hash
    nullptr,      // -
    &kRdbStream,  // stream
};

// The type a value of this RDB type has.
bool type_from(uint8_t rdb, Type* type) {
  switch (static_cast<RdbType>(rdb)) {
    case RdbType::kString:
      *type = Type::kString;
      return true;
    case RdbType::kList:
    case RdbType::kListZiplist:
    case RdbType::kListQuicklist:
    case RdbType::kListQuicklist2:
      *type = Type::kList;
      return true;
    case RdbType::kSet:
    case RdbType::kSetIntset:
    case RdbType::kSetListpack:
      *type = Type::kSet;
      return true;
    case RdbType::kZset:
    case RdbType::kZset2:
    case RdbType::kZsetZiplist:
    case RdbType::kZsetListpack:
      *type = Type::kZset;
      return true;
    case RdbType::kHash:
    case RdbType::kHashZipmap:
    case RdbType::kHashZiplist:
    case RdbType::kHashListpack:
    case RdbType::kHash2:
      *type = Type::kHash;
      return true;
    case RdbType::kStreamListpacks:
    case RdbType::kStreamListpacks2:
    case RdbType::kStreamListpacks3:
      *type = Type::kStream;
      return true;
  }
  return false;
}

}  // namespace

bool rdb_type_known(uint8_t type) {
  Type unused;
  return type_from(type, &unused);
}

const char* rdb_type_name(uint8_t type) {
  static constexpr const char* kNames[] = {
      "string",
      "list-linked",
      "set-hashtable",
      "zset-v1",
      "hash-hashtable",
      "zset-v2",
      "module-pre-release",
      "module-value",
      "",
      "hash-zipmap",
      "list-ziplist",
      "set-intset",
      "zset-ziplist",
      "hash-ziplist",
      "quicklist",
      "stream",
      "hash-listpack",
      "zset-listpack",
      "quicklist-v2",
      "stream-v2",
      "set-listpack",
      "stream-v3",
      "hash-volatile-items",
  };
  return type < std::size(kNames) ? kNames[type] : "unknown";
}

RdbType rdb_type_of(const Entry& e) {
  if (e.type() == Type::kString) return RdbType::kString;
  return kCollections[static_cast<size_t>(e.type())]->type(e.collection());
}

void rdb_save_value(RdbWriter& out, const Entry& e) {
  if (e.type() != Type::kString) {
    kCollections[static_cast<size_t>(e.type())]->save(out, e.collection());
  } else if (e.is_int()) {
    out.integer_string(e.int_value());
  } else if (e.has_buffer()) {
    out.string(e.buffer());
  } else {
    char unused[24];
    out.string(e.string_value(unused));
  }
}

RdbLoaded rdb_load_value(RdbInput& in, uint8_t rdb_type, Slice key, int64_t expire_ms,
                         const EncodingLimits& limits, Entry** out) {
  Type type;
  if (!type_from(rdb_type, &type)) return RdbLoaded::kCorrupt;
  if (type == Type::kString) {
    Slice value;
    std::string scratch;
    StrRef buffer;
    if (!in.string(Entry::kMaxEmbedded, &value, &scratch, &buffer)) return RdbLoaded::kCorrupt;
    *out = buffer ? Entry::make_buffer(key, buffer.take(), expire_ms)
                  : Entry::make_string(key, value, expire_ms);
    return RdbLoaded::kOk;
  }
  const RdbCollection* ops = kCollections[static_cast<size_t>(type)];
  if (ops == nullptr) return RdbLoaded::kCorrupt;
  Collection c{};
  const RdbLoaded loaded = ops->load(in, static_cast<RdbType>(rdb_type), limits, &c);
  if (loaded == RdbLoaded::kOk) *out = Entry::make_collection(key, type, c, expire_ms);
  return loaded;
}

}  // namespace kvasir
