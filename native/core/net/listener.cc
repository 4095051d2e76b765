#include "net/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "net/address.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

namespace kvasir {

namespace {

std::string errno_text() { return strerror(errno); }

ListenResult failed(int fd, std::string what) {
  ListenResult r;
  r.error = std::move(what);
  if (fd >= 0) ::close(fd);
  return r;
}

}  // namespace

Reactor::Listener::Listener(Reactor* reactor, int fd, bool is_unix, std::string path)
    : reactor_(reactor), fd_(fd), unix_(is_unix), path_(std::move(path)) {}

Reactor::Listener::~Listener() {
  if (handle_ != nullptr) reactor_->poller().remove(handle_);
  ::close(fd_);
  if (unix_) ::unlink(path_.c_str());
}

bool Reactor::Listener::start() {
  handle_ = reactor_->poller().add(fd_, this, false);
  return handle_ != nullptr;
}

void Reactor::Listener::on_ready(bool is_readable, bool /*writable*/, bool /*ended*/) {
  if (!is_readable) return;
  for (int64_t n = reactor_->engine().core.settings.max_new_connections_per_cycle; n > 0; n--) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        reactor_->engine().core.log(LogLevel::kWarning, "Accepting client connection: %s", strerror(errno));
      }
      return;
    }
    reactor_->accepted(fd, unix_);
  }
}

ListenResult Reactor::listen_tcp(const std::string& host, int port, int backlog, bool mptcp, uint32_t mark) {
  addrinfo hints{};
  hints.ai_family = host.find(':') != std::string::npos ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int unresolved = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (unresolved != 0) return failed(-1, gai_strerror(unresolved));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);

  const int protocol = mptcp ? IPPROTO_MPTCP : IPPROTO_TCP;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) {
    const int e = errno;
    ListenResult r = failed(-1, "unable to bind socket, errno: " + std::to_string(e));
    r.family_missing = e == EAFNOSUPPORT || e == EPROTONOSUPPORT || e == ENOPROTOOPT ||
                       e == ESOCKTNOSUPPORT || e == EPFNOSUPPORT ||
                       // How a kernel older than Multipath TCP refuses a protocol number beyond its last.
                       (mptcp && e == EINVAL);
    return r;
  }
  const int yes = 1;
  if (found->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, found->ai_addr, found->ai_addrlen) != 0) {
    const int e = errno;
    ListenResult r = failed(fd, std::string("bind: ") + strerror(e));
    r.address_missing = e == EADDRNOTAVAIL;
    return r;
  }
  if (::listen(fd, backlog) != 0) return failed(fd, "listen: " + errno_text());
  // As the original: a mark that may not be set is no reason not to serve.
  if (mark != 0) setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
  ListenResult r;
  r.port = local_of(fd).port;
  auto l = std::make_unique<Listener>(this, fd, false, "");
  if (!l->start()) return failed(-1, errno_text());
  listeners_.push_back(std::move(l));
  return r;
}

ListenResult Reactor::listen_unix(const std::string& path, int mode, const std::string& group, int backlog) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  if (path.size() >= sizeof a.sun_path) {
    return failed(-1, "unix socket path too long (" + std::to_string(path.size()) + "), must be under " +
                          std::to_string(sizeof a.sun_path));
  }
  memcpy(a.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(-1, "creating socket: " + errno_text());
  ::unlink(path.c_str());
  if (bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) return failed(fd, "bind: " + errno_text());
  if (mode != 0) ::chmod(path.c_str(), static_cast<mode_t>(mode));
  if (!group.empty()) {
    const struct group* g = getgrnam(group.c_str());
    if (g == nullptr) return failed(fd, "getgrnam error for group '" + group + "': " + errno_text());
    if (::chown(path.c_str(), static_cast<uid_t>(-1), g->gr_gid) != 0) {
      return failed(fd, "chown error for group '" + group + "': " + errno_text());
    }
  }
  if (::listen(fd, backlog) != 0) return failed(fd, "listen: " + errno_text());
  auto l = std::make_unique<Listener>(this, fd, true, path);
  if (!l->start()) return failed(-1, errno_text());
  listeners_.push_back(std::move(l));
  return {};
}

void Reactor::close_listeners(bool tcp, bool unix_sockets) {
  std::erase_if(listeners_, [&](const auto& l) { return l->is_unix() ? unix_sockets : tcp; });
}

}  // namespace kvasir
