#include "commands/client_info.h"

#include <type_traits>

#include "base/numbers.h"

namespace kvasir {

std::string client_flags(const Client& c) {
  std::string f;
  if (c.flags.monitor) f += 'O';
  if (c.flags.replica && !c.flags.monitor) f += 'S';
  if (c.flags.primary) f += 'M';
  if (c.flags.pubsub) f += 'P';
  if (c.transaction != nullptr) f += 'x';
  if (c.blocked != Blocked::kNo) f += 'b';
  if (c.tracking != nullptr) {
    f += 't';
    if (c.tracking->broken_redirect) f += 'R';
    if (c.tracking->options.bcast) f += 'B';
  }
  if (c.watching != nullptr && c.watching->changed) f += 'd';
  if (c.flags.close_after_reply) f += 'c';
  if (c.flags.close_asap) f += 'A';
  if (c.flags.unix_socket) f += 'U';
  if (c.flags.readonly) f += 'r';
  if (c.flags.no_evict) f += 'e';
  if (c.flags.no_touch) f += 'T';
  if (c.flags.import_source) f += 'I';
  if (f.empty()) f += 'N';
  return f;
}

namespace {

class Line {
 public:
  Line& operator()(const char* field, Slice value) {
    if (!text_.empty()) text_ += ' ';
    text_ += field;
    text_ += '=';
    text_.append(value.data, value.size);
    return *this;
  }
  template <class T>
  requires std::is_integral_v<T> Line& operator()(const char* field, T value) {
    char digits[24];
    const size_t n = std::is_signed_v<T> ? format_i64(digits, static_cast<int64_t>(value))
                                         : format_u64(digits, static_cast<uint64_t>(value));
    return (*this)(field, Slice(digits, n));
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Attributes are shown up to a NUL.
Slice shown(const std::string& s) { return {s.c_str(), strlen(s.c_str())}; }

}  // namespace

std::string client_info(const Core& core, const Client& c, bool hide_user_data) {
  const size_t buffered = c.out.bytes();
  // What Valkey's fixed reply buffer would hold; the rest is its reply list.
  const size_t list_bytes = c.limited_output();
  Line line;
  line("id", c.id)("addr", c.peer_address())("laddr", c.local_address())("fd", c.descriptor());
  line("name", hide_user_data ? Slice("*redacted*") : shown(c.name));
  line("age", core.wall_s - c.created_ms / 1000)("idle", core.wall_s - c.last_interaction_s)("flags",
                                                                                             client_flags(c));
  line("capa", c.flags.capa_redirect ? "r" : "")("db", c.db);
  const Subscriptions none;
  const Subscriptions& subscribed = c.subscriptions == nullptr ? none : *c.subscriptions;
  line("sub", subscribed.of(TopicKind::kChannel).size())("psub", subscribed.of(TopicKind::kPattern).size())(
      "ssub", subscribed.of(TopicKind::kShardChannel).size());
  line("multi", c.transaction != nullptr    ? static_cast<int64_t>(c.transaction->queue.size())
                : c.flags.used_transactions ? 0
                                            : -1);
  line("watch", c.watching == nullptr ? size_t{0} : c.watching->keys.size());
  line("qbuf", c.query_size())("qbuf-free", c.query_free())("argv-mem", c.argv_memory())(
      "multi-mem", c.transaction_memory());
  line("rbs", c.reply_buffer)("rbp", c.output_peak)("obl", list_bytes == 0 ? buffered : 0);
  line("oll", list_bytes == 0 ? 0U : c.out.blocks())("omem", list_bytes)("tot-mem", c.memory());
  line("events", c.wants_write() ? "rw" : "r");
  line("cmd", c.last_command != nullptr ? Slice(c.last_command->fullname) : Slice("NULL"));
  line("user", hide_user_data      ? Slice("*redacted*")
               : c.user != nullptr ? Slice(c.user->name)
                                   : Slice("(superuser)"));
  line("redir", c.tracking == nullptr ? int64_t{-1} : static_cast<int64_t>(c.tracking->options.redirect))(
      "resp", static_cast<int>(c.reply.resp))("lib-name", shown(c.lib_name));
  line("lib-ver", shown(c.lib_ver))("tot-net-in", c.net_in)("tot-net-out", c.net_out)("tot-cmds", c.commands);
  return line.take();
}

std::string client_identity(const Client& c, bool hide_user_data) {
  Line line;
  line("id", c.id)("addr", c.peer_address())("laddr", c.local_address())("fd", c.descriptor());
  line("name", hide_user_data ? Slice("*redacted*") : shown(c.name));
  line("user", hide_user_data      ? Slice("*redacted*")
               : c.user != nullptr ? Slice(c.user->name)
                                   : Slice("(superuser)"));
  line("lib-name", shown(c.lib_name))("lib-ver", shown(c.lib_ver));
  return line.take();
}

}  // namespace kvasir
