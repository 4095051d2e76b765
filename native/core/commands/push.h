// Bytes that clients get without having asked for them: messages, invalidations, MONITOR's lines.
//
// A push to many clients is encoded once and shared: its frame lies in the memory of the turn and every
// subscriber's Output refers to it; frames that follow each other are one range to a subscriber of both. What
// a socket does not take is copied to that client's own blocks when the turn ends. A long body
// (ReplyArena::reference_from) is held in a StrBuf instead, to which all outputs hold references, so that a
// slow subscriber costs no copy either.
//
// Outside a turn (the cron's expiry) the same holds: the frame lies in the arena until the next turn resets
// it, and before that the turn sends and settles every client that stands in the reactor's list, where
// Client::output_added() put it.
//
// What a command pushes to its own client comes after the command's reply, that of the outermost command:
// until then it waits in `deferred_`.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "base/slice.h"
#include "base/strbuf.h"
#include "resp/output.h"

namespace kvasir {

struct Client;

// What several frames have in common: the message, or the array of keys.
class PushBody {
 public:
  // buf: where the bytes live already, or nullptr.
  PushBody(Slice bytes, StrBuf* buf) : bytes_(bytes), buf_(buf == nullptr ? nullptr : buf->retain()) {}
  ~PushBody() {
    if (buf_ != nullptr) buf_->release();
  }
  PushBody(const PushBody&) = delete;
  PushBody& operator=(const PushBody&) = delete;

  [[nodiscard]] Slice bytes() const { return bytes_; }
  // The buffer that holds the bytes, made when the first frame wants to refer to it.
  StrBuf* buffer();

 private:
  Slice bytes_;
  StrBuf* buf_;
};

// Encoded bytes: a run in the turn's memory, perhaps followed by bytes of a buffer and another run. Valid
// while its PushBody is and until the arena is reset; empty: not encoded yet.
struct PushFrame {
  Slice head;
  Slice body;
  StrBuf* buf = nullptr;
  Slice tail;

  [[nodiscard]] bool empty() const { return head.size == 0; }
  void add_to(Output& out) const;
};

class Pushes {
 public:
  // Frames are encoded for a client, and good for all others with its protocol: they share an arena.
  //
  // A push (RESP3) or array (RESP2) of these bulk strings, then the body as a bulk string.
  PushFrame message(const Client& to, std::initializer_list<Slice> bulks, PushBody& body);
  // The head, then the body as it is.
  PushFrame frame(const Client& to, Slice head, PushBody& body) { return encode(to, head, body, {}); }
  // A header and bulk strings, encoded into out.
  static void encode_bulks(std::string* out, uint8_t resp, size_t elements,
                           std::initializer_list<Slice> bulks);

  // The client whose command is being run, at the outermost; nullptr: none is.
  [[nodiscard]] Client* current() const { return current_; }
  void begin(Client* c) { current_ = c; }
  void send(Client& c, const PushFrame& f);
  // Not behind the reply of a command that is being run: for what is no push (MONITOR).
  void send_now(Client& c, const PushFrame& f);

  // Something is to be done when the running command ends.
  bool unfinished = false;
  // The outermost command has ended: its client gets what waited. Clients whose output has become long are
  // moved to *lagging, for their limits to be looked at.
  void end(std::vector<Client*>* lagging);

 private:
  static PushFrame encode(const Client& to, Slice head, PushBody& body, Slice tail);

  Client* current_ = nullptr;
  Output deferred_;
  std::vector<Client*> lagging_;  // clients may be closed but are not freed while a command runs
  std::string scratch_;
};

}  // namespace kvasir
