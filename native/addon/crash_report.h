// What the process writes to its log when a signal ends it, and the software watchdog: a signal that shows
// where a loop that does not turn is stuck.
//
// Handlers run in the middle of anything, so that the first part of a report (what happened, the stack) is
// made with system calls and buffers of its own only. What comes then (who the running client is) asks
// structures that may be broken or locked: a second fault, or an alarm, cuts it off.
#pragma once

#include <napi.h>

namespace kvasir {

class Core;

// Whose running command a report names; nullptr: nobody's. Without effect until reports are installed.
void set_crash_subject(const Core* core);
const Core* crash_subject();

// installCrashReport(logfile, version, fatal): where reports go ('' is standard output) and whether signals
// that end the process are reported. setWatchdog(ms): SIGALRM after that time unless it is set again before;
// 0 ends it.
void define_crash_functions(Napi::Env env, Napi::Object exports);

}  // namespace kvasir
