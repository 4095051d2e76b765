// Values as the commands that make them: the form of a base that is not an RDB file (aof-use-rdb-preamble
// no).
//
//   string  SET                     list  RPUSH      set  SADD      sorted set  ZADD
//   hash    HSETEX key PXAT ms FIELDS 1 field value for each field with a deadline, then HMSET
//   stream  XADD for each entry (or XADD MAXLEN 0 for none), XSETID, then for each group XGROUP CREATE, and
//   for
//           each of its consumers XCLAIM ... JUSTID FORCE for each pending entry, or XGROUP CREATECONSUMER
//   key with a deadline: PEXPIREAT at the end
//
// A command has 64 elements at most, so that loading never stands still for long.
#pragma once

#include <cstdint>
#include <string>

#include "keyspace/entry.h"

namespace kvasir {

// Writes commands as RESP arrays.
class AofCommands {
 public:
  static constexpr size_t kItemsPerCommand = 64;

  explicit AofCommands(std::string* out) : out_(out) {}

  // So many arguments, the name among them, must follow.
  void begin(size_t argc) { line('*', argc); }
  void arg(Slice s) {
    line('$', s.size);
    out_->append(s.data, s.size).append("\r\n", 2);
  }
  void arg(int64_t v);
  void arg(uint64_t v);
  // As scores are written: every digit that counts.
  void arg(double v);

 private:
  void line(char type, uint64_t n);
  std::string* out_;
};

// The annotation that dates what follows; Unix time.
void aof_write_time(std::string* out, int64_t second);
void aof_write_select(AofCommands& out, int db);
// A library of functions.
void aof_write_library(AofCommands& out, Slice source);
void aof_write_entry(AofCommands& out, const Entry& e);

}  // namespace kvasir
