#include "commands/client_info.h"

#include <cstdio>

namespace kvasir {

std::string client_info(const Core& core, const Client& c, bool hide_user_data) {
  char flags[20];
  char* f = flags;
  if (c.flags.monitor) *f++ = 'O';
  if (c.flags.pubsub) *f++ = 'P';
  if (c.flags.multi) *f++ = 'x';
  if (c.blocked != Blocked::kNo) *f++ = 'b';
  if (c.flags.tracking) *f++ = 't';
  if (c.flags.close_after_reply) *f++ = 'c';
  if (c.flags.unblocked) *f++ = 'u';
  if (c.flags.close_asap) *f++ = 'A';
  if (c.flags.unix_socket) *f++ = 'U';
  if (c.flags.readonly) *f++ = 'r';
  if (c.flags.no_evict) *f++ = 'e';
  if (c.flags.no_touch) *f++ = 'T';
  if (c.flags.import_source) *f++ = 'I';
  if (f == flags) *f++ = 'N';
  *f = 0;
  const size_t buffered = c.out.bytes();
  const size_t in_buffer = buffered < c.reply_buffer ? buffered : c.reply_buffer;
  const std::string fd = c.descriptor() < 0 ? "fd=-1" : "fd=" + std::to_string(c.descriptor());
  char text[2048];
  const int n = snprintf(
      text, sizeof text,
      "id=%llu addr=%s laddr=%s %s name=%s age=%lld idle=%lld flags=%s capa=%s db=%d sub=0 psub=0 ssub=0 multi=-1 "
      "watch=0 qbuf=%zu qbuf-free=%zu argv-mem=%llu multi-mem=0 rbs=%zu rbp=%zu obl=%zu oll=%u omem=%zu tot-mem=%zu "
      "events=%s cmd=%s user=%s redir=-1 resp=%d lib-name=%s lib-ver=%s tot-net-in=%llu tot-net-out=%llu tot-cmds=%llu",
      static_cast<unsigned long long>(c.id), c.peer_address().c_str(), c.local_address().c_str(), fd.c_str(),
      hide_user_data ? "*redacted*" : c.name.c_str(), static_cast<long long>((core.wall_ms - c.created_ms) / 1000),
      static_cast<long long>(core.wall_ms / 1000 - c.last_interaction_s), flags, c.flags.capa_redirect ? "r" : "", c.db,
      c.query_size(), c.query_free(), static_cast<unsigned long long>(c.argv_bytes), c.reply_buffer, c.output_peak,
      in_buffer, c.out.blocks(), c.limited_output(), c.memory(), c.wants_write() ? "rw" : "r",
      c.last_command != nullptr ? c.last_command->fullname.c_str() : "NULL",
      hide_user_data ? "*redacted*" : (c.user != nullptr ? c.user->name.c_str() : "default"), c.reply.resp,
      c.lib_name.c_str(), c.lib_ver.c_str(), static_cast<unsigned long long>(c.net_in),
      static_cast<unsigned long long>(c.net_out), static_cast<unsigned long long>(c.commands));
  return {text, static_cast<size_t>(n < static_cast<int>(sizeof text) ? n : static_cast<int>(sizeof text) - 1)};
}

}  // namespace kvasir
