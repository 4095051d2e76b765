// The parts of kvasir-load that its figures depend on: percentiles, templates, and counting replies.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "check.h"
#include "histogram.h"
#include "options.h"
#include "reply_scanner.h"
#include "request.h"

using namespace kvasir::load;

namespace {

bool within(uint64_t have, double want) { return std::abs(static_cast<double>(have) - want) <= want * 0.008; }

std::string resp(const std::vector<std::string>& arguments) {
  std::string out = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& a : arguments) out += "$" + std::to_string(a.size()) + "\r\n" + a + "\r\n";
  return out;
}

bool options_from(std::vector<std::string> arguments, Options& out, std::string& error) {
  std::vector<char*> argv{const_cast<char*>("kvasir-load")};
  for (std::string& a : arguments) argv.push_back(a.data());
  return parse_options(static_cast<int>(argv.size()), argv.data(), out, error);
}

}  // namespace

TEST(histogram_is_exact_for_small_values) {
  Histogram h;
  for (int i = 1; i <= 100; i++) h.record(i);
  CHECK_EQ(h.percentile(50), 50u);
  CHECK_EQ(h.percentile(99), 99u);
  CHECK_EQ(h.percentile(99.9), 100u);
  CHECK_EQ(h.percentile(0), 1u);
  CHECK_EQ(h.max(), 100u);
  CHECK_EQ(h.mean(), 50.5);
}

TEST(histogram_keeps_its_relative_error_over_the_whole_range) {
  for (uint64_t v = 1; v < uint64_t{1} << 47; v = v * 3 + 1) {
    Histogram h;
    h.record(static_cast<int64_t>(v));
    h.record(static_cast<int64_t>(v * 2));
    CHECK(within(h.percentile(50), static_cast<double>(v)));
    CHECK(h.percentile(50) >= v);
    CHECK_EQ(h.percentile(100), v * 2);
  }
}

TEST(histogram_weights_and_clamps) {
  Histogram h;
  CHECK_EQ(h.percentile(50), 0u);
  h.record(1000, 999);
  h.record(5'000'000);
  CHECK(within(h.percentile(99.9), 1000));
  CHECK_EQ(h.percentile(99.99), 5'000'000u);
  h.record(-5);
  h.record(INT64_MAX);
  CHECK_EQ(h.max(), (uint64_t{1} << 48) - 1);
  CHECK_EQ(h.percentile(0), 0u);
  h.clear();
  CHECK_EQ(h.total(), 0u);
}

TEST(templates_expand) {
  Batch batch;
  batch.append({"SET", "{a}:__rand_int__:__rand_int__", "<__data__>"}, "xyz");
  KeySource keys(1000, true, 1);
  CHECK_EQ(batch.prepare(1, keys), resp({"SET", "{a}:000000000000:000000000001", "<xyz>"}));
  CHECK_EQ(batch.prepare(1, keys), resp({"SET", "{a}:000000000002:000000000003", "<xyz>"}));
}

TEST(sequential_keys_count_exactly_and_wrap) {
  Batch batch;
  for (int i = 0; i < 4; i++) batch.append({"GET", "key:__rand_int__"}, "");
  KeySource keys(6, true, 1);
  batch.prepare(4, keys);
  CHECK_EQ(batch.prepare(3, keys), resp({"GET", "key:000000000004"}) + resp({"GET", "key:000000000005"}) +
                                       resp({"GET", "key:000000000000"}));
}

TEST(random_keys_stay_inside_the_keyspace_and_reach_all_of_it) {
  Batch batch;
  batch.append({"__rand_int__"}, "");
  KeySource keys(150, false, 42);
  std::set<std::string> seen;
  for (int i = 0; i < 5000; i++) seen.emplace(batch.prepare(1, keys));
  CHECK_EQ(seen.size(), 150u);
  CHECK_EQ(*seen.rbegin(), resp({"000000000149"}));
}

