// A key's name together with its database, for tables of keys that clients watch, wait for or track.
#pragma once

#include <functional>
#include <string>

namespace kvasir {

struct DbKey {
  int db;
  std::string name;
  bool operator==(const DbKey& o) const { return db == o.db && name == o.name; }
};

struct DbKeyHash {
  size_t operator()(const DbKey& k) const {
    return std::hash<std::string>()(k.name) ^ (static_cast<size_t>(k.db) * 0x9e3779b97f4a7c15ULL);
  }
};

}  // namespace kvasir
