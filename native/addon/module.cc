// The addon's entry: what `src/native/addon.ts` describes.
#include <napi.h>

#include "server_object.h"

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeServer", kvasir::ServerObject::define(env));
  return exports;
}

NODE_API_MODULE(kvasir, init)
