// What only native code can do to the process: functions of the addon's module object.
#pragma once

#include <napi.h>

namespace kvasir {

void define_process_functions(Napi::Env env, Napi::Object exports);

}  // namespace kvasir
