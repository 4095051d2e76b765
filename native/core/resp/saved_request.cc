#include "resp/saved_request.h"

namespace kvasir {

SavedRequest::SavedRequest(Request& r) : wire_bytes_(r.wire_bytes) {
  size_t total = 0;
  for (uint32_t i = 0; i < r.argc; i++) {
    if (r.bufs == nullptr || r.bufs[i] == nullptr) total += r.argv[i].size;
  }
  bytes_.reserve(total);
  sizes_.reserve(r.argc);
  for (uint32_t i = 0; i < r.argc; i++) {
    sizes_.push_back(r.argv[i].size);
    if (r.bufs != nullptr && r.bufs[i] != nullptr) {
      bufs_.resize(r.argc, nullptr);
      bufs_[i] = r.bufs[i];
      r.bufs[i] = nullptr;
    } else {
      bytes_.append(r.argv[i].data, r.argv[i].size);
    }
  }
}

SavedRequest::~SavedRequest() {
  for (StrBuf* b : bufs_) {
    if (b != nullptr) b->release();
  }
}

Request SavedRequest::restore(ArgArena* args) {
  const size_t n = sizes_.size();
  Request r;
  r.argc = static_cast<uint32_t>(n);
  r.wire_bytes = wire_bytes_;
  r.argv = args->reserve(n);
  args->commit(n);
  if (!bufs_.empty()) r.bufs = reinterpret_cast<StrBuf**>(args->bytes(n * sizeof(StrBuf*)));
  const char* p = bytes_.data();
  for (size_t i = 0; i < n; i++) {
    if (!bufs_.empty()) {
      r.bufs[i] = bufs_[i];
      bufs_[i] = nullptr;
      if (r.bufs[i] != nullptr) {
        r.argv[i] = {r.bufs[i]->data(), sizes_[i]};
        continue;
      }
    }
    r.argv[i] = {p, sizes_[i]};
    p += sizes_[i];
  }
  return r;
}

Request SavedRequest::restore_apart(ArgArena* args) {
  Request r = restore(args);
  for (uint32_t i = 0; i < r.argc; i++) {
    if (r.bufs != nullptr && r.bufs[i] != nullptr) continue;
    char* copy = args->bytes(r.argv[i].size + 1);
    memcpy(copy, r.argv[i].data, r.argv[i].size);
    r.argv[i].data = copy;
  }
  return r;
}

void SavedRequest::set_arg(size_t index, Slice value) {
  size_t at = 0;
  for (size_t i = 0; i < index; i++) {
    if (bufs_.empty() || bufs_[i] == nullptr) at += sizes_[i];
  }
  size_t old = sizes_[index];
  if (!bufs_.empty() && bufs_[index] != nullptr) {
    bufs_[index]->release();
    bufs_[index] = nullptr;
    old = 0;
  }
  bytes_.replace(at, old, value.data, value.size);
  sizes_[index] = value.size;
}

std::vector<Slice> SavedRequest::args() const {
  std::vector<Slice> argv;
  argv.reserve(sizes_.size());
  const char* p = bytes_.data();
  for (size_t i = 0; i < sizes_.size(); i++) {
    if (!bufs_.empty() && bufs_[i] != nullptr) {
      argv.push_back(bufs_[i]->slice());
      continue;
    }
    argv.emplace_back(p, sizes_[i]);
    p += sizes_[i];
  }
  return argv;
}

size_t SavedRequest::bytes() const {
  size_t n = bytes_.size();
  for (size_t i = 0; i < bufs_.size(); i++) {
    if (bufs_[i] != nullptr) n += sizes_[i];
  }
  return n;
}

}  // namespace kvasir
