// Runs the commands of an append-only file, in slices, as a client that is nobody: its commands are not
// checked against users and limits, nobody gets replies, and nothing is propagated. What was in MULTI runs at
// its EXEC or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands/client.h"
#include "engine/engine.h"
#include "persist/aof_reader.h"

namespace kvasir {

class AofLoader {
 public:
  enum class Status : uint8_t {
    kMore,       // call run() again
    kDone,       // the whole file has been run
    kTorn,       // it ends within a command or a transaction; valid_up_to() tells what of it is whole
    kBadFormat,  // what comes at offset() is no command
    kReadError,  // error()
    kBadCommand  // there is no such command, or it never takes so many arguments: error()
  };

  // Reads fd from its present position, which is `offset` in the file, and closes it in the end. The engine
  // is loading already and goes on until after the last file.
  AofLoader(Engine* engine, int fd, uint64_t offset);
  ~AofLoader();
  AofLoader(const AofLoader&) = delete;
  AofLoader& operator=(const AofLoader&) = delete;

  // Runs commands for about us microseconds.
  Status run(uint64_t us);

  [[nodiscard]] uint64_t offset() const { return reader_.offset(); }
  // Where the last command that was run ends, or the transaction that is not finished begins.
  [[nodiscard]] uint64_t valid_up_to() const { return client_.transaction ? before_multi_ : valid_up_to_; }
  [[nodiscard]] bool in_transaction() const { return client_.transaction != nullptr; }
  [[nodiscard]] const std::string& error() const { return error_; }

  static constexpr uint64_t kClientId = UINT64_MAX;

 private:
  static constexpr size_t kBatch = 16;  // commands whose keys are sent for together
  struct Item {
    size_t argv, argc;  // in argv_
    uint64_t end;       // offset behind it
    Pending pending;
  };
  Status read_batch();
  bool check(const Item& item);

  Engine* engine_;
  AofReader reader_;
  ReplyArena replies_;
  Client client_;
  std::vector<Slice> argv_;
  std::vector<Item> batch_;
  uint64_t valid_up_to_, before_multi_;
  std::string error_;
};

}  // namespace kvasir
