// The arguments of SCAN, HSCAN, SSCAN and ZSCAN.
#pragma once

#include <cstdint>

#include "commands/core.h"

namespace kvasir {

enum class ScanOf : uint8_t { kKeys, kHash, kSet, kZset };

struct ScanOptions {
  uint64_t cursor = 0;
  int64_t count = 10;
  Slice pattern;          // to be ignored unless filtered
  bool filtered = false;  // MATCH, with a pattern that does not match everything
  bool any_type = true;   // else `type`
  Type type = Type::kString;
  bool names_only = false;  // NOVALUES, NOSCORES
};

// Reads the cursor in argument `at`. False: an error was replied. Its own step, because in HSCAN and its kin
// the key is looked up between the two.
bool parse_scan_cursor(const Call& call, int at, ScanOptions* out);
// Reads the options in the arguments from `from` on. False: an error was replied.
bool parse_scan_options(const Call& call, ScanOf of, int from, ScanOptions* out);

// The slot of all keys that match the pattern, if they must have one and the same; else -1. Cluster mode.
int pattern_slot(Slice pattern);

}  // namespace kvasir
