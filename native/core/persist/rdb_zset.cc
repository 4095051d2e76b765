#include "persist/rdb_zset.h"

#include <strings.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>

#include "persist/rdb_pack.h"
#include "types/zset_builder.h"

namespace kvasir {

namespace {

RdbType type(const Collection& c) {
  return c.encoding == Encoding::kListpack ? RdbType::kZsetListpack : RdbType::kZset2;
}

void save(RdbWriter& out, const Collection& c) {
  if (c.encoding == Encoding::kListpack) return out.string(Listpack(c.data).image());
  // From the highest member down, for readers to whom that is the faster way to insert.
  const size_t size = zset_size(c);
  out.length(size);
  char unused[kInt64Chars + 1];
  for (ZsetCursor at(c, size - 1); at.valid(); at.prev()) {
    out.string(at.member(unused));
    out.real(at.score());
  }
}

// Whether scanf as the C standard has it would accept the beginning of the text, which some C libraries are
// laxer about: of what could go on as a number - "1e", "0x", "infi" - the part that is one does not count.
bool scans_as_number(const char* p) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto hex_digit = [&](char c) { return digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); };
  while (*p == ' ' || (*p >= '\t' && *p <= '\r')) p++;
  if (*p == '+' || *p == '-') p++;
  if ((*p | 0x20) == 'i') return strncasecmp(p, "infi", 4) != 0 || strncasecmp(p, "infinity", 8) == 0;
  const bool hex = p[0] == '0' && (p[1] | 0x20) == 'x';
  if (hex) p += 2;
  bool any = false;
  for (bool point = false; (hex ? hex_digit(*p) : digit(*p)) || (*p == '.' && !point); p++) {
    *p == '.' ? point = true : any = true;
  }
  if (!any) return false;
  if ((*p | 0x20) != (hex ? 'p' : 'e')) return true;
  p++;
  if (*p == '+' || *p == '-') p++;
  return digit(*p);
}

// A score of the first format: its length and digits, or a byte that stands for what has no digits.
bool text_score(RdbInput& in, double* score) {
  constexpr uint8_t kNegative = 255, kPositive = 254, kNotANumber = 253;
  uint8_t n;
  if (!in.byte(&n)) return false;
  if (n == kNegative || n == kPositive) {
    const double infinite = std::numeric_limits<double>::infinity();
    *score = n == kNegative ? -infinite : infinite;
    return true;
  }
  Slice digits;
  if (n == kNotANumber || !in.bytes(n, &digits)) return false;
  if (parse_double(digits, score)) return true;
  // What follows a number does not count, nor does how large it is.
  const std::string text = digits.str();
  return scans_as_number(text.c_str()) &&
         sscanf(text.c_str(), "%lg", score) == 1;  // NOLINT(cert-err34-c): the count says it all
}

std::optional<Collection> load_members(RdbInput& in, RdbType type, const EncodingLimits& limits,
                                       uint64_t count) {
  // Room for no more than the bytes that are there can hold: the count is a claim.
  constexpr size_t kLeastBytes = 2;
  ZsetBuilder members(in.believed(count, kLeastBytes));
  std::string scratch;
  for (; count > 0; count--) {
    Slice bytes;
    if (!in.string(&bytes, &scratch)) return std::nullopt;
    // The bytes are gone once the score is read.
    ScoredMember* m = ScoredMember::make(0, bytes);
    const bool scored = type == RdbType::kZset2 ? in.real(&m->score) : text_score(in, &m->score);
    if (scored && std::isnan(m->score)) in.refuse("Zset with NAN score detected");
    if (scored && !std::isnan(m->score) && members.add(m)) continue;
    mem_free(m);
    if (scored) in.refuse("Duplicate zset members detected");
    return std::nullopt;
  }
  Collection c = members.finish();
  zset_settle(&c, limits);
  return c;
}

std::optional<Listpack> load_pack(RdbInput& in, RdbType type) {
  Slice bytes;
  std::string scratch;
  if (!in.string(&bytes, &scratch)) return std::nullopt;
  std::optional<Listpack> lp;
  if (type == RdbType::kZsetZiplist) {
    lp = listpack_of_ziplist(bytes);
  } else if (Listpack::valid(bytes)) {
    lp = Listpack::copy_of(bytes);
  }
  if (lp && !(distinct(*lp, 2) && zset_has_scores(*lp))) {
    lp->destroy();
    lp.reset();
  }
  if (!lp) {
    in.refuse(type == RdbType::kZsetZiplist ? "Zset ziplist integrity check failed."
                                            : "Zset listpack integrity check failed.");
  }
  return lp;
}

RdbLoaded load(RdbInput& in, RdbType type, const EncodingLimits& limits, Collection* c) {
  if (type == RdbType::kZset2 || type == RdbType::kZset) {
    uint64_t count;
    if (!in.length(&count)) return RdbLoaded::kCorrupt;
    if (count == 0) return RdbLoaded::kEmpty;
    const std::optional<Collection> loaded = load_members(in, type, limits, count);
    if (!loaded) return RdbLoaded::kCorrupt;
    *c = *loaded;
    return RdbLoaded::kOk;
  }
  std::optional<Listpack> lp = load_pack(in, type);
  if (!lp) return RdbLoaded::kCorrupt;
  if (lp->empty()) {
    lp->destroy();
    return RdbLoaded::kEmpty;
  }
  *c = zset_of(*lp, limits);
  return RdbLoaded::kOk;
}

}  // namespace

const RdbCollection kRdbZset = {type, save, load};

}  // namespace kvasir
