#include "commands/monitors.h"

#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "commands/core.h"

namespace kvasir {

namespace {

void append_quoted(std::string* out, Slice s) {
  out->push_back('"');
  for (const char c : s) {
    switch (c) {
      case '\\':
      case '"':
        out->push_back('\\');
        out->push_back(c);
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      case '\a':
        out->append("\\a");
        break;
      case '\b':
        out->append("\\b");
        break;
      default:
        if (c >= ' ' && c <= '~') {
          out->push_back(c);
        } else {
          static constexpr char kHex[] = "0123456789abcdef";
          const auto byte = static_cast<unsigned char>(c);
          const char escaped[] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
          out->append(escaped, sizeof escaped);
        }
    }
  }
  out->push_back('"');
}

// MONITOR. The client's commands run as before; only those that touch the keyspace are refused.
void monitor_command(Call& call) {
  if (call.client.flags.no_blocking) {
    call.reply().error("ERR MONITOR isn't allowed for DENY BLOCKING client");
    return;
  }
  if (call.client.flags.replica || call.client.flags.monitor) return;
  call.core.monitors.add(&call.client);
  call.reply().ok();
}

}  // namespace

void Monitors::add(Client* c) {
  c->flags.monitor = true;
  clients_.push_back(c);
}

void Monitors::remove(Client* c) {
  if (!c->flags.monitor) return;
  c->flags.monitor = false;
  std::erase(clients_, c);
}

void Monitors::feed(const Client& c, std::span<const Slice> argv, uint64_t redacted) {
  const int64_t now_us = wall_us();
  char start[64];
  snprintf(start, sizeof start, "+%lld.%06lld [%d ", static_cast<long long>(now_us / 1000000),
           static_cast<long long>(now_us % 1000000), c.db);
  line_ = start;
  if (c.flags.fake) {
    line_ += "lua";
  } else if (c.flags.unix_socket) {
    line_ += "unix:" + c.local_ip();
  } else {
    line_ += c.peer_address();
  }
  line_ += ']';
  for (size_t i = 0; i < argv.size(); i++) {
    line_ += ' ';
    const bool hidden = (redacted >> std::min<size_t>(i, 63) & 1) != 0;
    append_quoted(&line_, hidden ? Slice("(redacted)") : argv[i]);
  }
  line_ += "\r\n";
  PushBody rest(Slice(line_.data() + 1, line_.size() - 1), nullptr);
  const PushFrame frame = pushes_->frame(*clients_.front(), {line_.data(), 1}, rest);
  for (Client* m : clients_) {
    if (!m->flags.reply_off && !m->flags.reply_skip) pushes_->send_now(*m, frame);
  }
  // One that showed a huge command does not stay huge.
  if (line_.capacity() > 64 * 1024) line_ = std::string();
}

void register_monitor_command(HandlerMap& map) { map["monitor"] = monitor_command; }

}  // namespace kvasir
