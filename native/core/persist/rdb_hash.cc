#include "persist/rdb_hash.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "persist/rdb_pack.h"
#include "types/hash.h"

namespace kvasir {

namespace {

RdbType type(const Collection& c) {
  if (c.encoding == Encoding::kListpack) return RdbType::kHashListpack;
  return hash_has_deadlines(c) ? RdbType::kHash2 : RdbType::kHash;
}

void save(RdbWriter& out, const Collection& c) {
  if (c.encoding == Encoding::kListpack) return out.string(Listpack(c.data).image());
  const bool deadlines = hash_has_deadlines(c);
  out.length(hash_size(c));
  hash_for_each(c, {}, [&](const Slice& field, const HashValue& value) {
    out.string(field);
    out.string(value.text);
    if (deadlines) out.le64(static_cast<uint64_t>(value.deadline));
  });
}

// A zipmap, what Redis before 2.6 kept short hashes in, as a listpack; nothing if it is not a valid one.
//
//   | pairs u8 | length | field | length | spare u8 | value | that many bytes | ... | 0xFF |
//   length: a byte, or 254 and u32 LE          254 or more pairs: unknown
std::optional<Listpack> listpack_of_zipmap(Slice zipmap) {
  constexpr uint8_t kBig = 254, kEnd = 255;
  if (zipmap.size < 2 || static_cast<uint8_t>(zipmap.end()[-1]) != kEnd) return std::nullopt;
  RdbInput in({zipmap.data + 1, zipmap.size - 2});
  const auto size_of = [&](uint8_t first, uint32_t* size) {
    *size = first;
    if (first < kBig) return true;
    Slice bytes;
    if (!in.bytes(4, &bytes)) return false;
    memcpy(size, bytes.data, 4);
    return *size >= kBig;
  };
  Listpack lp = Listpack::make(zipmap.size);
  size_t pairs = 0;
  bool valid = true;
  for (uint8_t first; valid && in.byte(&first) && first != kEnd; pairs++) {
    Slice field, value, unused;
    uint8_t value_first, spare;
    uint32_t n;
    valid = size_of(first, &n) && in.bytes(n, &field) && in.byte(&value_first) && size_of(value_first, &n) &&
            in.byte(&spare) && in.bytes(n, &value) && in.bytes(spare, &unused) &&
            lp.fits(field.size + value.size);
    if (!valid) break;
    lp.append(field);
    lp.append(value);
  }
  const auto stated = static_cast<uint8_t>(zipmap[0]);
  if (valid && pairs > 0 && (stated == kBig || stated == pairs)) {
    lp.shrink();
    return lp;
  }
  lp.destroy();
  return std::nullopt;
}

std::optional<Listpack> read_pack(RdbInput& in, RdbType type) {
  Slice bytes;
  std::string scratch;
  if (!in.string(&bytes, &scratch)) return std::nullopt;
  std::optional<Listpack> lp;
  if (type == RdbType::kHashZiplist) {
    lp = listpack_of_ziplist(bytes);
  } else if (type == RdbType::kHashZipmap) {
    lp = listpack_of_zipmap(bytes);
  } else if (Listpack::valid(bytes)) {
    lp = Listpack::copy_of(bytes);
  }
  if (lp && !distinct(*lp, 2)) {
    lp->destroy();
    lp.reset();
  }
  if (!lp) {
    in.refuse(type == RdbType::kHashZiplist  ? "Hash ziplist integrity check failed."
              : type == RdbType::kHashZipmap ? "Zipmap integrity check failed."
                                             : "Hash listpack integrity check failed.");
  }
  return lp;
}

// The limit of lengths is looked at where a zipmap is converted, and nowhere else.
bool too_long(const Listpack& lp, const EncodingLimits& limits) {
  for (Listpack::Pos at = lp.first(); at != Listpack::kNone; at = lp.next(at)) {
    if (lp.get(at).size() > static_cast<size_t>(limits.hash_max_listpack_value)) return true;
  }
  return false;
}

RdbLoaded load_pack(RdbInput& in, RdbType type, const EncodingLimits& limits, Collection* c) {
  std::optional<Listpack> lp = read_pack(in, type);
  if (!lp) return RdbLoaded::kCorrupt;
  if (lp->empty()) {
    lp->destroy();
    return RdbLoaded::kEmpty;
  }
  *c = {Encoding::kListpack, lp->data()};
  if (hash_size(*c) > static_cast<size_t>(limits.hash_max_listpack_entries) ||
      (type == RdbType::kHashZipmap && too_long(*lp, limits))) {
    hash_to_big(c);
  }
  return RdbLoaded::kOk;
}

RdbLoaded twice(RdbInput& in) {
  in.refuse("Duplicate hash fields detected");
  return RdbLoaded::kCorrupt;
}

// Field, value, and a deadline if `deadlines`, `n` times.
RdbLoaded load_fields(RdbInput& in, uint64_t n, bool deadlines, const EncodingLimits& limits, Collection* c) {
  const auto longest = static_cast<size_t>(limits.hash_max_listpack_value);
  std::string field_scratch, value_scratch;
  for (; n > 0; n--) {
    Slice field, value;
    if (!in.string(&field, &field_scratch)) return RdbLoaded::kCorrupt;
    // The next read may move what is not in the scratch.
    if (field.data != field_scratch.data()) {
      field_scratch.assign(field.data, field.size);
      field = field_scratch;
    }
    if (!in.string(&value, &value_scratch)) return RdbLoaded::kCorrupt;
    if (c->encoding == Encoding::kListpack) {
      Listpack lp(c->data);
      if (field.size <= longest && value.size <= longest && lp.fits(field.size + value.size)) {
        lp.append(field);
        lp.append(value);
        c->data = lp.data();
        continue;
      }
      if (!distinct(lp, 2)) return twice(in);
      hash_to_big(c);
    }
    uint64_t deadline = static_cast<uint64_t>(kNoExpiry);
    if (deadlines) {
      if (value.data != value_scratch.data()) {
        value_scratch.assign(value.data, value.size);
        value = value_scratch;
      }
      if (!in.le64(&deadline) || static_cast<int64_t>(deadline) < kNoExpiry) return RdbLoaded::kCorrupt;
    }
    if (hash_set(c, limits, field, {value}, static_cast<int64_t>(deadline), false, {}) !=
        HashStored::kAdded) {
      return twice(in);
    }
  }
  if (c->encoding == Encoding::kListpack && !distinct(Listpack(c->data), 2)) return twice(in);
  return RdbLoaded::kOk;
}

RdbLoaded load(RdbInput& in, RdbType type, const EncodingLimits& limits, Collection* c) {
  const bool dated = type == RdbType::kHash2;
  if (!dated && type != RdbType::kHash) return load_pack(in, type, limits, c);
  uint64_t n;
  if (!in.length(&n)) return RdbLoaded::kCorrupt;
  if (n == 0) return RdbLoaded::kEmpty;
  const bool big = dated || n > static_cast<uint64_t>(limits.hash_max_listpack_entries);
  // Room for no more than the bytes that are there can hold: the count is a claim.
  constexpr size_t kLeastBytes = 2;
  *c = big ? hash_make_big(in.believed(n, kLeastBytes)) : hash_make(limits, 0, 0);
  const RdbLoaded result = load_fields(in, n, dated, limits, c);
  if (result != RdbLoaded::kOk) kHashOps.destroy(*c);
  return result;
}

}  // namespace

const RdbCollection kRdbHash = {type, save, load};

}  // namespace kvasir
