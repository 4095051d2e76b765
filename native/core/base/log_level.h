// How important a log line is, numbered as the control plane knows it.
#pragma once

namespace kvasir {

enum class LogLevel : int { kDebug = 0, kVerbose = 1, kNotice = 2, kWarning = 3 };

}  // namespace kvasir
