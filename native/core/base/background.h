// One background thread for the whole process, for work that may be late but must not hold the loop: freeing
// what is big, collapsing huge pages. Started by the first job.
#pragma once

#include <functional>

namespace kvasir {

// Runs the job on the background thread, after those handed over before. The job must not touch what the loop
// owns.
void run_in_background(std::function<void()> job);
// Blocks until nothing is left to do (orderly shutdown, tests).
void background_drain();

}  // namespace kvasir
