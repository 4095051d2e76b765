// Included before everything else in prebuilt binaries, so that they load with the libstdc++ of GCC 8 and the
// glibc of its time.
//
// GCC 11 and later call std::__throw_bad_array_new_length (GLIBCXX_3.4.29) wherever an array or a vector may be
// too large. An inline definition of our own takes the place of the library's.
//
// Their std::shared_ptr asks __libc_single_threaded (GLIBC_2.32) whether it may count without atomic operations. One
// of our own, in this binary only, says no.
#pragma once

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
extern "C" {
__attribute__((weak, visibility("hidden"))) char __libc_single_threaded = 0;
}
#endif

namespace std {
[[noreturn]] inline void __throw_bad_array_new_length();
}  // namespace std

#include <new>

namespace std {
[[noreturn]] inline void __throw_bad_array_new_length() {
#if defined(__cpp_exceptions)
  throw bad_array_new_length();
#else
  __builtin_abort();
#endif
}
}  // namespace std
