#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace kvasir {

namespace {

SocketAddress to_text(const sockaddr_storage& ss, socklen_t len) {
  SocketAddress a;
  char ip[INET6_ADDRSTRLEN] = {};
  if (ss.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&ss);
    inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
    a.ip = ip;
    a.port = ntohs(in->sin_port);
  } else if (ss.ss_family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&ss);
    inet_ntop(AF_INET6, &in->sin6_addr, ip, sizeof ip);
    a.ip = ip;
    a.port = ntohs(in->sin6_port);
  } else if (ss.ss_family == AF_UNIX) {
    const auto* un = reinterpret_cast<const sockaddr_un*>(&ss);
    if (len > offsetof(sockaddr_un, sun_path)) a.path = un->sun_path;
  }
  return a;
}

// Of a connection that is gone already.
SocketAddress unknown() {
  SocketAddress a;
  a.ip.assign(1, '?');
  return a;
}

}  // namespace

std::string SocketAddress::text() const {
  if (ip.empty()) return path + ":0";
  if (ip.find(':') != std::string::npos) return "[" + ip + "]:" + std::to_string(port);
  return ip + ":" + std::to_string(port);
}

bool SocketAddress::loopback() const { return ip.empty() || ip == "::1" || ip.rfind("127.", 0) == 0; }

SocketAddress peer_of(int fd) {
  sockaddr_storage ss{};
  socklen_t len = sizeof ss;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&ss), &len) != 0) return unknown();
  return to_text(ss, len);
}

SocketAddress local_of(int fd) {
  sockaddr_storage ss{};
  socklen_t len = sizeof ss;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&ss), &len) != 0) return unknown();
  return to_text(ss, len);
}

}  // namespace kvasir
