// What the files of the generic commands (keys*.cc) share.
#pragma once

#include "commands/core.h"

namespace kvasir {

void register_key_expire_commands(HandlerMap& map);
void register_key_scan_commands(HandlerMap& map);
void register_key_object_commands(HandlerMap& map);

// Argument i as an int. False: an error was replied (`error`, or Valkey's usual one).
bool parse_int(const Call& call, int i, int* out, const char* error = nullptr);
// Argument i as the number of a database. False: an error was replied.
bool parse_database(const Call& call, int i, int* out);

inline constexpr char kNoSuchKey[] = "ERR no such key";
inline constexpr char kDatabaseOutOfRange[] = "ERR DB index is out of range";

}  // namespace kvasir
