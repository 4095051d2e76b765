// A command as the data plane sees it: compiled at start from the TypeScript table (src/commands), which is
// the only place where commands are declared.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/histogram.h"
#include "base/slice.h"

namespace kvasir {

struct Call;
using Handler = void (*)(Call&);

// Bits of Command::flags; src/commands/registry.ts exports the same numbers.
enum CommandFlag : uint64_t {
  kCmdWrite = 1ULL << 0,
  kCmdReadonly = 1ULL << 1,
  kCmdDenyoom = 1ULL << 2,
  kCmdModule = 1ULL << 3,
  kCmdAdmin = 1ULL << 4,
  kCmdPubsub = 1ULL << 5,
  kCmdNoscript = 1ULL << 6,
  kCmdBlocking = 1ULL << 8,
  kCmdLoading = 1ULL << 9,
  kCmdStale = 1ULL << 10,
  kCmdSkipMonitor = 1ULL << 11,
  kCmdSkipCommandlog = 1ULL << 12,
  kCmdAsking = 1ULL << 13,
  kCmdFast = 1ULL << 14,
  kCmdNoAuth = 1ULL << 15,
  kCmdMayReplicate = 1ULL << 16,
  kCmdSentinel = 1ULL << 17,
  kCmdOnlySentinel = 1ULL << 18,
  kCmdNoMandatoryKeys = 1ULL << 19,
  kCmdProtected = 1ULL << 20,
  kCmdModuleGetkeys = 1ULL << 21,
  kCmdModuleNoCluster = 1ULL << 22,
  kCmdNoAsyncLoading = 1ULL << 23,
  kCmdNoMulti = 1ULL << 24,
  kCmdMovableKeys = 1ULL << 25,
  kCmdAllowBusy = 1ULL << 26,
  kCmdModuleGetchannels = 1ULL << 27,
  kCmdTouchesArbitraryKeys = 1ULL << 28,
  kCmdAllDbs = 1ULL << 29,
};

struct Command {
  int id = 0;            // index in the table; the same number in TypeScript
  std::string name;      // lower case, without the container
  std::string fullname;  // "container|sub" or the name
  Handler handler = nullptr;
  int arity = 0;
  uint64_t flags = 0;
  uint64_t acl_categories = 0;
  // Legacy key positions (0: none); more than these are in key_specs.
  int first_key = 0, last_key = 0, key_step = 0;
  // Of a command whose first key is a collection: the argument that names an element of it (of several the
  // first), 0 if none does. -1: any other command.
  int element = -1;
  std::vector<int32_t> key_specs;  // encoding: see src/commands/registry.ts
  Command* parent = nullptr;
  std::unordered_map<std::string, Command*> subcommands;  // by lower-case name
  bool is_container = false;
  // Runs at once between MULTI and EXEC instead of being queued (EXEC, DISCARD, MULTI, WATCH, QUIT, RESET).
  bool ends_transaction = false;

  // A subscriber with RESP2 may send it (SUBSCRIBE and its kin, PING, QUIT, RESET).
  bool subscriber_may = false;

  // INFO commandstats, latencystats
  uint64_t calls = 0, nsec = 0, rejected = 0, failed = 0;
  LatencyHistogram histogram;
};

class CommandTable {
 public:
  CommandTable();
  // Adds a command (top level first, subcommands after their container). Returns it.
  Command* add(std::unique_ptr<Command> c);
  // Case-insensitive; nullptr if unknown.
  [[nodiscard]] Command* find(Slice name) const {
    const uint64_t h = name_hash(name);
    for (size_t i = h & mask_;; i = (i + 1) & mask_) {
      Command* c = index_[i];
      if (c == nullptr) return nullptr;
      if (equals_nocase({c->name.data(), c->name.size()}, name)) return c;
    }
  }
  // Follows argv[1] for a container. nullptr: unknown command or subcommand.
  static Command* find_sub(const Command* container, Slice name);
  [[nodiscard]] const std::vector<std::unique_ptr<Command>>& all() const { return all_; }
  // rename-command: new_name empty removes it. False: no such command, or the name is taken.
  bool rename(Slice name, Slice new_name);

 private:
  static uint64_t name_hash(Slice name) {
    // Case folding by masking bit 5 is wrong for non-letters, which is fine for a hash.
    uint64_t a = 0, b = 0;
    const size_t n = name.size;
    memcpy(&a, name.data, n < 8 ? n : 8);
    if (n > 8) memcpy(&b, name.data + n - 8, 8);
    a &= 0xdfdfdfdfdfdfdfdfULL;
    b &= 0xdfdfdfdfdfdfdfdfULL;
    uint64_t h = (a ^ (b * 0x9e3779b97f4a7c15ULL) ^ n) * 0xff51afd7ed558ccdULL;
    return h ^ (h >> 32);
  }
  void insert(Command* c);
  std::vector<std::unique_ptr<Command>> all_;
  std::vector<Command*> index_;
  size_t mask_;
};

// The handlers that C++ has, by symbol ("get", "client|list"). Filled by each commands/*.cc through its
// register function; the addon joins them with the table and reports any that one side lacks.
using HandlerMap = std::unordered_map<std::string, Handler>;
HandlerMap all_handlers();
void register_dump_commands(HandlerMap& map);
void register_hash_commands(HandlerMap& map);
void register_hash_counter_commands(HandlerMap& map);
void register_hash_deadline_commands(HandlerMap& map);
void register_hash_random_command(HandlerMap& map);
void register_list_commands(HandlerMap& map);
void register_list_pop_commands(HandlerMap& map);
void register_migrate_command(HandlerMap& map);
void register_monitor_command(HandlerMap& map);
void register_pubsub_commands(HandlerMap& map);
void register_transaction_commands(HandlerMap& map);
void register_bitmap_commands(HandlerMap& map);
void register_hyperloglog_commands(HandlerMap& map);
void register_stream_commands(HandlerMap& map);
void register_stream_group_commands(HandlerMap& map);
void register_stream_info_commands(HandlerMap& map);
void register_stream_read_commands(HandlerMap& map);
void register_string_commands(HandlerMap& map);
void register_string_counter_commands(HandlerMap& map);
void register_string_lcs_command(HandlerMap& map);
void register_key_commands(HandlerMap& map);
void register_connection_commands(HandlerMap& map);
void register_client_commands(HandlerMap& map);
void register_server_commands(HandlerMap& map);
void register_set_commands(HandlerMap& map);
void register_set_algebra_commands(HandlerMap& map);
void register_set_random_commands(HandlerMap& map);
void register_sort_commands(HandlerMap& map);
void register_zset_commands(HandlerMap& map);
void register_zset_range_commands(HandlerMap& map);
void register_zset_pop_commands(HandlerMap& map);
void register_zset_algebra_commands(HandlerMap& map);
void register_zset_random_commands(HandlerMap& map);
void register_geo_commands(HandlerMap& map);
void register_geo_search_commands(HandlerMap& map);

}  // namespace kvasir
