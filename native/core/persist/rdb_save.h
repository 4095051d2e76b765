// A snapshot becomes an RDB file.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "keyspace/keyspace.h"
#include "keyspace/snapshot_target.h"
#include "persist/file_writer.h"
#include "persist/rdb_file.h"

namespace kvasir {

// Serialises what it is given and hands it to a file writer, chunk by chunk.
class RdbFileTarget final : public SnapshotTarget, private ChunkSink {
 public:
  struct Options {
    RdbHeader header;  // header.libraries need be valid until begin()
    RdbAccess access = RdbAccess::kNone;
    // Waits when too much is with the writer. Otherwise who delivers looks at FileWriter::crowded().
    bool wait = false;
  };
  // The keyspace tells idle times, access counts and sizes of slots; it and the writer outlive this.
  RdbFileTarget(Keyspace* ks, FileWriter* writer, Options options)
      : ks_(*ks), writer_(*writer), options_(std::move(options)) {}

  void begin(std::span<const Size> databases) override;
  // False: the writer has failed, or the file's version cannot hold the value; unstorable() then tells which
  // it was.
  bool entry(int db, int slot, const Entry& e) override;
  // The writer is told that all has come.
  void end() override;

  // The database and the key that could not be written.
  [[nodiscard]] int unstorable_db() const { return db_; }
  [[nodiscard]] const std::optional<std::string>& unstorable() const { return unstorable_; }

 private:
  struct Part {
    Size size;
    bool begun = false;
  };
  void next() override;
  RdbWriter out() { return {this, writer_.compresses()}; }
  void select(int db);
  void enter_slot(int slot);

  Keyspace& ks_;
  FileWriter& writer_;
  Options options_;
  std::unique_ptr<Chunk> chunk_;  // ChunkSink::chunk
  std::vector<Part> databases_;
  int db_ = -1;
  int slot_ = -1;
  bool failed_ = false;  // the writer has
  std::optional<std::string> unstorable_;
};

// Delivers everything to the target at once: the loop stands still meanwhile. `after_each` is called between
// entries. False: the target wanted no more.
bool deliver_all(Keyspace& ks, SnapshotTarget& target, const std::function<void()>& after_each);

}  // namespace kvasir
