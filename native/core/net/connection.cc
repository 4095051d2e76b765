#include "net/connection.h"

#include <unistd.h>

#include "net/address.h"
#include "net/reactor.h"

namespace kvasir {

Connection::Connection(Reactor* reactor, uint64_t id, int descriptor, ReplyArena* arena)
    : Client(id, arena), fd(descriptor), reactor_(reactor) {}

Connection::~Connection() {
  if (fd >= 0) ::close(fd);
}

void Connection::on_ready(bool is_readable, bool is_writable, bool ended) {
  if (is_writable && writing) reactor_->writable(*this);
  if (is_readable && !closing) reactor_->readable(*this, ended);
}

size_t Connection::postponed_size() const {
  size_t n = parser.parsed_size();
  for (const SavedRequest& s : saved) n += s.bytes();
  return n;
}

void Connection::output_added() { reactor_->output_added(*this); }
void Connection::resume() { reactor_->resume_postponed(); }
void Connection::rerun() { reactor_->rerun(*this); }
void Connection::unblocked() { reactor_->unblocked(*this); }

std::string Connection::peer_address() const {
  if (peer_.empty()) peer_ = flags.unix_socket ? local_address() : peer_of(fd).text();
  return peer_;
}
std::string Connection::local_address() const {
  if (local_.empty()) local_ = local_of(fd).text();
  return local_;
}
std::string Connection::peer_ip() const { return flags.unix_socket ? local_of(fd).path : peer_of(fd).ip; }
std::string Connection::local_ip() const { return flags.unix_socket ? local_of(fd).path : local_of(fd).ip; }
bool Connection::peer_is_loopback() const { return flags.unix_socket || peer_of(fd).loopback(); }

}  // namespace kvasir
