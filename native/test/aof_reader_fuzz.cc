// Any bytes as an append-only file, in one piece and cut up: the same commands must come out, which say what
// the bytes say, and the same verdict.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "persist/aof_reader.h"

using namespace kvasir;

namespace {

void require(bool ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "aof_reader_fuzz: %s\n", what);
  abort();
}

struct Outcome {
  std::vector<std::string> commands;  // as they must stand in the file
  AofReader::Refill end = AofReader::Refill::kEnd;
  bool bad = false;
  uint64_t offset = 0;
};

std::string encoded(const std::vector<Slice>& argv) {
  std::string s = "*" + std::to_string(argv.size()) + "\r\n";
  for (const Slice& a : argv) {
    s.append("$").append(std::to_string(a.size)).append("\r\n").append(a.data, a.size).append("\r\n");
  }
  return s;
}

// The file comes in pieces of at most n bytes.
Outcome read(const std::string& file, size_t n) {
  int fds[2];
  require(pipe(fds) == 0, "pipe");
  Outcome out;
  size_t sent = 0;
  bool open = true;
  AofReader reader(fds[0], 0);
  const auto feed = [&] {
    const size_t len = std::min(n, file.size() - sent);
    if (len > 0) {
      require(::write(fds[1], file.data() + sent, len) == static_cast<ssize_t>(len), "write");
      sent += len;
    } else if (open) {
      ::close(fds[1]);
      open = false;
    }
  };
  for (bool going = true; going;) {
    std::vector<Slice> argv;
    switch (reader.next(&argv)) {
      case AofReader::Next::kCommand:
        out.commands.push_back(encoded(argv));
        break;
      case AofReader::Next::kBadFormat:
        require(argv.empty(), "arguments of no command");
        out.bad = true;
        going = false;
        break;
      case AofReader::Next::kMore:
        require(argv.empty(), "arguments of half a command");
        feed();
        out.end = reader.refill();
        going = out.end == AofReader::Refill::kMore;
        break;
    }
  }
  if (open) ::close(fds[1]);
  out.offset = reader.offset();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // What fits into a pipe needs nobody to empty it.
  if (size < 1 || size > 32768) return 0;
  const std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(file, file.size() + 1);
  const Outcome cut = read(file, 1 + data[0] % 7);
  require(whole.commands == cut.commands, "cut up, it has other commands");
  require(whole.bad == cut.bad && (whole.bad || whole.end == cut.end), "cut up, it ends otherwise");
  require(whole.offset <= file.size(), "it goes on behind the end");
  size_t at = 0;
  for (const std::string& command : whole.commands) {
    const size_t found = file.find(command, at);
    require(found != std::string::npos, "a command that the file does not have");
    at = found + command.size();
  }
  return 0;
}
