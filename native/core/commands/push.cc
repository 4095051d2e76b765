#include "commands/push.h"

#include <algorithm>

#include "base/numbers.h"
#include "commands/client.h"

namespace kvasir {

namespace {
// From here on a client's output is looked at before the turn ends.
constexpr size_t kLongOutput = 16 * 1024;

void append_header(std::string* out, char type, size_t n) {
  char digits[24];
  out->push_back(type);
  out->append(digits, format_u64(digits, n));
  out->append("\r\n", 2);
}
}  // namespace

StrBuf* PushBody::buffer() {
  if (buf_ == nullptr) {
    buf_ = StrBuf::copy_of(bytes_);
    bytes_ = buf_->slice();
  }
  return buf_;
}

void PushFrame::add_to(Output& out) const {
  out.add_turn(head.data, head.size);
  if (buf != nullptr) out.add_ref(buf, body.data, body.size);
  if (tail.size != 0) out.add_turn(tail.data, tail.size);
}

void Pushes::encode_bulks(std::string* out, uint8_t resp, size_t elements,
                          std::initializer_list<Slice> bulks) {
  append_header(out, resp == 2 ? '*' : '>', elements);
  for (const Slice& s : bulks) {
    append_header(out, '$', s.size);
    out->append(s.data, s.size);
    out->append("\r\n", 2);
  }
}

PushFrame Pushes::message(const Client& to, std::initializer_list<Slice> bulks, PushBody& body) {
  scratch_.clear();
  encode_bulks(&scratch_, to.reply.resp, bulks.size() + 1, bulks);
  append_header(&scratch_, '$', body.bytes().size);
  return encode(to, scratch_, body, {"\r\n", 2});
}

PushFrame Pushes::encode(const Client& to, Slice head, PushBody& body, Slice tail) {
  const size_t from = to.reply.arena().reference_from;
  ReplyArena& arena = to.reply.arena().shared();
  const bool refer = from != 0 && body.bytes().size >= from;
  const size_t size = head.size + (refer ? 0 : body.bytes().size) + tail.size;
  char* const p = arena.reserve(size);
  char* at = std::copy_n(head.data, head.size, p);
  if (!refer) at = std::copy_n(body.bytes().data, body.bytes().size, at);
  std::copy_n(tail.data, tail.size, at);
  arena.commit(size);
  PushFrame f;
  if (!refer) {
    f.head = {p, size};
  } else {
    f.head = {p, head.size};
    f.buf = body.buffer();
    f.body = body.bytes();
    f.tail = {at, tail.size};
  }
  return f;
}

void Pushes::send(Client& c, const PushFrame& f) {
  if (&c != current_) return send_now(c, f);
  f.add_to(deferred_);
  unfinished = true;
}

void Pushes::send_now(Client& c, const PushFrame& f) {
  if (c.flags.close_asap || c.flags.close_after_reply) return;
  f.add_to(c.out);
  c.output_added();
  if (current_ != nullptr && c.out.bytes() > kLongOutput) {
    lagging_.push_back(&c);
    unfinished = true;
  }
}

void Pushes::end(std::vector<Client*>* lagging) {
  if (!deferred_.empty()) {
    if (current_->flags.close_asap || current_->flags.close_after_reply) {
      deferred_.clear();
    } else {
      current_->out.splice(deferred_);
      current_->output_added();
      if (current_->out.bytes() > kLongOutput) lagging_.push_back(current_);
    }
  }
  lagging->swap(lagging_);
  lagging_.clear();
  unfinished = false;
}

}  // namespace kvasir
