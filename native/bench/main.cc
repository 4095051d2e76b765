// kvasir-load: the load generator of `npm run bench`. See options.cc for its command line.

#include <sched.h>
#include <sys/resource.h>

#include <cstdio>
#include <memory>
#include <string>

#include "driver.h"
#include "numbers.h"
#include "options.h"
#include "process_clock.h"
#include "request.h"

namespace {

using kvasir::load::Options;
using kvasir::load::Probe;
using kvasir::load::Result;

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      char escaped[8];
      snprintf(escaped, sizeof(escaped), "\\u%04x", static_cast<unsigned char>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void print_json(const Options& o, const Result& r) {
  const double requests = r.requests > 0 ? static_cast<double>(r.requests) : 1;
  printf("{\n");
  printf("  \"clients\": %u,\n  \"pipeline\": %u,\n  \"rate\": %g,\n", o.clients, o.pipeline, o.rate);
  printf("  \"keyspace\": %llu,\n  \"valueSize\": %zu,\n", static_cast<unsigned long long>(o.keyspace),
         o.value_size);
  printf("  \"seconds\": %.6f,\n  \"requests\": %llu,\n", r.seconds,
         static_cast<unsigned long long>(r.requests));
  printf("  \"throughput\": %.1f,\n", r.seconds > 0 ? static_cast<double>(r.requests) / r.seconds : 0);
  printf("  \"errors\": %llu,\n", static_cast<unsigned long long>(r.replies.errors));
  printf("  \"firstError\": %s,\n",
         r.replies.errors > 0 ? json_string(r.replies.first_error).c_str() : "null");
  printf("  \"nulls\": %llu,\n", static_cast<unsigned long long>(r.replies.nulls));
  if (o.subscribers > 0) printf("  \"messages\": %llu,\n", static_cast<unsigned long long>(r.messages));
  if (!o.probe.empty()) {
    printf("  \"probes\": [");
    for (size_t i = 0; i < r.probes.size(); i++) {
      const Probe::Sample& p = r.probes[i];
      printf("%s[%lld, %lld, %lld]", i == 0 ? "" : ", ", static_cast<long long>(p.sent_us),
             static_cast<long long>(p.answered_us), static_cast<long long>(p.sum));
    }
    printf("],\n");
  }
  printf("  \"unanswered\": %llu,\n", static_cast<unsigned long long>(r.unanswered));
  printf("  \"bytesIn\": %llu,\n", static_cast<unsigned long long>(r.bytes_in));
  printf(
      "  \"latencyUs\": {\"count\": %llu, \"mean\": %.3f, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, "
      "\"p999\": %.3f, \"max\": %.3f},\n",
      static_cast<unsigned long long>(r.latency.total()), r.latency.mean() / 1e3,
      static_cast<double>(r.latency.percentile(50)) / 1e3,
      static_cast<double>(r.latency.percentile(90)) / 1e3,
      static_cast<double>(r.latency.percentile(99)) / 1e3,
      static_cast<double>(r.latency.percentile(99.9)) / 1e3, static_cast<double>(r.latency.max()) / 1e3);
  printf("  \"loadCpuUs\": %.1f,\n  \"loadCpuUsPerRequest\": %.4f,\n",
         static_cast<double>(r.load_cpu_ns) / 1e3, static_cast<double>(r.load_cpu_ns) / 1e3 / requests);
  printf("  \"loadWaitedUs\": %.1f", static_cast<double>(r.load_waited_ns) / 1e3);
  if (o.server_pid > 0) {
    printf(",\n  \"serverCpuUs\": %.1f,\n  \"serverCpuUsPerRequest\": %.4f,\n  \"serverWaitedUs\": %.1f",
           static_cast<double>(r.server_cpu_ns) / 1e3, static_cast<double>(r.server_cpu_ns) / 1e3 / requests,
           static_cast<double>(r.server_waited_ns) / 1e3);
  }
  printf("\n}\n");
}

void print_requests(const Options& o) {
  using namespace kvasir::load;
  Workload workload(o.mix, 1, make_data(o.value_size), o.seed);
  Numbers numbers(o.keyspace, o.sequential, o.seed, static_cast<uint64_t>(wall_us()));
  for (uint64_t i = 0; i < o.print; i++) {
    const std::string_view bytes = workload.next().prepare(1, numbers, 0);
    fwrite(bytes.data(), 1, bytes.size(), stdout);
  }
}

bool pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string error;
  if (!kvasir::load::parse_options(argc, argv, options, error)) {
    if (error.empty()) {
      fputs(kvasir::load::kUsage, stdout);
      return 0;
    }
    fprintf(stderr, "kvasir-load: %s\n", error.c_str());
    return 2;
  }
  if (options.print > 0) {
    print_requests(options);
    return 0;
  }
  if (options.cpu >= 0 && !pin(options.cpu)) {
    fprintf(stderr, "kvasir-load: cannot pin to CPU %d\n", options.cpu);
    return 2;
  }
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  // On the heap: the histogram and the batches are too large for comfort on a stack.
  const auto result = std::make_unique<Result>();
  kvasir::load::Driver driver(options);
  if (!driver.run(*result, error)) {
    fprintf(stderr, "kvasir-load: %s\n", error.c_str());
    return 1;
  }
  print_json(options, *result);
  return 0;
}
