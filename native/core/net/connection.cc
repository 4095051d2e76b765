#include "net/connection.h"

#include <unistd.h>

#include "net/address.h"
#include "net/reactor.h"

namespace kvasir {

SavedRequest::SavedRequest(Request& r) : wire_bytes_(r.wire_bytes) {
  size_t total = 0;
  for (uint32_t i = 0; i < r.argc; i++) {
    if (r.bufs == nullptr || r.bufs[i] == nullptr) total += r.argv[i].size;
  }
  bytes_.reserve(total);
  sizes_.reserve(r.argc);
  for (uint32_t i = 0; i < r.argc; i++) {
    sizes_.push_back(r.argv[i].size);
    if (r.bufs != nullptr && r.bufs[i] != nullptr) {
      bufs_.resize(r.argc, nullptr);
      bufs_[i] = r.bufs[i];
      r.bufs[i] = nullptr;
    } else {
      bytes_.append(r.argv[i].data, r.argv[i].size);
    }
  }
}

SavedRequest::~SavedRequest() {
  for (StrBuf* b : bufs_) {
    if (b != nullptr) b->release();
  }
}

Request SavedRequest::restore(ArgArena* args) {
  const size_t n = sizes_.size();
  Request r;
  r.argc = static_cast<uint32_t>(n);
  r.wire_bytes = wire_bytes_;
  r.argv = args->reserve(n);
  args->commit(n);
  if (!bufs_.empty()) r.bufs = reinterpret_cast<StrBuf**>(args->bytes(n * sizeof(StrBuf*)));
  const char* p = bytes_.data();
  for (size_t i = 0; i < n; i++) {
    if (!bufs_.empty()) {
      r.bufs[i] = bufs_[i];
      bufs_[i] = nullptr;
      if (r.bufs[i] != nullptr) {
        r.argv[i] = {r.bufs[i]->data(), sizes_[i]};
        continue;
      }
    }
    r.argv[i] = {p, sizes_[i]};
    p += sizes_[i];
  }
  return r;
}

Connection::Connection(Reactor* reactor, uint64_t id, int descriptor, ReplyArena* arena)
    : Client(id, arena), fd(descriptor), reactor_(reactor) {}

Connection::~Connection() {
  if (fd >= 0) ::close(fd);
}

void Connection::on_ready(bool is_readable, bool is_writable) {
  if (is_writable && writing) reactor_->writable(*this);
  if (is_readable && !closing) reactor_->readable(*this);
}

size_t Connection::postponed_size() const {
  size_t n = 0;
  for (const SavedRequest& s : saved) n += s.bytes();
  return n;
}

void Connection::output_added() { reactor_->queue_flush(*this); }
void Connection::resume() { reactor_->resume_postponed(); }

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