TEST(wide_keyspaces_use_all_digits) {
  Batch batch;
  batch.append({"__rand_int__"}, "");
  KeySource keys(kMaxKeyspace, false, 42);
  uint64_t largest = 0;
  for (int i = 0; i < 1000; i++) {
    largest = std::max<uint64_t>(largest, std::stoull(std::string(batch.prepare(1, keys).substr(9, 12))));
  }
  CHECK(largest > 990'000'000'000);
}

TEST(mixes_keep_their_weights) {
  for (const size_t depth : {size_t{1}, size_t{16}, size_t{64}}) {
    Workload workload(parse_mix("mixed:80/20"), depth, "v", 3);
    KeySource keys(10, false, 1);
    size_t gets = 0;
    size_t sets = 0;
    const size_t rounds = workload.batches().size();
    for (size_t i = 0; i < rounds; i++) {
      const std::string_view bytes = workload.next().prepare(depth, keys);
      for (size_t at = 0; (at = bytes.find("GET", at)) != std::string_view::npos; at++) gets++;
      for (size_t at = 0; (at = bytes.find("SET", at)) != std::string_view::npos; at++) sets++;
    }
    CHECK_EQ(gets + sets, rounds * depth);
    CHECK_EQ(gets, sets * 4);
  }
}

TEST(mix_names) {
  CHECK_EQ(parse_mix("mset:10")[0].command.size(), 21u);
  CHECK_EQ(parse_mix("mget:3")[0].command.size(), 4u);
  for (const char* bad : {"", "sett", "mset", "mset:0", "mset:x", "mixed:80", "mixed:0/1", "mixed:80/20x"}) {
    CHECK(parse_mix(bad).empty());
  }
}

TEST(scanner_counts_however_the_stream_is_cut) {
  const std::string stream =
      "+OK\r\n:12\r\n$5\r\na\r\nb\n\r\n$-1\r\n$0\r\n\r\n-ERR "
      "no\r\n*3\r\n$1\r\nx\r\n*2\r\n:1\r\n:2\r\n*0\r\n*-1\r\n*0\r\n";
  for (size_t step = 1; step <= stream.size(); step++) {
    ReplyScanner scanner;
    ReplyScanner::Counts counts;
    int64_t done = 0;
    for (size_t at = 0; at < stream.size(); at += step) {
      const int64_t n = scanner.feed(stream.data() + at, std::min(step, stream.size() - at), counts);
      CHECK(n >= 0);
      done += n;
    }
    CHECK_EQ(done, 9);
    CHECK_EQ(counts.replies, 9u);
    CHECK_EQ(counts.errors, 1u);
    CHECK_EQ(counts.nulls, 2u);
    CHECK_EQ(counts.first_error, "ERR no");
  }
}

TEST(scanner_refuses_what_is_not_resp) {
  for (const std::string bad :
       {"HTTP/1.1 200\r\n", "$x\r\n", "$-2\r\n", "+OK\n", "\r\n", "$99999999999999999999\r\n"}) {
    ReplyScanner scanner;
    ReplyScanner::Counts counts;
    CHECK_EQ(scanner.feed(bad.data(), bad.size(), counts), -1);
  }
  ReplyScanner scanner;
  ReplyScanner::Counts counts;
  const std::string endless(128 * 1024, '+');
  CHECK_EQ(scanner.feed(endless.data(), endless.size(), counts), -1);
}

TEST(options) {
  Options o;
  std::string error;
  CHECK(options_from({"--fill", "500", "--pipeline", "16"}, o, error));
  CHECK(o.sequential);
  CHECK_EQ(o.requests, 500u);
  CHECK_EQ(o.keyspace, 500u);
  CHECK_EQ(o.mix[0].command[0], "SET");
  Options rated;
  CHECK(options_from({"--rate", "100", "--requests", "250", "--", "LPUSH", "l", "__data__"}, rated, error));
  CHECK_EQ(rated.seconds, 2.5);
  CHECK_EQ(rated.mix[0].command.size(), 3u);
  for (const std::vector<std::string>& bad :
       std::vector<std::vector<std::string>>{{"--port", "0"},
                                             {"--port", "70000"},
                                             {"--port"},
                                             {"--bogus", "1"},
                                             {"--mix", "none"},
                                             {"--"},
                                             {"--clients", "5x"},
                                             {"--fill", "5", "--warmup", "1"}}) {
    Options scratch;
    error.clear();
    CHECK(!options_from(bad, scratch, error));
    CHECK(!error.empty());
  }
}

TEST_MAIN()
