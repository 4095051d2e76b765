#include "crash_report.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>

#include "addon_values.h"
#include "commands/client_info.h"
#include "commands/core.h"

namespace kvasir {

namespace {

constexpr int kFatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
// Seconds that asking about clients may take.
constexpr unsigned kPatience = 3;
constexpr int kFrames = 100;
constexpr size_t kShownArg = 128;

char logfile[PATH_MAX];  // empty: standard output
char version[32];
std::atomic<const Core*> subject{nullptr};
std::atomic<bool> reporting{false};

// Node handles faults in WebAssembly code by itself: V8 tells which those are.
using WasmTrap = bool (*)(int, siginfo_t*, void*);
WasmTrap wasm_trap = nullptr;

class Report {
 public:
  Report() {
    if (logfile[0] != 0) fd_ = open(logfile, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) fd_ = STDOUT_FILENO;
  }
  ~Report() {
    if (fd_ != STDOUT_FILENO) close(fd_);
  }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  void raw(const char* text, size_t size) const {
    while (size > 0) {
      const ssize_t n = write(fd_, text, size);
      if (n <= 0) return;
      text += n;
      size -= static_cast<size_t>(n);
    }
  }
  void raw(const char* text) const { raw(text, strlen(text)); }
  // A line with what every line of a signal handler begins with.
  void line(const char* format, ...) const __attribute__((format(printf, 2, 3))) {
    char text[1024];
    int n = snprintf(text, sizeof text, "%d:signal-handler (%lld) ", static_cast<int>(getpid()),
                     static_cast<long long>(time(nullptr)));
    va_list ap;
    va_start(ap, format);
    n += vsnprintf(text + n, sizeof text - static_cast<size_t>(n) - 1, format, ap);
    va_end(ap);
    n = std::min(n, static_cast<int>(sizeof text) - 2);
    text[n] = '\n';
    raw(text, static_cast<size_t>(n) + 1);
  }
  void stack() const {
    void* frames[kFrames];
    raw("\n------ STACK TRACE ------\nBacktrace:\n");
    backtrace_symbols_fd(frames, backtrace(frames, kFrames), fd_);
    raw("\n------ STACK TRACE DONE ------\n");
  }

 private:
  int fd_ = -1;
};

const void* instruction(const void* context) {
#if defined(__x86_64__)
  const auto* c = static_cast<const ucontext_t*>(context);
  return reinterpret_cast<const void*>(c->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  const auto* c = static_cast<const ucontext_t*>(context);
  return reinterpret_cast<const void*>(c->uc_mcontext.pc);
#else
  return nullptr;
#endif
}

void write_client(const Report& report, const Core& core) {
  const Client* c = core.executing;
  if (c == nullptr) return;
  const bool hide = core.settings.hide_user_data_from_log;
  report.raw("\n------ CURRENT CLIENT INFO ------\n");
  report.raw((client_info(core, *c, hide) + '\n').c_str());
  report.raw(("argc: '" + std::to_string(c->argv.size()) + "'\n").c_str());
  for (size_t i = 0; i < c->argv.size() && i < 32; i++) {
    // A command's name is no secret.
    const Slice arg = hide && i > 0 ? Slice("*redacted*") : c->argv[i];
    report.raw(("argv[" + std::to_string(i) + "]: '").c_str());
    report.raw(arg.data, std::min(arg.size, kShownArg));
    report.raw("'\n");
  }
}

void die_of(int sig) {
  signal(sig, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, sig);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  raise(sig);
}

void fatal_signal(int sig, siginfo_t* info, void* context) {
  if (sig == SIGSEGV && wasm_trap != nullptr && wasm_trap(sig, info, context)) return;
  if (reporting.exchange(true)) {
    Report().line("Crashed running signal handler. The report ends here.");
    die_of(sig);
    return;
  }
  const Report report;
  report.raw("\n\n=== VALKEY BUG REPORT START: Cut & paste starting from here ===\n");
  report.line("Valkey %s crashed by signal: %d, si_code: %d", version, sig, info->si_code);
  if (sig == SIGSEGV || sig == SIGBUS) report.line("Accessing address: %p", info->si_addr);
  if (info->si_code == SI_USER) {
    report.line("Killed by PID: %ld, UID: %u", static_cast<long>(info->si_pid), info->si_uid);
  }
  if (const void* at = instruction(context)) report.line("Crashed running the instruction at: %p", at);
  report.stack();
  signal(SIGALRM, SIG_DFL);
  alarm(kPatience);
  if (const Core* core = subject.load()) write_client(report, *core);
  alarm(0);
  report.raw("\n=== VALKEY BUG REPORT END. Make sure to include from START to END. ===\n\n");
  die_of(sig);
}

void alarm_signal(int, siginfo_t* info, void*) {
  const int saved = errno;
  const Report report;
  report.line("%s", info->si_pid == 0 ? "--- WATCHDOG TIMER EXPIRED ---" : "Received SIGALRM");
  report.stack();
  report.line("--------");
  errno = saved;
}

void handle(int sig, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_SIGINFO | flags;
  action.sa_sigaction = handler;
  sigaction(sig, &action, nullptr);
}

void copy_text(const Napi::Value& value, char* to, size_t size) {
  const std::string text = latin1_bytes(value);
  snprintf(to, size, "%s", text.c_str());
}

Napi::Value install(const Napi::CallbackInfo& info) {
  copy_text(info[0], logfile, sizeof logfile);
  copy_text(info[1], version, sizeof version);
  // The first backtrace loads a library, which a handler must not.
  void* frame[1];
  backtrace(frame, 1);
  wasm_trap =
      reinterpret_cast<WasmTrap>(dlsym(RTLD_DEFAULT, "_ZN2v829TryHandleWebAssemblyTrapPosixEiP9siginfo_tPv"));
  handle(SIGALRM, alarm_signal, SA_RESTART);
  if (info[2].ToBoolean().Value()) {
    // On the stack that Node gives its threads for that, should it be the stack that is exhausted.
    for (const int sig : kFatal) handle(sig, fatal_signal, SA_NODEFER | SA_ONSTACK);
  }
  return info.Env().Undefined();
}

Napi::Value set_watchdog(const Napi::CallbackInfo& info) {
  const int64_t ms = info[0].ToNumber().Int64Value();
  itimerval timer{};
  timer.it_value.tv_sec = ms / 1000;
  timer.it_value.tv_usec = ms % 1000 * 1000;
  setitimer(ITIMER_REAL, &timer, nullptr);
  return info.Env().Undefined();
}

}  // namespace

void set_crash_subject(const Core* core) { subject.store(core); }
const Core* crash_subject() { return subject.load(); }

void define_crash_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("installCrashReport", Napi::Function::New(env, install));
  exports.Set("setWatchdog", Napi::Function::New(env, set_watchdog));
}

}  // namespace kvasir
