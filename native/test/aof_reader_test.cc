// The reader of append-only files: every file however it is cut, and what it refuses.
#include "persist/aof_reader.h"

#include <unistd.h>

#include <string>
#include <thread>

#include "check.h"

using namespace kvasir;

namespace {

struct Outcome {
  std::vector<std::vector<std::string>> commands;
  std::string end;  // "end", "torn", "bad"
  uint64_t offset = 0;
};

// The file comes through a pipe in pieces of n bytes.
Outcome read(const std::string& file, size_t n) {
  int fds[2];
  CHECK_EQ(pipe(fds), 0);
  std::thread writer([&file, n, fd = fds[1]] {
    for (size_t i = 0; i < file.size(); i += n) {
      const size_t len = std::min(n, file.size() - i);
      if (::write(fd, file.data() + i, len) != static_cast<ssize_t>(len)) break;
    }
    ::close(fd);
  });
  Outcome out;
  AofReader reader(fds[0], 0);
  while (out.end.empty()) {
    std::vector<Slice> argv;
    switch (reader.next(&argv)) {
      case AofReader::Next::kCommand:
        out.commands.emplace_back();
        for (const Slice& s : argv) out.commands.back().push_back(s.str());
        out.offset = reader.offset();
        break;
      case AofReader::Next::kBadFormat:
        out.end = "bad";
        break;
      case AofReader::Next::kMore:
        switch (reader.refill()) {
          case AofReader::Refill::kMore:
            break;
          case AofReader::Refill::kEnd:
            out.end = "end";
            break;
          case AofReader::Refill::kTorn:
            out.end = "torn";
            break;
          case AofReader::Refill::kError:
            out.end = "error";
            break;
        }
        break;
    }
  }
  // The writer must not be left with a pipe that nobody reads.
  if (out.end == "bad") {
    char rest[4096];
    while (::read(fds[0], rest, sizeof rest) > 0) {
    }
  }
  writer.join();
  return out;
}

const std::string kSet = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nvv\r\n";

}  // namespace

TEST(commands_and_annotations) {
  const std::string file = "#TS:1\r\n" + kSet + "#TS:2\r\n#x\n" + kSet + "*1\r\n$0\r\n\r\n#TS:3\r\n";
  for (const size_t n : {size_t{1}, size_t{7}, file.size()}) {
    const Outcome out = read(file, n);
    CHECK_EQ(out.end, "end");
    CHECK_EQ(out.commands.size(), 3U);
    CHECK_EQ(out.commands[1][2], "vv");
    CHECK_EQ(out.commands[2][0], "");
    CHECK_EQ(out.offset, file.size() - 7);
  }
}

TEST(a_file_that_is_cut_anywhere_is_torn_or_whole) {
  const std::string file = kSet + "#TS:1\r\n" + kSet;
  for (size_t cut = 0; cut <= file.size(); cut++) {
    const Outcome out = read(file.substr(0, cut), 1024);
    const bool whole = cut == 0 || cut == kSet.size() || cut == kSet.size() + 7 || cut == file.size();
    CHECK_EQ(out.end, whole ? "end" : "torn");
    CHECK_EQ(out.commands.size(), cut == file.size() ? 2U : cut >= kSet.size() ? 1U : 0U);
  }
}

TEST(what_is_no_command) {
  for (const char* bad : {"!!!", "*0\r\n", "*-1\r\n$1\r\n", "*x\r\n", "*1\n$1\r\na\r\n", "*1\r\n+1\r\na\r\n",
                          "*1\r\n$1\r\nab\r\n", "*1\r\n$-1\r\n", "*1\r\n$1\r\na\n\n", "PING\r\n",
                          "*9999999999999999999\r\n", "*1\r\n$\r\n", "\r\n"}) {
    const Outcome out = read(kSet + bad, 5);
    CHECK_EQ(out.end, "bad");
    CHECK_EQ(out.offset, kSet.size());
  }
  CHECK_EQ(read("#" + std::string(2000, 'x') + "\n", 100).end, "bad");
}

TEST(arguments_larger_than_the_buffer) {
  const std::string big(3000000, 'b');
  std::string many = "*100001\r\n$4\r\nMSET\r\n";
  for (int i = 0; i < 100000; i++) many += "$3\r\nabc\r\n";
  const Outcome out = read("*2\r\n$4\r\nECHO\r\n$3000000\r\n" + big + "\r\n" + many, 65536);
  CHECK_EQ(out.end, "end");
  CHECK_EQ(out.commands.size(), 2U);
  CHECK_EQ(out.commands[0][1], big);
  CHECK_EQ(out.commands[1].size(), 100001U);
}

TEST(a_length_is_not_believed) {
  CHECK_EQ(read("*1\r\n$100000000000000000\r\nabc", 100).end, "torn");
  CHECK_EQ(read("*100000000000000000\r\n$1\r\na\r\n", 100).end, "torn");
}

TEST_MAIN()
