// The parts of kvasir-load that its figures depend on: percentiles, templates, and counting replies.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "check.h"
#include "histogram.h"
#include "numbers.h"
#include "options.h"
#include "probe.h"
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
  batch.append({{"SET", "{a}:__rand_int__:__rand_int__", "<__data__>"}}, "xyz");
  Numbers keys(1000, true, 1, 0);
  CHECK_EQ(batch.prepare(1, keys, 0), resp({"SET", "{a}:000000000000:000000000001", "<xyz>"}));
  CHECK_EQ(batch.prepare(1, keys, 0), resp({"SET", "{a}:000000000002:000000000003", "<xyz>"}));
}

TEST(numbers_of_every_kind) {
  std::vector<Command> commands;
  std::string error;
  CHECK(parse_sequence({"XADD", "s:__client__", "__serial__", "__rand:10-12__"}, commands, error));
  Batch batch;
  batch.append(commands, "");
  Numbers numbers(10, true, 1, 1'764'000'000'000'000);
  std::set<std::string> drawn;
  for (int i = 0; i < 100; i++) {
    const std::string bytes(batch.prepare(1, numbers, 42));
    drawn.insert(bytes.substr(bytes.size() - 4, 2));
    const std::string serial = std::to_string(1'764'000'000'000'000 + i);
    CHECK_EQ(bytes, resp({"XADD", "s:000000000042", serial, *drawn.find(bytes.substr(bytes.size() - 4, 2))}));
  }
  CHECK(drawn == (std::set<std::string>{"10", "11", "12"}));
}

TEST(ranges_are_as_wide_as_their_end_and_last_refers_to_them) {
  std::vector<Command> commands;
  std::string error;
  CHECK(parse_sequence({"ZRANGE", "z:__rand_int__", "__rand:5-100__", "__last+99__"}, commands, error));
  Batch batch;
  batch.append(commands, "");
  batch.append(commands, "");
  Numbers numbers(1, true, 1, 0);
  for (int i = 0; i < 1000; i++) {
    const std::string bytes(batch.prepare(2, numbers, 0));
    for (const std::string& half : {bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)}) {
      const int first = std::stoi(half.substr(half.size() - 14, 3));
      CHECK(first >= 5 && first <= 100);
      CHECK_EQ(std::stoi(half.substr(half.size() - 5, 3)), first + 99);
    }
  }
}

TEST(sequences_are_one_request) {
  std::vector<Command> commands;
  std::string error;
  CHECK(parse_sequence({"MULTI", ";", "SET", "a", "__data__", ";", "EXEC"}, commands, error));
  CHECK_EQ(commands.size(), 3u);
  Workload workload({{commands, 1}}, 2, "v", 1);
  CHECK_EQ(workload.replies(), 3u);
  Numbers numbers(1, true, 1, 0);
  const std::string once = resp({"MULTI"}) + resp({"SET", "a", "v"}) + resp({"EXEC"});
  CHECK_EQ(workload.next().prepare(2, numbers, 0), once + once);
  CHECK(parse_sequence({"publish", "c", "a", ";", "PUBLISH", "c", "b"}, commands, error));
  CHECK_EQ(Workload({{commands, 1}}, 1, "", 1).publishes(), 2u);
}

TEST(malformed_templates_are_refused) {
  std::vector<Command> commands;
  for (const std::vector<std::string>& bad :
       std::vector<std::vector<std::string>>{{},
                                             {";"},
                                             {"GET", "a", ";"},
                                             {";", "GET", "a"},
                                             {"GET", "a", ";", ";", "GET"},
                                             {"GET", "__rand:5__"},
                                             {"GET", "__rand:6-5__"},
                                             {"GET", "__rand:-5__"},
                                             {"GET", "__rand:1-5x__"},
                                             {"GET", "__last+1__"},
                                             {"GET", "__rand_int__", "__last+1__"}}) {
    std::string error;
    CHECK(!parse_sequence(bad, commands, error));
    CHECK(!error.empty());
  }
  std::string error;
  // Text that only looks like a placeholder stays as it is.
  CHECK(parse_sequence({"GET", "__init__", "___rand_int__", "__"}, commands, error));
  Batch batch;
  batch.append(commands, "");
  Numbers numbers(10, true, 1, 0);
  CHECK_EQ(batch.prepare(1, numbers, 0), resp({"GET", "__init__", "_000000000000", "__"}));
}

TEST(probe_sums_integers_however_they_arrive) {
  Probe probe({{"HLEN", "a"}, {"HLEN", "b"}});
  CHECK(probe.used() && !probe.waiting());
  CHECK(!Probe({}).used());
  std::vector<Probe::Sample> samples;
  CHECK_EQ(probe.ask(100), resp({"HLEN", "a"}) + resp({"HLEN", "b"}));
  CHECK(probe.waiting());
  CHECK(probe.feed(":12\r\n:", 110, samples));
  CHECK(samples.empty() && probe.waiting());
  CHECK(probe.feed("30\r\n", 120, samples));
  CHECK(!probe.waiting());
  CHECK_EQ(samples.size(), 1u);
  CHECK_EQ(samples[0].sent_us, 100);
  CHECK_EQ(samples[0].answered_us, 120);
  CHECK_EQ(samples[0].sum, 42);
  CHECK(!probe.feed(":1\r\n", 130, samples));
  Probe refused(std::vector<Command>{Command{"HLEN", "a"}});
  refused.ask(140);
  CHECK(!refused.feed("-ERR no\r\n", 150, samples));
}

TEST(sequential_keys_count_exactly_and_wrap) {
  Batch batch;
  for (int i = 0; i < 4; i++) batch.append({{"GET", "key:__rand_int__"}}, "");
  Numbers keys(6, true, 1, 0);
  batch.prepare(4, keys, 0);
  CHECK_EQ(batch.prepare(3, keys, 0), resp({"GET", "key:000000000004"}) + resp({"GET", "key:000000000005"}) +
                                          resp({"GET", "key:000000000000"}));
}

TEST(random_keys_stay_inside_the_keyspace_and_reach_all_of_it) {
  Batch batch;
  batch.append({{"__rand_int__"}}, "");
  Numbers keys(150, false, 42, 0);
  std::set<std::string> seen;
  for (int i = 0; i < 5000; i++) seen.emplace(batch.prepare(1, keys, 0));
  CHECK_EQ(seen.size(), 150u);
  CHECK_EQ(*seen.rbegin(), resp({"000000000149"}));
}

TEST(wide_keyspaces_use_all_digits) {
  Batch batch;
  batch.append({{"__rand_int__"}}, "");
  Numbers keys(kMaxKeyspace, false, 42, 0);
  uint64_t largest = 0;
  for (int i = 0; i < 1000; i++) {
    largest = std::max<uint64_t>(largest, std::stoull(std::string(batch.prepare(1, keys, 0).substr(9, 12))));
  }
  CHECK(largest > 990'000'000'000);
}

TEST(mixes_keep_their_weights) {
  for (const size_t depth : {size_t{1}, size_t{16}, size_t{64}}) {
    Workload workload(parse_mix("mixed:80/20"), depth, "v", 3);
    Numbers keys(10, false, 1, 0);
    size_t gets = 0;
    size_t sets = 0;
    const size_t rounds = workload.batches().size();
    for (size_t i = 0; i < rounds; i++) {
      const std::string_view bytes = workload.next().prepare(depth, keys, 0);
      for (size_t at = 0; (at = bytes.find("GET", at)) != std::string_view::npos; at++) gets++;
      for (size_t at = 0; (at = bytes.find("SET", at)) != std::string_view::npos; at++) sets++;
    }
    CHECK_EQ(gets + sets, rounds * depth);
    CHECK_EQ(gets, sets * 4);
  }
}

TEST(mix_names) {
  CHECK_EQ(parse_mix("mset:10")[0].commands[0].size(), 21u);
  CHECK_EQ(parse_mix("mget:3")[0].commands[0].size(), 4u);
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
  CHECK_EQ(o.mix[0].commands[0][0], "SET");
  Options rated;
  CHECK(options_from({"--rate", "100", "--requests", "250", "--", "LPUSH", "l", "__data__"}, rated, error));
  CHECK_EQ(rated.seconds, 2.5);
  CHECK_EQ(rated.mix[0].commands[0].size(), 3u);
  Options probed;
  CHECK(options_from({"--probe", "HLEN a ;  HLEN b", "--probe-ms", "2.5", "--subscribers", "3", "--channel",
                      "c", "--", "GET", "a", ";", "GET", "b"},
                     probed, error));
  CHECK_EQ(probed.probe.size(), 2u);
  CHECK_EQ(probed.probe[1][1], "b");
  CHECK_EQ(probed.mix[0].commands.size(), 2u);
  for (const std::vector<std::string>& bad :
       std::vector<std::vector<std::string>>{{"--port", "0"},
                                             {"--port", "70000"},
                                             {"--port"},
                                             {"--bogus", "1"},
                                             {"--mix", "none"},
                                             {"--"},
                                             {"--clients", "5x"},
                                             {"--probe", " ; "},
                                             {"--subscribers", "2", "--mix", "mixed:1/1"},
                                             {"--", "GET", ";"},
                                             {"--fill", "5", "--warmup", "1"}}) {
    Options scratch;
    error.clear();
    CHECK(!options_from(bad, scratch, error));
    CHECK(!error.empty());
  }
}

TEST_MAIN()
