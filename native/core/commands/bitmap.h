// What the bitmap commands share.
#pragma once

#include "commands/core.h"

namespace kvasir {

void register_bit_field_commands(HandlerMap& map);
void register_bit_operation_commands(HandlerMap& map);

// Argument `arg` as the offset of a bit; as "#n", where width is not 0, it counts in units of that many bits.
// False: it is none, or beyond what a string may be, and an error was replied.
bool parse_bit_offset(const Call& call, int arg, unsigned width, uint64_t* offset);

// The string at a key, made to be written to.
struct WritableBits {
  Slice bytes;
  char* data = nullptr;  // nullptr: it is something else, and an error was replied
  bool grown = false;    // the key is new, or its string became longer
};
// With zeros behind what was there, so that bit `last` is in it.
WritableBits prepare_bits(const Call& call, const KeyRef& k, uint64_t last);

}  // namespace kvasir
