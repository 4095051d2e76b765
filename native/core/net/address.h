// Socket addresses as text, as the field prints them.
#pragma once

#include <string>

namespace kvasir {

struct SocketAddress {
  std::string ip;  // "" for a Unix socket
  int port = 0;
  std::string path;  // of a Unix socket
  // "ip:port", "[ip6]:port", "path:0"
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool loopback() const;
};

SocketAddress peer_of(int fd);
SocketAddress local_of(int fd);

}  // namespace kvasir
