#include "keyspace/digest.h"

#include "keyspace/value.h"

namespace kvasir {

namespace {

struct BigEndian {
  explicit BigEndian(uint32_t v)
      : bytes{static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
              static_cast<char>(v)} {}
  [[nodiscard]] Slice slice() const { return {bytes, 4}; }
  char bytes[4];
};

}  // namespace

void digest_entry(Sha1::Digest* digest, const Entry& e, int64_t time) {
  digest_mix(digest, BigEndian(static_cast<uint32_t>(e.type())).slice());
  value_mix(e, digest, time);
  if (e.expire_ms() != kNoExpiry) digest_xor(digest, "!!expire!!");
}

Sha1::Digest digest_dataset(Keyspace& ks) {
  Sha1::Digest all{};
  for (int i = 0; i < ks.databases(); i++) {
    Database& db = ks.db(i);
    if (db.size() == 0) continue;
    digest_mix(&all, BigEndian(static_cast<uint32_t>(i)).slice());
    for (int s = db.next_slot(KeyIndex::kAll, 0); s >= 0; s = db.next_slot(KeyIndex::kAll, s + 1)) {
      EntryDict::Iterator it(db.slot(s)->keys);
      while (const Entry* e = it.next()) {
        Sha1::Digest one{};
        digest_mix(&one, e->key());
        digest_entry(&one, *e, ks.field_clock().hidden_before);
        digest_xor(&all, {reinterpret_cast<const char*>(one.data()), one.size()});
      }
    }
  }
  return all;
}

}  // namespace kvasir
