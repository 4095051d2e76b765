#include "options.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace kvasir::load {

const char* const kUsage =
    R"(Usage: kvasir-load [options] [-- COMMAND ARG... [";" COMMAND ARG...]...]

Loads one RESP server from one thread and prints a JSON object with throughput, latency and errors.

  --host H --port P     TCP address (127.0.0.1, 6379)
  --socket PATH         Unix socket instead
  --clients N           connections (50)
  --pipeline N          requests sent together on a connection (1); with --rate: outstanding at most
  --requests N          end after N requests
  --seconds S           or after S seconds (3)
  --warmup S            seconds of the same load before measuring (0)
  --mix NAME            set, get, incr, ping, mset:N, mget:N or mixed:GETS/SETS (get)
  --keyspace N          keys are numbered from 0 to N-1 (1000000)
  --value-size N        bytes of __data__ (64)
  --sequential          number the keys in order instead of at random
  --fill N              write the keys 0 to N-1 once: --sequential --requests N --keyspace N, --mix set
  --rate R              open loop: R requests a second on a fixed timetable; latency counts from the
                        scheduled time, so a stall of the server is not hidden
  --subscribers N       more connections that subscribe to a channel and read what comes; every PUBLISH of the
                        load must go to it
  --channel NAME        the channel (news)
  --probe "COMMAND"     on a connection of its own, all through the run: a command, or several parted by " ; ",
                        that answer integers; reports their sum as a list of [sent, answered, sum], times in
                        microseconds since 1970
  --probe-ms MS         how often (10)
  --drain S             seconds to wait for outstanding replies at the end (10)
  --cpu N               pin this process to CPU N
  --server-pid PID      also report the CPU time of that process in the measured interval
  --seed N              seed of the random keys (1)
  --print N             print the first N requests as they would be sent, and exit

Commands parted by a lone ";" are sent together and count as one request. In an argument,

  __rand_int__          becomes a key number, 12 digits
  __rand:LOW-HIGH__     a random number of that range, as wide as HIGH
  __serial__            16 digits, rising with every use and from run to run (begins as microseconds since 1970)
  __last+N__            N more than the __rand:LOW-HIGH__ or __serial__ before it in the same request
  __client__            the number of the connection, from 0 on, 12 digits
  __data__              the value
)";

namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string_view::npos;) {
    const size_t end = std::min(text.find(' ', at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

template <typename T>
bool parse(std::string_view text, T low, T high, T& out) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high))
    return false;
  out = value;
  return true;
}

}  // namespace

bool parse_options(int argc, char** argv, Options& out, std::string& error) {
  uint64_t fill = 0;
  for (int i = 1; i < argc; i++) {
    const std::string_view name = argv[i];
    if (name == "--help") return false;
    if (name == "--sequential") {
      out.sequential = true;
      continue;
    }
    if (name == "--") {
      if (i + 1 == argc) {
        error = "no command after --";
        return false;
      }
      out.mix = {{{}, 1}};
      if (!parse_sequence({argv + i + 1, argv + argc}, out.mix[0].commands, error)) return false;
      break;
    }
    if (i + 1 == argc) {
      error = "unknown option or missing value: " + std::string(name);
      return false;
    }
    const std::string_view value = argv[++i];
    bool ok = true;
    if (name == "--host") {
      out.host = value;
    } else if (name == "--port") {
      ok = parse<uint16_t>(value, 1, 65535, out.port);
    } else if (name == "--socket") {
      out.socket = value;
    } else if (name == "--clients") {
      ok = parse<uint32_t>(value, 1, 100'000, out.clients);
    } else if (name == "--pipeline") {
      ok = parse<uint32_t>(value, 1, 100'000, out.pipeline);
    } else if (name == "--requests") {
      ok = parse<uint64_t>(value, 1, UINT64_MAX / 2, out.requests);
    } else if (name == "--seconds") {
      ok = parse<double>(value, 0.01, 1e6, out.seconds);
    } else if (name == "--warmup") {
      ok = parse<double>(value, 0, 1e6, out.warmup);
    } else if (name == "--mix") {
      out.mix = parse_mix(value);
      ok = !out.mix.empty();
    } else if (name == "--keyspace") {
      ok = parse<uint64_t>(value, 1, kMaxKeyspace, out.keyspace);
    } else if (name == "--value-size") {
      ok = parse<size_t>(value, 0, size_t{512} << 20, out.value_size);
    } else if (name == "--fill") {
      ok = parse<uint64_t>(value, 1, kMaxKeyspace, fill);
    } else if (name == "--rate") {
      ok = parse<double>(value, 0.001, 1e8, out.rate);
    } else if (name == "--subscribers") {
      ok = parse<uint32_t>(value, 1, 100'000, out.subscribers);
    } else if (name == "--channel") {
      out.channel = value;
    } else if (name == "--probe") {
      ok = parse_sequence(words_of(value), out.probe, error);
    } else if (name == "--probe-ms") {
      ok = parse<double>(value, 0.1, 1e6, out.probe_ms);
    } else if (name == "--drain") {
      ok = parse<double>(value, 0, 1e6, out.drain);
    } else if (name == "--cpu") {
      ok = parse<int>(value, 0, 1023, out.cpu);
    } else if (name == "--server-pid") {
      ok = parse<int>(value, 1, INT32_MAX, out.server_pid);
    } else if (name == "--seed") {
      ok = parse<uint64_t>(value, 0, UINT64_MAX, out.seed);
    } else if (name == "--print") {
      ok = parse<uint64_t>(value, 1, 1'000'000, out.print);
    } else {
      error = "unknown option: " + std::string(name);
      return false;
    }
    if (!ok) {
      if (error.empty()) error = "bad value for " + std::string(name) + ": " + std::string(value);
      return false;
    }
  }
  if (fill > 0) {
    out.sequential = true;
    out.requests = out.keyspace = fill;
    if (out.mix.empty()) out.mix = parse_mix("set");
  }
  if (out.mix.empty()) out.mix = parse_mix("get");
  if (out.requests > 0 && out.warmup > 0 && out.sequential) {
    error = "a warm-up would use up keys of a sequential run of fixed length";
    return false;
  }
  if (out.subscribers > 0 && out.mix.size() > 1) {
    error = "--subscribers needs a workload of one command";
    return false;
  }
  if (out.requests > 0 && out.rate > 0) out.seconds = static_cast<double>(out.requests) / out.rate;
  return true;
}

}  // namespace kvasir::load
