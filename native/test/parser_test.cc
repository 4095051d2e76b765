#include "resp/parser.h"

#include <functional>

#include "base/rng.h"
#include "check.h"
#include "parser_driver.h"

using namespace kvasir;
using kvasir::test::Parsed;
using kvasir::test::ParserDriver;

namespace {

RequestParser::Limits limits(bool authenticated = true) {
  RequestParser::Limits l;
  l.max_bulk = 1 << 20;
  l.authenticated = authenticated;
  return l;
}

// next_size says how many bytes the next read brings; several reads may share a turn only as the reactor
// allows: one.
Parsed parse(const std::string& stream, const RequestParser::Limits& l,
             const std::function<size_t()>& next_size,
             const std::function<void(RequestParser&)>& between = {}) {
  ParserDriver d(l);
  for (size_t at = 0; at < stream.size();) {
    const size_t n = std::min(std::max<size_t>(1, next_size()), stream.size() - at);
    if (!d.read(stream.data() + at, n)) break;
    d.end_turn();
    if (between) between(d.parser());
    at += n;
  }
  return d.parsed();
}

Parsed whole(const std::string& stream, bool authenticated = true) {
  return parse(stream, limits(authenticated), [&] { return stream.size(); });
}

std::string multibulk(const std::vector<std::string>& argv) {
  std::string s = "*" + std::to_string(argv.size()) + "\r\n";
  for (const std::string& a : argv) s += "$" + std::to_string(a.size()) + "\r\n" + a + "\r\n";
  return s;
}

std::string text_of(const std::vector<std::string>& argv) {
  std::string s;
  for (const std::string& a : argv) s += "[" + a + "]";
  return s;
}

size_t below(Rng& rng, size_t n) { return static_cast<size_t>(rng.next() % n); }

std::string random_bytes(Rng& rng, size_t n) {
  std::string s(n, 0);
  for (char& c : s) c = static_cast<char>(rng.next());
  return s;
}

// Requests of all kinds and sizes; sometimes one that is wrong.
std::string random_stream(Rng& rng) {
  std::string s;
  for (size_t n = 1 + below(rng, 8); n > 0; n--) {
    switch (below(rng, 12)) {
      case 0:
        s += "\r\n";
        break;
      case 1:
        s += "*0\r\n";
        break;
      case 2:
        s += "*-1\r\n";
        break;
      case 3:
        s += "set 'a b' \"c\\x41\\n\"  d\"e\"f\r\n";
        break;
      case 4:
        s += "ping\n";
        break;
      case 5: {
        std::vector<std::string> argv;
        for (size_t i = 1000 + below(rng, 200); i > 0; i--) argv.push_back(random_bytes(rng, below(rng, 4)));
        s += multibulk(argv);
        break;
      }
      case 6:
        s += multibulk({"set", "k", random_bytes(rng, 30000 + below(rng, 10000))});
        break;
      case 7:
        s += multibulk(
            {"mset", random_bytes(rng, 40000), random_bytes(rng, 33000), "x", random_bytes(rng, 70000)});
        break;
      case 8:
        if (below(rng, 4) == 0) s += random_bytes(rng, 20);
        break;
      case 9:
        if (below(rng, 4) == 0) {
          const char* wrong[] = {
              "*1\r\n:4\r\nping\r\n", "*2\r\n$4\r\npingXX", "*1\r\n$2000000\r\n", "*x\r\n",     "*1\rX",
              "*2147483648\r\n",      "set \"a\r\n",        "*1\r\n$-1\r\n",      "*1\r\n$1\rX"};
          s += wrong[below(rng, std::size(wrong))];
        }
        break;
      default: {
        std::vector<std::string> argv;
        for (size_t i = 1 + below(rng, 5); i > 0; i--) argv.push_back(random_bytes(rng, below(rng, 40)));
        s += multibulk(argv);
      }
    }
  }
  return s;
}

}  // namespace

