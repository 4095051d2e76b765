#include "resp/saved_request.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/alloc.h"

namespace kvasir {

SavedRequest::SavedRequest(Request& r) {
  copy(r);
  if (r.bufs != nullptr) std::fill_n(r.bufs, r.argc, nullptr);
}

SavedRequest::~SavedRequest() { clear(); }

void SavedRequest::clear() {
  for (size_t i = 0; request_.bufs != nullptr && i < request_.argc; i++) {
    if (request_.bufs[i] != nullptr) request_.bufs[i]->release();
  }
  if (request_.argv != nullptr) mem_free(request_.argv);
  request_ = {};
}

void SavedRequest::copy(const Request& r) {
  request_.argc = r.argc;
  request_.wire_bytes = r.wire_bytes;
  bool any = false;
  size_t total = r.argc * sizeof(Slice);
  for (uint32_t i = 0; i < r.argc; i++) {
    if (r.bufs != nullptr && r.bufs[i] != nullptr) {
      any = true;
    } else {
      total += r.argv[i].size;
    }
  }
  if (any) total += r.argc * sizeof(StrBuf*);
  char* p = static_cast<char*>(mem_alloc(total));
  request_.argv = reinterpret_cast<Slice*>(p);
  p += r.argc * sizeof(Slice);
  if (any) {
    request_.bufs = reinterpret_cast<StrBuf**>(p);
    memcpy(p, r.bufs, r.argc * sizeof(StrBuf*));
    p += r.argc * sizeof(StrBuf*);
  }
  for (uint32_t i = 0; i < r.argc; i++) {
    const Slice arg = r.argv[i];
    if (buffered(i)) {
      request_.argv[i] = arg;
      continue;
    }
    if (arg.size > 0) memcpy(p, arg.data, arg.size);
    request_.argv[i] = {p, arg.size};
    p += arg.size;
  }
}

Request SavedRequest::restore(ArgArena* args) {
  const size_t n = request_.argc;
  Request r = request_;
  r.argv = args->reserve(n);
  args->commit(n);
  if (r.bufs != nullptr) {
    r.bufs = reinterpret_cast<StrBuf**>(args->bytes(n * sizeof(StrBuf*)));
    memcpy(r.bufs, request_.bufs, n * sizeof(StrBuf*));
  }
  for (size_t i = 0; i < n; i++) {
    const Slice arg = request_.argv[i];
    r.argv[i] = arg;
    if (buffered(i)) {
      request_.bufs[i] = nullptr;
      continue;
    }
    char* copy = args->bytes(arg.size + 1);
    if (arg.size > 0) memcpy(copy, arg.data, arg.size);
    r.argv[i].data = copy;
  }
  return r;
}

void SavedRequest::set_arg(size_t i, Slice value) {
  SavedRequest old(std::move(*this));
  Request& r = old.request_;
  if (old.buffered(i)) {
    r.bufs[i]->release();
    r.bufs[i] = nullptr;
  }
  r.argv[i] = value;
  copy(r);
  if (r.bufs != nullptr) std::fill_n(r.bufs, r.argc, nullptr);
}

size_t SavedRequest::bytes() const {
  size_t n = 0;
  for (const Slice& arg : args()) n += arg.size;
  return n;
}

}  // namespace kvasir
