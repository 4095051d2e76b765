// Conversions between the core's values and JavaScript's. Bytes cross as latin1 strings: one character is one
// byte, and crossing is an order of magnitude cheaper than with a Buffer.
#pragma once

#include <napi.h>

#include <string>

#include "base/slice.h"

namespace kvasir {

inline Napi::String latin1(Napi::Env env, Slice s) {
  napi_value v = nullptr;
  napi_create_string_latin1(env, s.data, s.size, &v);
  return {env, v};
}

inline std::string latin1_bytes(const Napi::Value& v) {
  size_t n = 0;
  napi_get_value_string_latin1(v.Env(), v, nullptr, 0, &n);
  std::string s(n, '\0');
  napi_get_value_string_latin1(v.Env(), v, s.data(), n + 1, &n);
  return s;
}

// An object of numbers, filled field by field.
class Fields {
 public:
  explicit Fields(Napi::Env env) : env_(env), object_(Napi::Object::New(env)) {}
  template <class T>
  Fields& operator()(const char* name, T v) {
    object_.Set(name, Napi::Number::New(env_, static_cast<double>(v)));
    return *this;
  }
  [[nodiscard]] Napi::Object object() const { return object_; }

 private:
  Napi::Env env_;
  Napi::Object object_;
};

}  // namespace kvasir
