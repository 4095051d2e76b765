// What the HyperLogLog commands share.
#pragma once

#include "commands/core.h"
#include "commands/string_value.h"
#include "types/hyperloglog.h"

namespace kvasir {

void register_hll_debug_commands(HandlerMap& map);

// Whether e is a HyperLogLog; if not, an error was replied.
bool check_hll(const Call& call, const Entry* e);
void corrupt_hll(const Call& call);
size_t sparse_limit(const Call& call);

// The HyperLogLog of a key, made to be written to.
class HllValue : public hll::String {
 public:
  HllValue(const Call& call, const KeyRef& k, EntrySlot slot);
  // At a key that is not there.
  static HllValue add(const Call& call, const KeyRef& k);
  void resize(size_t n) override;

 private:
  Keyspace& ks_;
  Database& db_;
  KeyRef key_;
  EntrySlot slot_;
};

}  // namespace kvasir
