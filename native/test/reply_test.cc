#include "resp/reply.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/alloc.h"
#include "base/rng.h"
#include "check.h"
#include "output_script.h"

using namespace kvasir;

namespace {

// What a reply looks like in the given protocol.
std::string text(uint8_t resp, const std::function<void(Reply&)>& write) {
  ReplyArena arena;
  Output out;
  Reply reply(&out, &arena);
  reply.resp = resp;
  write(reply);
  std::string s;
  iovec iov[64];
  const int n = out.peek(iov, 64);
  for (int i = 0; i < n; i++) s.append(static_cast<const char*>(iov[i].iov_base), iov[i].iov_len);
  CHECK_EQ(s.size(), out.bytes());
  return s;
}

}  // namespace

TEST(output_is_what_was_put_in) {
  Rng rng(11);
  for (int round = 0; round < 400; round++) {
    test::OutputScript script([&](size_t n) { return static_cast<size_t>(rng.next() % n); });
    const bool ok = script.run(1 + rng.next() % 60);
    CHECK(ok);
    if (!ok) {
      std::cerr << "round " << round << "\n";
      return;
    }
  }
}

TEST(arena_hands_out_distinct_bytes_and_keeps_a_few_chunks) {
  ReplyArena arena;
  const auto take = [&arena](size_t n, char fill) {
    char* p = arena.reserve(n);
    memset(p, fill, n);
    arena.commit(n);
    return Slice(p, n);
  };
  size_t resting = 0;
  for (int turn = 0; turn < 6; turn++) {
    CHECK(!arena.crowded());
    std::vector<Slice> taken;
    for (int i = 0; i < 200; i++) {
      // Every now and then more than a chunk holds.
      const size_t n = i % 50 == 49 ? 1'000'000 : 20'000;
      taken.push_back(take(n, static_cast<char>('a' + i % 26)));
    }
    CHECK(arena.crowded());
    for (size_t i = 0; i < taken.size(); i++) {
      const char want = static_cast<char>('a' + i % 26);
      CHECK(std::all_of(taken[i].data, taken[i].end(), [want](char c) { return c == want; }));
    }
    arena.reset();
    const size_t used = mem_used();
    if (turn > 0) CHECK_EQ(used, resting);
    resting = used;
  }
  CHECK_EQ(take(5, 'x').str(), "xxxxx");
  CHECK(!arena.crowded());
}

TEST(lengths_of_every_width) {
  for (const size_t n : {0, 1, 9, 10, 99, 100, 12345}) {
    const std::string value(n, 'v');
    std::string bulk = std::to_string(n) + "\r\n";
    const std::string array = std::string("*").append(bulk);
    bulk.append(value).append("\r\n").insert(bulk.begin(), '$');
    CHECK_EQ(text(2, [&](Reply& r) { r.bulk(value); }), bulk);
    CHECK_EQ(text(2, [&](Reply& r) { r.array(static_cast<int64_t>(n)); }), array);
  }
}

TEST(both_protocols) {
  const auto both = [](const std::function<void(Reply&)>& write) {
    return text(2, write) + "|" + text(3, write);
  };
  CHECK_EQ(both([](Reply& r) { r.null(); }), "$-1\r\n|_\r\n");
  CHECK_EQ(both([](Reply& r) { r.null_array(); }), "*-1\r\n|_\r\n");
  CHECK_EQ(both([](Reply& r) { r.boolean(true); }), ":1\r\n|#t\r\n");
  CHECK_EQ(both([](Reply& r) { r.map(2); }), "*4\r\n|%2\r\n");
  CHECK_EQ(both([](Reply& r) { r.set(3); }), "*3\r\n|~3\r\n");
  CHECK_EQ(both([](Reply& r) { r.push(1); }), "*1\r\n|>1\r\n");
  CHECK_EQ(both([](Reply& r) { r.real(1.5); }), "$3\r\n1.5\r\n|,1.5\r\n");
  CHECK_EQ(both([](Reply& r) { r.real(INFINITY); }), "$3\r\ninf\r\n|,inf\r\n");
  CHECK_EQ(both([](Reply& r) { r.big_number("123"); }), "$3\r\n123\r\n|(123\r\n");
  CHECK_EQ(both([](Reply& r) { r.verbatim("abc", "txt"); }), "$3\r\nabc\r\n|=7\r\ntxt:abc\r\n");
  CHECK_EQ(both([](Reply& r) {
             const auto m = r.begin_aggregate();
             r.integer(12);
             r.end_map(m, 1);
           }),
           "*2\r\n:12\r\n|%1\r\n:12\r\n");
}

TEST(a_long_string_goes_out_as_it_lies_in_its_buffer_where_there_is_room) {
  const std::string x(20000, 'x');
  for (const size_t spare : {size_t{0}, size_t{2}}) {
    StrBuf* b = StrBuf::create(x.size() + spare);
    // The capacity may be more than was asked for.
    const size_t size = b->capacity() - spare;
    b->set_size(size);
    memset(b->data(), 'x', size);
    const std::string expect = "$" + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
    ReplyArena arena;
    Output out;
    Reply reply(&out, &arena);
    reply.bulk(b, b->slice());
    CHECK_EQ(out.ref_bytes(), spare == 0 ? size : expect.size());
    CHECK_EQ(reply.written(), expect.size());
    std::string sent;
    iovec iov[4];
    const int n = out.peek(iov, 4);
    CHECK_EQ(n, spare == 0 ? 3 : 1);
    for (int i = 0; i < n; i++) sent.append(static_cast<const char*>(iov[i].iov_base), iov[i].iov_len);
    CHECK(sent == expect);
    out.clear();
    // A part of it stands in front of other bytes.
    reply.bulk(b, Slice(b->data(), size - 1));
    CHECK_EQ(out.ref_bytes(), size - 1);
    out.clear();
    b->release();
  }
}

TEST(errors_are_one_line_and_counted) {
  CHECK_EQ(text(2,
                [](Reply& r) {
                  r.error("WRONGTYPE a\r\nb\n");
                  CHECK_EQ(r.errors(), 1U);
                  CHECK(r.last_error() == Slice("WRONGTYPE"));
                }),
           "-WRONGTYPE a  b\r\n");
  CHECK_EQ(text(2, [](Reply& r) { r.errorf("ERR %s", std::string(2000, 'x').c_str()); }),
           "-ERR " + std::string(2000, 'x') + "\r\n");
}

TEST(a_muted_reply_counts_errors_and_writes_nothing) {
  CHECK_EQ(text(3,
                [](Reply& r) {
                  r.muted = true;
                  r.bulk("x");
                  const auto m = r.begin_aggregate();
                  r.error("ERR no");
                  r.end_array(m, 1);
                  StrBuf* b = StrBuf::copy_of(Slice(std::string(100000, 'x')));
                  r.bulk(b, b->slice());
                  CHECK_EQ(b->refs(), 1U);
                  b->release();
                  CHECK_EQ(r.errors(), 1U);
                }),
           "");
}

TEST_MAIN()
