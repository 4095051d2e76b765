// Keyspaces that are written to files and read back.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "base/clock.h"
#include "keyspace/digest.h"
#include "keyspace/keyspace.h"
#include "keyspace/value.h"
#include "persist/rdb_load.h"
#include "persist/rdb_save.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

namespace kvasir::test {

struct SilentSignals : Signals {
  void key_modified(Database&, Slice, bool) override {}
  void notify(uint32_t, const char*, Slice, int) override {}
  void propagate_delete(Database&, Slice key, bool) override { told.push_back(key.str()); }
  void expiry_took(int64_t) override {}
  void propagate_field_delete(Database&, Slice key, std::span<const Slice> fields, bool, bool) override {
    for (const Slice& f : fields) told.push_back(key.str() + "." + f.str());
  }
  void flushed(int) override { flushes++; }
  void swapping(int, int) override {}
  void swapped(int, int) override {}
  void key_ready(Database&, Slice, Type) override {}
  void key_gone(Database&, Slice) override {}
  std::vector<std::string> told;
  int flushes = 0;
};

class Data {
 public:
  explicit Data(int databases = 4, bool clustered = false) : ks(databases, clustered, &signals) {
    ks.now_ms = wall_ms();
  }
  SilentSignals signals;
  Keyspace ks;
  EncodingLimits limits;
  std::vector<std::string> libraries;

  void string(int db, const std::string& key, const std::string& value, int64_t deadline = kNoExpiry) {
    add(db, key, Entry::make_string(key, value, deadline));
  }
  void add(int db, const std::string& key, Entry* e) { ks.add(ks.db(db), ks.ref(key), e); }
  // With n fields; every third has the deadline.
  void hash(int db, const std::string& key, int n, int64_t deadline = kNoExpiry) {
    Collection c = hash_make(limits, 0, 0);
    for (int i = 0; i < n; i++) {
      const std::string field = "field:" + std::to_string(i);
      hash_set(&c, limits, field, {Slice("value")}, i % 3 == 0 ? deadline : kNoExpiry, false, {});
    }
    add(db, key, Entry::make_collection(key, Type::kHash, c));
  }
  void set(int db, const std::string& key, int n, const std::string& prefix) {
    Collection c{Encoding::kIntset, Intset::make().data()};
    for (int i = 0; i < n; i++) set_add(&c, limits, prefix + std::to_string(i));
    add(db, key, Entry::make_collection(key, Type::kSet, c));
  }
  // Some of everything.
  void fill() {
    const int64_t later = wall_ms() + 1000000;
    string(0, "int", "12345");
    string(0, "big int", "1234567890123");
    string(0, "short", "hello");
    string(0, "compressible", std::string(3000, 'a'));
    std::string noise;
    uint32_t x = 1;
    for (int i = 0; i < 50000; i++) noise += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
    string(0, "long", noise);
    string(1, "with deadline", "v", later);
    hash(1, "small hash", 3);
    hash(1, "big hash", 1000);
    hash(1, "dated hash", 100, later);
    set(2, "intset", 5, "");
    set(2, "listpack set", 5, "m");
    set(2, "big set", 1000, "member:");
    for (int i = 0; i < 300; i++) string(3, "key:" + std::to_string(i), "value:" + std::to_string(i));
  }
  [[nodiscard]] Sha1::Digest digest() { return digest_dataset(ks); }
  [[nodiscard]] size_t keys() {
    size_t n = 0;
    for (int i = 0; i < ks.databases(); i++) n += ks.db(i).size();
    return n;
  }
};

inline std::string temporary_path() {
  std::string path = "/tmp/kvasir-rdb-XXXXXX";
  const int fd = mkstemp(path.data());
  if (fd < 0) abort();
  close(fd);
  return path;
}

inline std::string contents(const std::string& path) {
  std::string all;
  FILE* f = fopen(path.c_str(), "rbe");
  char piece[4096];
  while (const size_t n = fread(piece, 1, sizeof piece, f)) all.append(piece, n);
  fclose(f);
  return all;
}

struct Saving {
  bool compress = true, checksum = true;
  RdbAccess access = RdbAccess::kNone;
  uint16_t version = kRdbVersion;
};

// The bytes of a file with all that is in it.
inline std::string saved(Data& data, const Saving& how = {}) {
  const std::string path = temporary_path();
  FileWriter::Options options;
  options.compress = how.compress;
  options.checksum = how.checksum;
  FileWriter writer(open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC), options);
  RdbFileTarget::Options to;
  to.header.version = how.version;
  to.header.server_version = "9.1.2";
  to.header.time_s = 1700000000;
  to.header.used_memory = 1 << 20;
  to.header.libraries = data.libraries;
  to.access = how.access;
  to.wait = true;
  RdbFileTarget target(&data.ks, &writer, to);
  const bool all = deliver_all(data.ks, target, [] {});
  if (all) writer.wait();
  const std::string bytes = all && writer.error().operation == nullptr ? contents(path) : "";
  unlink(path.c_str());
  return bytes;
}

struct Loaded {
  RdbLoadResult result = RdbLoadResult::kFailed;
  std::vector<std::string> lines;
  LoadProgress progress;
  RdbReplication replication;
  [[nodiscard]] bool says(const std::string& part) const {
    for (const std::string& line : lines) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }
};

inline void collect(RdbLoader& loader, Loaded* out) {
  for (const RdbLoader::Line& line : loader.take_lines()) out->lines.push_back(line.text);
}

// Pushes the bytes in pieces of that size.
inline Loaded load_pushed(Data& data, Slice bytes, size_t piece, RdbLoadOptions options = {}) {
  Loaded out;
  RdbLoader loader(&data.ks, &data.limits, &data.libraries, options);
  loader.expect_pushes();
  const uint64_t forever = std::numeric_limits<uint64_t>::max();
  while (loader.run(forever)) {
    collect(loader, &out);
    if (!loader.starving()) continue;
    if (bytes.empty()) {
      loader.source().push_end();
      continue;
    }
    const size_t n = std::min(piece, bytes.size);
    loader.source().push({bytes.data, n});
    bytes = {bytes.data + n, bytes.size - n};
  }
  collect(loader, &out);
  out.result = loader.result();
  out.progress = loader.progress();
  out.replication = loader.replication();
  return out;
}

inline Loaded load_file(Data& data, Slice bytes, RdbLoadOptions options = {}) {
  Loaded out;
  const std::string path = temporary_path();
  FILE* f = fopen(path.c_str(), "wbe");
  fwrite(bytes.data, 1, bytes.size, f);
  fclose(f);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  RdbLoader loader(&data.ks, &data.limits, &data.libraries, options);
  loader.read(fd, bytes.size);
  // Stops wherever it may.
  while (loader.run(0)) collect(loader, &out);
  collect(loader, &out);
  out.result = loader.result();
  out.progress = loader.progress();
  out.replication = loader.replication();
  close(fd);
  unlink(path.c_str());
  return out;
}

}  // namespace kvasir::test
