#include "persist/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>

#include "base/crc64.h"
#include "check.h"
#include "persist/rdb_io.h"
#include "rdb_fixture.h"

using namespace kvasir;
using namespace kvasir::test;

namespace {

class Sink : public ChunkSink {
 public:
  explicit Sink(FileWriter* w) : writer(*w) { take(); }
  void next() override {
    writer.push(std::move(own));
    writer.wait_for_room();
    take();
    chunks++;
  }
  void take() {
    own = writer.take_chunk();
    chunk = own.get();
  }
  FileWriter& writer;
  std::unique_ptr<Chunk> own;
  int chunks = 0;
};

std::string words(size_t n) {
  std::string s;
  for (size_t i = 0; s.size() < n; i++) s += "word " + std::to_string(i % 17) + " ";
  s.resize(n);
  return s;
}

}  // namespace

TEST(chunks_become_what_the_direct_writer_writes) {
  for (const bool compress : {true, false}) {
    const std::string path = temporary_path();
    FileWriter::Options options;
    options.compress = compress;
    FileWriter writer(open(path.c_str(), O_WRONLY | O_CLOEXEC), options);
    Sink sink(&writer);
    std::string expected;
    RdbWriter direct(&expected, compress);
    for (int i = 0; i < 3000; i++) {
      // Made anew each time, as entries are: a full chunk may have been replaced.
      RdbWriter deferred(&sink, compress);
      const std::string text = words(static_cast<size_t>(i % 700));
      deferred.byte(7);
      direct.byte(7);
      deferred.string(text);
      direct.string(text);
      if (i % 100 != 0) continue;
      const StrRef big(StrBuf::copy_of(words(20000 + static_cast<size_t>(i) * 100)));
      deferred.string(big.get());
      direct.string(big->slice());
      CHECK(!big->unique() || sink.chunks > 0);
    }
    CHECK(sink.chunks > 3);
    sink.own->checksum_follows = true;
    writer.push(std::move(sink.own));
    writer.finish();
    writer.wait();
    CHECK(writer.error().operation == nullptr);
    direct.le64(crc64(expected));
    CHECK(contents(path) == expected);
    CHECK_EQ(writer.written(), expected.size());
    unlink(path.c_str());
  }
}

TEST(pinned_bytes_stay_what_they_were) {
  const std::string path = temporary_path();
  FileWriter writer(open(path.c_str(), O_WRONLY | O_CLOEXEC), {});
  Sink sink(&writer);
  StrBuf* text = StrBuf::copy_of(std::string(100000, 'x'));
  RdbWriter(&sink, false).string(text);
  CHECK(!text->unique());
  // Who writes to it now gets a copy.
  text = StrBuf::ensure_capacity(text, 100001);
  memset(text->data(), 'y', text->size());
  text->release();
  writer.push(std::move(sink.own));
  writer.finish();
  writer.wait();
  Data unused;
  const std::string bytes = contents(path);
  std::string scratch;
  Slice read;
  RdbInput in(bytes);
  CHECK(in.string(&read, &scratch));
  CHECK(read == Slice(std::string(100000, 'x')));
  unlink(path.c_str());
}

TEST(a_full_disk) {
  const int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  std::atomic<int> told = 0;
  FileWriter::Options options;
  options.notify = [&] { told++; };
  FileWriter writer(fd, options);
  Sink sink(&writer);
  for (int i = 0; i < 100000; i++) RdbWriter(&sink, false).string(words(500));
  writer.finish();
  writer.wait();
  CHECK_EQ(std::string(writer.error().operation), std::string("rdbSaveRio"));
  CHECK_EQ(writer.error().number, ENOSPC);
  CHECK(told > 0);
}

TEST(abandoned) {
  const std::string path = temporary_path();
  {
    FileWriter writer(open(path.c_str(), O_WRONLY | O_CLOEXEC), {});
    Sink sink(&writer);
    for (int i = 0; i < 1000; i++) RdbWriter(&sink, false).string(words(500));
  }
  unlink(path.c_str());
}

TEST_MAIN()
