// The writer of the append-only file: what is in the file after a flush, in all policies, and what happens
// when the disk takes no more.
#include "persist/aof_writer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "check.h"

using namespace kvasir;

namespace {

struct Told : AofListener {
  std::vector<std::string> lines;
  void aof_log(bool, const std::string& text) override { lines.push_back(text); }
  void aof_latency(const char*, uint64_t) override {}
  [[nodiscard]] bool has(const std::string& part) const {
    for (const std::string& l : lines) {
      if (l.find(part) != std::string::npos) return true;
    }
    return false;
  }
};

// A file that is gone with the test.
class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/kvasir-aof-XXXXXX";
    close(mkstemp(name));
    path_ = name;
  }
  ~Scratch() { unlink(path_.c_str()); }
  [[nodiscard]] int open() const { return ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0666); }
  [[nodiscard]] std::string read() const {
    std::ifstream in(path_);
    std::stringstream s;
    s << in.rdbuf();
    return s.str();
  }

 private:
  std::string path_;
};

// Files cannot grow beyond a size while this lives: what a full disk looks like to a writer.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~SizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

std::string bulk(const std::string& s) { return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n"; }
std::string set(const std::string& k, const std::string& v) {
  return "*3\r\n" + bulk("SET") + bulk(k) + bulk(v);
}
std::string select(int db) { return "*2\r\n" + bulk("SELECT") + bulk(std::to_string(db)); }

struct Bench {
  PropagationStream stream;
  Told told;
  Scratch file;
  AofWriter aof{&stream, &told};
  explicit Bench(FsyncPolicy policy) {
    aof.set_policy(policy);
    aof.open(file.open(), 1000);
  }
  uint64_t add(const std::string& k, const std::string& v, int db = 0) {
    const Slice argv[] = {"SET", k, v};
    return stream.append(db, argv);
  }
};

}  // namespace

TEST(what_is_flushed_is_in_the_file) {
  for (const FsyncPolicy policy : {FsyncPolicy::kNo, FsyncPolicy::kAlways, FsyncPolicy::kEverysec}) {
    Bench b(policy);
    b.add("a", "1");
    b.add("b", std::string(100000, 'x'));
    CHECK_EQ(b.file.read(), "");
    CHECK(b.aof.flush(1001));
    CHECK_EQ(b.file.read(), select(0) + set("a", "1") + set("b", std::string(100000, 'x')));
    CHECK_EQ(b.aof.size(), b.file.read().size());
    CHECK_EQ(b.aof.waiting(), 0U);
    CHECK(b.aof.flush(1002));
    CHECK_EQ(b.aof.synced_offset() == b.stream.offset(), policy == FsyncPolicy::kAlways);
  }
}

TEST(everysec_syncs_what_was_written_last_although_nothing_follows) {
  Bench b(FsyncPolicy::kEverysec);
  b.add("a", "1");
  CHECK(b.aof.flush(1500));
  CHECK_EQ(b.aof.synced_offset(), 0U);
  CHECK(b.aof.flush(2100));
  while (b.aof.pending_syncs() > 0) usleep(100);
  CHECK_EQ(b.aof.synced_offset(), b.stream.offset());
}

TEST(another_file_begins_with_a_select) {
  Bench b(FsyncPolicy::kEverysec);
  b.add("a", "1", 3);
  CHECK(b.aof.flush(1001, true));
  const Scratch next;
  b.aof.open(next.open(), 1002);
  b.add("b", "2", 3);
  CHECK(b.aof.flush(1003));
  CHECK_EQ(b.file.read(), select(3) + set("a", "1"));
  CHECK_EQ(next.read(), select(3) + set("b", "2"));
}

TEST(a_file_that_exists_is_continued) {
  const Scratch file;
  PropagationStream stream;
  Told told;
  for (int i = 0; i < 2; i++) {
    AofWriter aof(&stream, &told);
    aof.open(file.open(), 1);
    const Slice argv[] = {"SET", "k", "v"};
    stream.append(0, argv);
    aof.stop(2);
  }
  CHECK_EQ(file.read(), select(0) + set("k", "v") + select(0) + set("k", "v"));
  CHECK(!stream.active());
}

TEST(seconds_stand_before_the_commands_that_ran_in_them) {
  Bench b(FsyncPolicy::kNo);
  b.aof.note_time(100);
  b.add("a", "1");
  b.aof.note_time(100);
  b.add("b", "2");
  b.aof.note_time(101);
  b.aof.note_time(102);
  CHECK(b.aof.flush(1));
  const std::string before = "#TS:100\r\n" + select(0) + set("a", "1") + set("b", "2");
  // Nothing has happened in second 102 yet.
  CHECK_EQ(b.file.read(), before);
  b.add("c", "3");
  CHECK(b.aof.flush(2));
  CHECK_EQ(b.file.read(), before + "#TS:102\r\n" + set("c", "3"));
}

TEST(what_is_for_replicas_only_is_left_out) {
  Bench b(FsyncPolicy::kNo);
  b.aof.note_time(7);
  b.add("a", "1");
  b.aof.exclude(b.add("p", "1"));
  b.aof.exclude(b.add("q", "1"));
  b.aof.note_time(8);
  b.add("b", "2");
  b.aof.exclude(b.add("r", "1"));
  CHECK(b.aof.flush(1));
  CHECK_EQ(b.file.read(), "#TS:7\r\n" + select(0) + set("a", "1") + "#TS:8\r\n" + set("b", "2"));
  CHECK_EQ(b.aof.waiting(), 0U);
}

TEST(a_short_write_is_undone_and_tried_again) {
  Bench b(FsyncPolicy::kEverysec);
  b.aof.note_time(5);
  b.add("a", "1");
  CHECK(b.aof.flush(1001));
  const std::string before = b.file.read();
  b.aof.note_time(6);
  b.add("b", std::string(50000, 'x'));
  {
    const SizeLimit full(20000);
    CHECK(b.aof.flush(1002));
    CHECK_EQ(b.file.read(), before);
    CHECK_EQ(b.aof.write_error(), ENOSPC);
    CHECK(b.told.has("Short write while writing to the AOF file"));
    CHECK(!b.aof.torn());
  }
  {
    const SizeLimit full(static_cast<rlim_t>(before.size()));
    CHECK(b.aof.flush(1003));
    CHECK_EQ(b.aof.write_error(), EFBIG);
  }
  CHECK(b.aof.flush(1004));
  CHECK_EQ(b.aof.write_error(), 0);
  CHECK(b.told.has("AOF write error looks solved"));
  CHECK_EQ(b.file.read(), before + "#TS:6\r\n" + set("b", std::string(50000, 'x')));
}

TEST(always_does_not_survive_a_full_disk) {
  Bench b(FsyncPolicy::kAlways);
  b.add("a", std::string(5000, 'x'));
  const SizeLimit full(100);
  CHECK(!b.aof.flush(1001));
  CHECK(b.told.has("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."));
}

TEST(what_a_full_disk_did_not_take_goes_to_the_next_file) {
  Bench b(FsyncPolicy::kEverysec);
  b.add("a", "1", 4);
  CHECK(b.aof.flush(1001));
  b.add("b", "2", 4);
  const Scratch next;
  {
    const SizeLimit full(30);
    CHECK(b.aof.flush(1002));
    CHECK(b.aof.write_error() != 0);
    b.aof.open(next.open(), 1003);
  }
  CHECK(b.aof.flush(1004));
  CHECK_EQ(next.read(), select(4) + set("b", "2"));
  CHECK_EQ(b.aof.write_error(), 0);
}

TEST_MAIN()