TEST(any_split_gives_the_same_requests) {
  Rng rng(7);
  for (int round = 0; round < 300; round++) {
    const std::string stream = random_stream(rng);
    const bool authenticated = below(rng, 5) != 0;
    const Parsed expected = whole(stream, authenticated);
    const size_t longest = size_t{1} << below(rng, 17);
    const Parsed split = parse(
        stream, limits(authenticated), [&] { return 1 + below(rng, longest); },
        [&](RequestParser& p) {
          if (below(rng, 8) == 0) p.trim(below(rng, 2) == 0);
        });
    CHECK(split == expected);
    if (!(split == expected)) {
      std::cerr << "round " << round << ": " << expected.requests.size() << " and " << split.requests.size()
                << " requests, errors " << static_cast<int>(expected.error) << " and "
                << static_cast<int>(split.error) << "\n";
      return;
    }
  }
}

TEST(every_cut_of_a_short_stream) {
  const std::string stream =
      multibulk({"set", "", "v\r\nw"}) + "get 'x'\r\n*0\r\n" + multibulk({"ping"}) + "*1\r\n:3\r\n";
  const Parsed expected = whole(stream);
  CHECK_EQ(expected.requests.size(), 3U);
  CHECK(expected.error == ParseError::kExpectedDollar);
  CHECK_EQ(expected.got, ':');
  for (size_t a = 1; a < stream.size(); a++) {
    for (size_t b = 1; b < stream.size(); b += 3) {
      bool first = true;
      CHECK(parse(stream, limits(), [&] { return first ? (first = false, a) : b; }) == expected);
    }
  }
}

TEST(inline_arguments) {
  const auto argv = [](const std::string& line) {
    const Parsed p = whole(line);
    return p.requests.size() == 1 ? text_of(p.requests[0]) : std::string("none");
  };
  CHECK_EQ(argv("set a b\r\n"), "[set][a][b]");
  CHECK_EQ(argv("  set\ta\v b  \n"), "[set][a\v][b]");
  CHECK_EQ(argv("a \"\" ''\r\n"), "[a][][]");
  CHECK_EQ(argv("\"\"\"tes\"t-'k'e\"y\" x\r\n"), "[test-key][x]");
  CHECK_EQ(argv("a \"\\x41\\n\\\"\\q\"\r\n"), "[a][A\n\"q]");
  CHECK_EQ(argv("a '\\'b\\n'\r\n"), "[a]['b\\n]");
  CHECK(whole("a \"b\r\n").error == ParseError::kUnbalancedQuotes);
  CHECK(whole("a 'b'c'd\r\n").error == ParseError::kUnbalancedQuotes);
  // Nothing ends a line behind a NUL.
  CHECK_EQ(whole(std::string("a\0b\r\nping\r\n", 11)).requests.size(), 0U);
}

TEST(long_lines_are_refused_at_one_length) {
  const auto inline_of = [](size_t n) { return whole(std::string(n, 'a') + "\n"); };
  CHECK_EQ(inline_of(kInlineMax).requests.size(), 1U);
  CHECK(inline_of(kInlineMax + 1).error == ParseError::kBigInline);
  CHECK(whole("*" + std::string(kInlineMax, '1') + "\r\n").error == ParseError::kBigMultibulkCount);
  CHECK(whole("*1\r\n$" + std::string(kInlineMax, '1') + "\r\n").error == ParseError::kBigBulkCount);
  CHECK(whole("*1\r\n$" + std::string(kInlineMax - 2, '1') + "\r\n").error == ParseError::kBulkLength);
}

TEST(unauthenticated_limits) {
  CHECK(whole("*11\r\n", false).error == ParseError::kUnauthMultibulkLength);
  CHECK(whole("*10\r\n", false).error == ParseError::kNone);
  CHECK(whole("*1\r\n$16385\r\n", false).error == ParseError::kUnauthBulkLength);
  CHECK(whole("*1\r\n$16384\r\n", false).error == ParseError::kNone);
}

