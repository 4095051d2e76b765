#include "stream/stream.h"

#include <memory>
#include <string>

#include "base/rng.h"
#include "check.h"

using namespace kvasir;

namespace {

std::string read_all(PropagationStream::Reader& r, size_t limit) {
  std::string out;
  iovec iov[4];
  while (out.size() < limit) {
    const int n = r.peek(iov, 4);
    if (n == 0) break;
    size_t took = 0;
    for (int i = 0; i < n && out.size() < limit; i++) {
      const size_t take = std::min(iov[i].iov_len, limit - out.size());
      out.append(static_cast<char*>(iov[i].iov_base), take);
      took += take;
    }
    r.consume(took);
  }
  return out;
}

}  // namespace

TEST(nothing_is_kept_without_readers) {
  PropagationStream s;
  const Slice argv[] = {"SET", "k", "v"};
  s.append(0, argv);
  CHECK_EQ(s.offset(), 0U);
  CHECK_EQ(s.held_bytes(), 0U);
}

TEST(select_goes_before_a_command_of_another_database) {
  PropagationStream s;
  PropagationStream::Reader r(&s);
  const Slice set[] = {"SET", "k", "v"};
  s.append(0, set);
  s.append(0, set);
  s.append(3, set);
  const std::string one = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
  CHECK_EQ(read_all(r, SIZE_MAX),
           "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n" + one + one + "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n" + one);
}

TEST(a_late_reader_starts_at_the_end_with_a_select) {
  PropagationStream s;
  auto first = std::make_unique<PropagationStream::Reader>(&s);
  const Slice set[] = {"SET", "k", "v"};
  s.append(2, set);
  PropagationStream::Reader second(&s);
  CHECK_EQ(second.pending(), 0U);
  s.append(2, set);
  CHECK(read_all(second, SIZE_MAX).rfind("*2\r\n$6\r\nSELECT", 0) == 0);
}

TEST(readers_of_all_speeds_see_the_same_bytes) {
  Rng rng(7);
  PropagationStream s;
  std::vector<std::unique_ptr<PropagationStream::Reader>> readers;
  std::vector<std::string> seen;
  std::vector<size_t> joined;
  // A model of the stream: what the reader that never lags has seen.
  PropagationStream::Reader witness(&s);
  std::string all;
  for (int step = 0; step < 4000; step++) {
    const std::string value(rng.below(20) == 0 ? rng.below(100000) : rng.below(50),
                            static_cast<char>('a' + step % 26));
    const Slice argv[] = {"SET", "key", value};
    s.append(static_cast<int>(rng.below(3)), argv);
    all += read_all(witness, SIZE_MAX);
    if (rng.below(100) == 0) {
      readers.push_back(std::make_unique<PropagationStream::Reader>(&s));
      seen.emplace_back();
      joined.push_back(all.size());
    }
    for (size_t i = 0; i < readers.size(); i++) {
      if (readers[i] && rng.below(3) == 0) seen[i] += read_all(*readers[i], rng.below(60000));
    }
    if (!readers.empty() && rng.below(200) == 0) readers[rng.below(readers.size())].reset();
  }
  for (size_t i = 0; i < readers.size(); i++) {
    if (!readers[i]) continue;
    seen[i] += read_all(*readers[i], SIZE_MAX);
    CHECK(all.compare(joined[i], std::string::npos, seen[i]) == 0);
    CHECK_EQ(readers[i]->pending(), 0U);
  }
  readers.clear();
  // Only the tail is held when everyone is at the end.
  CHECK(s.held_bytes() <= 200000);
}

TEST_MAIN()
