// A command that needs the control plane to do something that takes its time, such as talking to another
// server. It says what (Call::start_task) and returns without a reply; the client waits, and everybody else
// goes on. When the answer has come the request is run again, whole, and finds its task answered.
//
// A client that goes away meanwhile takes its task with it: the answer is then for nobody.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kvasir {

struct TaskAnswer {
  std::string failure;             // what could not be done; empty: it was done
  std::vector<std::string> lines;  // as the task defines them; with a failure, those that came before it
};

// What a command keeps for its second run.
struct Task {
  Task() = default;
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  uint64_t id = 0;
  uint64_t run_ns = 0;  // time spent in the command so far
  TaskAnswer answer;
};

}  // namespace kvasir
