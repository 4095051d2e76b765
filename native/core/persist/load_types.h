// What there is to say about loading a file: how it is to be done, how far it is, how it ended.
#pragma once

#include <cstdint>
#include <string>

namespace kvasir {

// How fast. May change meanwhile.
struct LoadPace {
  // µs after every key; negative: one for every so many keys (key-load-delay).
  int64_t key_delay_us = 0;
  // The loop turns at least that often (loading-process-events-interval-bytes).
  int64_t event_bytes = 2 << 20;
};

struct RdbLoadOptions {
  bool strict_version = true;   // rdb-version-check
  bool verify_checksum = true;  // rdbchecksum
  bool hide_user_data = true;   // hide-user-data-from-log
  bool replace_duplicates = false;
  bool empty_first = false;  // once the version is accepted
  bool empty_lazily = true;
  // As a primary that is not replaying an AOF: what is past its deadline is not loaded.
  bool drop_expired = true;
  // ... and those who follow the stream are told.
  bool propagate_expired = false;
  // A file, which is then looked at by the check, or a stream, whose early end is an error of the connection.
  bool from_file = true;
  const LoadPace* pace = nullptr;  // outlives the loader; nullptr: as fast as it goes
};

enum class RdbLoadResult : uint8_t {
  kOk,
  kIncompatible,  // not an RDB, or of another version: nothing was changed
  kFailed,        // part of it is loaded
  kUnreadable,    // the same, because of what the file holds: the process is to end
  kExit,          // the process is to end at once
};

struct LoadProgress {
  uint64_t loaded_bytes = 0;
  uint64_t total_bytes = 0;  // 0: not known
  uint64_t used_memory = 0;  // of who wrote the file; 0: not known
  uint64_t keys_loaded = 0, keys_expired = 0;
};

// Where in a history of changes the data stand.
struct RdbReplication {
  int stream_db = -1;  // the database that the stream has selected; -1: not known
  std::string id;      // 40 digits; empty: not known
  int64_t offset = -1;
};

}  // namespace kvasir
