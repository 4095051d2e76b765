#include "persist/rdb_pack.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "types/ziplist.h"

namespace kvasir {

bool distinct(const Listpack& lp, unsigned step) {
  // What reads the same hashes the same: sorted by hash, equal ones are neighbours.
  std::vector<std::pair<uint64_t, Listpack::Pos>> seen;
  seen.reserve(lp.size() / step);
  char tmp[kInt64Chars + 1];
  unsigned left = 0;
  for (Listpack::Pos at = lp.first(); at != Listpack::kNone; at = lp.next(at)) {
    if (left == 0) {
      seen.emplace_back(hash_bytes(lp.get(at).str(tmp)), at);
      left = step;
    }
    left--;
  }
  if (left != 0) return false;
  std::sort(seen.begin(), seen.end());
  for (size_t i = 1; i < seen.size(); i++) {
    for (size_t j = i; j > 0 && seen[j - 1].first == seen[i].first; j--) {
      if (lp.equals(seen[j - 1].second, lp.get(seen[i].second).str(tmp))) return false;
    }
  }
  return true;
}

std::optional<Listpack> listpack_of_ziplist(Slice ziplist) {
  Listpack lp = Listpack::make(ziplist.size);
  ZiplistReader reader(ziplist);
  bool fits = true;
  for (ListpackItem item; fits && reader.next(&item);) {
    fits = lp.fits(item.size());
    if (fits) item.is_int ? lp.append_int(item.number) : lp.append(item.text);
  }
  if (fits && reader.valid()) {
    lp.shrink();
    return lp;
  }
  lp.destroy();
  return std::nullopt;
}

}  // namespace kvasir
