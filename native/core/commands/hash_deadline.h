// Giving fields deadlines and taking them away: what HEXPIRE, HPERSIST and HGETEX share.
#pragma once

#include <span>

#include "commands/hash_value.h"

namespace kvasir {

// As HEXPIRE replies it.
enum class FieldDated : int8_t { kAbsent = -2, kConditionFailed = 0, kDated = 1, kExpired = 2 };
// Gives a field a deadline, or removes it if that is past. `conditions`: see condition_holds().
FieldDated date_field(HashEdit* edit, Slice field, int64_t deadline, uint32_t conditions);

// As HPERSIST replies it.
enum class FieldPersisted : int8_t { kAbsent = -2, kNoDeadline = -1, kPersisted = 1 };
FieldPersisted persist_field(HashEdit* edit, Slice field);

// The command is propagated as HDEL of these fields.
void propagate_hdel(const Call& call, Slice key, std::span<const Slice> fields);

void register_hash_extended_commands(HandlerMap& map);

}  // namespace kvasir
