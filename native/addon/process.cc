#include "process.h"

#include <malloc.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "addon_values.h"
#include "base/background.h"
#include "base/clock.h"

namespace kvasir {

namespace {

// unixDatagramSend(path, data): sd_notify and syslog. '@' begins a name in the abstract namespace.
Napi::Value unix_datagram_send(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  const std::string data = info[1].ToString().Utf8Value();
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  bool sent = false;
  if (!path.empty() && path.size() < sizeof a.sun_path) {
    memcpy(a.sun_path, path.data(), path.size());
    socklen_t len = offsetof(sockaddr_un, sun_path) + path.size();
    if (path[0] == '@') {
      a.sun_path[0] = 0;
    } else {
      len++;
    }
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
      sent = sendto(fd, data.data(), data.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&a), len) ==
             static_cast<ssize_t>(data.size());
      ::close(fd);
    }
  }
  return Napi::Boolean::New(info.Env(), sent);
}

// setOpenFilesLimit(n): '' or the text of errno.
Napi::Value set_open_files_limit(const Napi::CallbackInfo& info) {
  const auto n = static_cast<rlim_t>(info[0].ToNumber().Int64Value());
  const rlimit l{n, n};
  const int r = setrlimit(RLIMIT_NOFILE, &l);
  return Napi::String::New(info.Env(), r == 0 ? "" : strerror(errno));
}

Napi::Value disable_transparent_huge_pages(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
}

// keepLargeObjectsInHeap(): objects up to 32 MB come from malloc's heap from the first on, not from mappings
// of their own: no page faults for each anew, and huge pages (malloc_heap.h). What is freed at its end is
// kept up to 32 MB. For the whole process.
void keep_large_objects_in_heap(const Napi::CallbackInfo&) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 32 << 20);
#endif
}

// setThreadCpus(thread, cpus): where a thread may run, 'main' or 'background'. '' or the text of errno.
Napi::Value set_thread_cpus(const Napi::CallbackInfo& info) {
  const bool main = info[0].ToString().Utf8Value() == "main";
  const auto list = info[1].As<Napi::Array>();
  cpu_set_t set;
  CPU_ZERO(&set);
  for (uint32_t i = 0; i < list.Length(); i++) {
    const uint32_t cpu = list.Get(i).ToNumber().Uint32Value();
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  }
  const auto pin = [set] { return sched_setaffinity(0, sizeof set, &set); };
  if (!main) run_in_background([pin] { pin(); });
  return Napi::String::New(info.Env(), !main || pin() == 0 ? "" : strerror(errno));
}

// execute(path, argv): replaces this process (DEBUG RESTART). Returns the text of errno if that failed.
Napi::Value execute(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  const Napi::Array list = info[1].As<Napi::Array>();
  std::vector<std::string> words;
  for (uint32_t i = 0; i < list.Length(); i++) words.push_back(list.Get(i).ToString().Utf8Value());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  // Nothing but the standard streams is inherited.
  for (int fd = 3; fd < 65536; fd++) ::close(fd);
  execv(path.c_str(), argv.data());
  return Napi::String::New(info.Env(), strerror(errno));
}

// Where the command line and the environment lie, one behind the other: what ps shows is read from there. The
// environment's strings move away at the first call, so that a title has room for both.
struct TitleRoom {
  char* start = nullptr;
  size_t size = 0;
  TitleRoom() {
    unsigned long from = 0, to = 0;  // NOLINT(google-runtime-int): what %lu reads
    FILE* const f = fopen("/proc/self/stat", "re");
    if (f == nullptr) return;
    // Fields 48 and 51, counted behind the name, which may hold anything.
    char line[4096];
    const size_t n = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[n] = 0;
    const char* at = strrchr(line, ')');
    for (int field = 2; at != nullptr && field <= 51; field++) {
      if (field == 48) from = strtoul(at, nullptr, 10);
      if (field == 51) to = strtoul(at, nullptr, 10);
      at = strchr(at, ' ');
      if (at != nullptr) at++;
    }
    if (from == 0 || to <= from) return;
    start = reinterpret_cast<char*>(from);
    size = to - from;
    size_t count = 0;
    while (environ[count] != nullptr) count++;
    auto** const copy = static_cast<char**>(calloc(count + 1, sizeof(char*)));
    for (size_t i = 0; i < count; i++) copy[i] = strdup(environ[i]);
    environ = copy;
  }
};

// setTitle(text): what ps shows as the command line. False: there is no room for it.
Napi::Value set_title(const Napi::CallbackInfo& info) {
  static const TitleRoom room;
  const std::string title = latin1_bytes(info[0]);
  if (title.size() + 1 >= room.size) return Napi::Boolean::New(info.Env(), false);
  memset(room.start, 0, room.size);
  memcpy(room.start, title.data(), title.size());
  return Napi::Boolean::New(info.Env(), true);
}

// cpuUsage(): µs of [system, user] of the process, of its ended children, and of this thread.
Napi::Value cpu_usage(const Napi::CallbackInfo& info) {
  Napi::Array out = Napi::Array::New(info.Env(), 6);
  uint32_t n = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD}) {
    rusage u{};
    getrusage(who, &u);
    for (const timeval& t : {u.ru_stime, u.ru_utime}) {
      out.Set(n++, Napi::Number::New(info.Env(),
                                     static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec)));
    }
  }
  return out;
}

std::string compiler_version() {
  return std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + "." +
         std::to_string(__GNUC_PATCHLEVEL__);
}

// Which clock measures durations, as Valkey names it.
std::string clock_name() {
  if (!clock_detail::has_counter) return "POSIX clock_gettime";
  constexpr uint64_t kMany = 1000000000;
  const double per_us = static_cast<double>(kMany) * 1000 / static_cast<double>(ticks_to_ns(kMany));
  char text[64];
#if defined(__aarch64__)
  snprintf(text, sizeof text, "ARM CNTVCT @ %.0f ticks/us", per_us);
#else
  snprintf(text, sizeof text, "X86 TSC @ %.2f ticks/us", per_us);
#endif
  return text;
}

}  // namespace

void define_process_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("unixDatagramSend", Napi::Function::New(env, unix_datagram_send));
  exports.Set("setOpenFilesLimit", Napi::Function::New(env, set_open_files_limit));
  exports.Set("setThreadCpus", Napi::Function::New(env, set_thread_cpus));
  exports.Set("keepLargeObjectsInHeap", Napi::Function::New(env, keep_large_objects_in_heap));
  exports.Set("disableTransparentHugePages", Napi::Function::New(env, disable_transparent_huge_pages));
  exports.Set("setTitle", Napi::Function::New(env, set_title));
  exports.Set("cpuUsage", Napi::Function::New(env, cpu_usage));
  exports.Set("compilerVersion", Napi::String::New(env, compiler_version()));
  exports.Set("clockName", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                return Napi::String::New(info.Env(), clock_name());
              }));
  exports.Set("execute", Napi::Function::New(env, execute));
}

}  // namespace kvasir