TEST(a_big_argument_is_read_to_its_place) {
  RequestParser parser;
  ArgArena args;
  const std::string value(100000, 'v');
  const std::string head = "*3\r\n$3\r\nset\r\n$1\r\nk\r\n$100000\r\n";
  parser.keep(head.data(), head.size());
  Request r;
  CHECK(parser.parse_pending(limits(), &args, &r) == ParseResult::kMore);
  CHECK(parser.reading_big());
  CHECK(parser.held() == head.size());
  size_t room = 0;
  char* to = parser.read_buffer(1, &room);
  CHECK_EQ(room, value.size() + 2);
  memcpy(to, value.data(), 5);
  parser.did_read(5);
  parser.trim(true);
  CHECK(parser.room() < 50000);
  to = parser.read_buffer(1, &room);
  CHECK_EQ(room, value.size() + 2 - 5);
  memcpy(to, value.data() + 5, value.size() - 5);
  memcpy(to + value.size() - 5, "\r\n", 2);
  parser.did_read(room);
  CHECK(parser.parse_pending(limits(), &args, &r) == ParseResult::kRequest);
  CHECK(r.bufs != nullptr && r.bufs[2] != nullptr && r.bufs[0] == nullptr);
  CHECK(r.argv[2] == Slice(value));
  CHECK_EQ(r.wire_bytes, head.size() + value.size() + 2);
  r.bufs[2]->release();
  parser.compact();
  CHECK(!parser.has_pending());
}

TEST(a_guess_changes_nothing_but_where_the_argument_stands) {
  const std::string alike = multibulk({"set", "key:1", std::string(40, 'v')});
  const Shape shape{static_cast<uint32_t>(alike.size() - 42), 40};
  const std::string streams[] = {
      alike,
      alike + alike,
      multibulk({"set", "key:22", std::string(40, 'v')}),  // a longer head
      multibulk({"set", "key:1", std::string(41, 'v')}),
      multibulk({"set", "key:1", std::string(4, 'v')}) + alike,
      multibulk({"ping"}) + alike + multibulk({"ping"}),
      "set key:1 " + std::string(60, 'v') + "\r\n",
      alike.substr(0, alike.size() - 1) + "X",  // no CRLF
      "*3\r\n$3\r\nset\r\n$5\r\nkey:1\r\n:40\r\n" + std::string(42, 'v'),
      "*9\r\n$3\r\nset\r\n$5\r\nkey:1\r\n$40\r\n" + std::string(42, 'v'),
  };
  size_t adopted = 0;
  for (const std::string& stream : streams) {
    const Parsed expected = whole(stream);
    for (size_t first = 1; first <= stream.size(); first++) {
      test::ParserDriver driver(limits());
      bool good = driver.read(stream.data(), first, shape);
      driver.end_turn();
      if (good && first < stream.size()) driver.read(stream.data() + first, stream.size() - first, shape);
      CHECK(driver.parsed() == expected);
      adopted += driver.adopted;
    }
  }
  CHECK(adopted > 2 * 42);
}

TEST(a_shape_is_that_of_a_long_last_argument) {
  const auto shape_of = [](const std::string& stream) {
    RequestParser parser;
    ArgArena args;
    const char* p = stream.data();
    Request r;
    CHECK(parser.parse(&p, stream.data() + stream.size(), limits(), &args, &r) == ParseResult::kRequest);
    return Shape::of(r);
  };
  const std::string value(10000, 'v');
  CHECK(shape_of(multibulk({"set", "k", value})) == (Shape{28, 10000}));
  CHECK(shape_of(multibulk({"set", value, "v"})) == Shape());
  CHECK(shape_of(multibulk({"set", "k", "v"})) == Shape());
  CHECK(shape_of(multibulk({value})) == Shape());
}

TEST(buffers_are_given_back) {
  RequestParser parser;
  const std::string part = "*2\r\n$3\r\nget\r\n$100";
  parser.keep(part.data(), part.size());
  CHECK(parser.room() > 4096);
  parser.trim(false);
  CHECK(parser.room() > 4096);
  parser.trim(true);
  CHECK(parser.room() < 4096);
  CHECK_EQ(parser.pending_size(), part.size());
}

TEST_MAIN()
