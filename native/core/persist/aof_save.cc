#include "persist/aof_save.h"

#include <utility>

#include "persist/aof_object.h"

namespace kvasir {

void AofFileTarget::begin(std::span<const Size> /*databases*/) {
  chunk_ = writer_.take_chunk();
  if (second_ != 0) aof_write_time(&chunk_->bytes, second_);
  AofCommands out(&chunk_->bytes);
  for (const std::string& source : libraries_) aof_write_library(out, source);
}

bool AofFileTarget::entry(int db, int /*slot*/, const Entry& e) {
  AofCommands out(&chunk_->bytes);
  if (db != db_) aof_write_select(out, db);
  db_ = db;
  aof_write_entry(out, e);
  if (chunk_->size() >= ChunkSink::kChunkBytes) {
    writer_.push(std::move(chunk_));
    chunk_ = writer_.take_chunk();
  }
  return true;
}

void AofFileTarget::end() {
  writer_.push(std::move(chunk_));
  writer_.finish();
}

}  // namespace kvasir
