// A snapshot becomes the base of an append-only file in the form of commands (persist/aof_object.h).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "keyspace/snapshot_target.h"
#include "persist/file_writer.h"

namespace kvasir {

// Hands the commands to a file writer, chunk by chunk; who delivers looks at FileWriter::crowded().
class AofFileTarget final : public SnapshotTarget {
 public:
  // The writer outlives this; libraries (sources of functions) need be valid until begin().
  // second: the file begins with an annotation of that time; 0: it does not.
  AofFileTarget(FileWriter* writer, std::span<const std::string> libraries, int64_t second)
      : writer_(*writer), libraries_(libraries), second_(second) {}

  void begin(std::span<const Size> databases) override;
  bool entry(int db, int slot, const Entry& e) override;
  // The writer is told that all has come.
  void end() override;

 private:
  FileWriter& writer_;
  std::span<const std::string> libraries_;
  int64_t second_;
  std::unique_ptr<Chunk> chunk_;
  int db_ = -1;
};

}  // namespace kvasir
