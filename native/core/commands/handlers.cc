#include "commands/command.h"

namespace kvasir {

HandlerMap all_handlers() {
  HandlerMap map;
  register_bitmap_commands(map);
  register_client_commands(map);
  register_connection_commands(map);
  register_dump_commands(map);
  register_hash_commands(map);
  register_hash_counter_commands(map);
  register_hash_deadline_commands(map);
  register_hash_random_command(map);
  register_list_commands(map);
  register_list_pop_commands(map);
  register_zset_commands(map);
  register_zset_range_commands(map);
  register_zset_pop_commands(map);
  register_zset_algebra_commands(map);
  register_zset_random_commands(map);
  register_geo_commands(map);
  register_geo_search_commands(map);
  register_hyperloglog_commands(map);
  register_key_commands(map);
  register_migrate_command(map);
  register_monitor_command(map);
  register_pubsub_commands(map);
  register_server_commands(map);
  register_set_commands(map);
  register_set_algebra_commands(map);
  register_set_random_commands(map);
  register_sort_commands(map);
  register_stream_commands(map);
  register_stream_group_commands(map);
  register_stream_info_commands(map);
  register_stream_read_commands(map);
  register_string_commands(map);
  register_transaction_commands(map);
  return map;
}

}  // namespace kvasir
