#include "resp/reply.h"

#include <cmath>

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
