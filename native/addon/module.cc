// The addon's entry: what `src/native/addon.ts` describes.
#include <napi.h>

#include "crash_report.h"
#include "process.h"
#include "server_object.h"

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeServer", kvasir::ServerObject::define(env));
  kvasir::define_process_functions(env, exports);
  kvasir::define_crash_functions(env, exports);
  return exports;
}

NODE_API_MODULE(kvasir, init)
