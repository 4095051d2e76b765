#include "epoll_poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/prefetch.h"

namespace kvasir {

namespace {

// Ready descriptors taken at once. The kernel hands them out in turn, so that whoever is left comes first in
// the next call.
constexpr int kMaxEvents = 1024;

struct Watch {
  int fd;
  Pollable* target;  // nullptr: removed
  EpollPoller* poller;
  uint32_t edge;  // EPOLLET or nothing

  [[nodiscard]] epoll_event event(bool read, bool write) {
    epoll_event ev{};
    // Who does not read still wants to know that the peer has gone; who is told only once, that it has gone
    // right behind what it sent.
    ev.events =
        (read ? EPOLLIN : 0U) | (!read || edge != 0 ? EPOLLRDHUP : 0U) | (write ? EPOLLOUT : 0U) | edge;
    ev.data.ptr = this;
    return ev;
  }
};

}  // namespace

// The epoll set of a loop with the handles that tie it to that loop. Lives as long as it has pollers.
class EpollHub : public std::enable_shared_from_this<EpollHub> {
 public:
  static std::shared_ptr<EpollHub> of(uv_loop_t* loop);
  ~EpollHub();
  explicit EpollHub(uv_loop_t* loop);
  EpollHub(const EpollHub&) = delete;
  EpollHub& operator=(const EpollHub&) = delete;

  void join(EpollPoller* p) { pollers_.push_back(p); }
  void leave(EpollPoller* p) {
    std::replace(pollers_.begin(), pollers_.end(), p, static_cast<EpollPoller*>(nullptr));
  }
  Watch* add(EpollPoller* poller, int fd, Pollable* target, bool edge);
  void watch(Watch* w, bool read, bool write) const;
  void remove(Watch* w);
  [[nodiscard]] uint64_t now_ms() const { return uv_now(loop_); }

 private:
  // Freed when libuv has let go of both.
  struct Handles {
    uv_prepare_t prepare;
    uv_idle_t idle;
    EpollHub* hub;
    int open = 2;
    static void closed(uv_handle_t* h) {
      auto* self = static_cast<Handles*>(h->data);
      if (--self->open == 0) delete self;
    }
  };

  // Stays in turns for clients until Node's loop has something to do.
  void run();
  int timeout_ms();
  bool dispatch(int n);
  void run_turns(bool all);

  uv_loop_t* loop_;
  int epoll_;
  Handles* handles_;
  size_t watches_ = 0;
  std::vector<EpollPoller*> pollers_;  // nullptr where one has left
  std::vector<Watch*> removed_;        // freed when no event of the last call can name them
  epoll_event events_[kMaxEvents];
};

std::shared_ptr<EpollHub> EpollHub::of(uv_loop_t* loop) {
  // Node has one loop a thread.
  static thread_local std::weak_ptr<EpollHub> current;
  std::shared_ptr<EpollHub> hub = current.lock();
  if (!hub || hub->loop_ != loop) {
    hub = std::make_shared<EpollHub>(loop);
    current = hub;
  }
  return hub;
}

EpollHub::EpollHub(uv_loop_t* loop)
    : loop_(loop), epoll_(epoll_create1(EPOLL_CLOEXEC)), handles_(new Handles) {
  epoll_event ev{};
  ev.events = EPOLLIN;
  ev.data.ptr = nullptr;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, uv_backend_fd(loop), &ev);
  uv_prepare_init(loop, &handles_->prepare);
  uv_idle_init(loop, &handles_->idle);
  handles_->hub = this;
  handles_->prepare.data = handles_;
  handles_->idle.data = handles_;
  uv_prepare_start(&handles_->prepare, [](uv_prepare_t* h) { static_cast<Handles*>(h->data)->hub->run(); });
  // Descriptors keep the process alive (add), the hub does not.
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->prepare));
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->idle));
}

EpollHub::~EpollHub() {
  for (Watch* w : removed_) delete w;
  uv_prepare_stop(&handles_->prepare);
  uv_idle_stop(&handles_->idle);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->prepare), Handles::closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->idle), Handles::closed);
  close(epoll_);
}

Watch* EpollHub::add(EpollPoller* poller, int fd, Pollable* target, bool edge) {
  auto* w = new Watch{fd, target, poller, edge ? static_cast<uint32_t>(EPOLLET) : 0U};
  epoll_event ev = w->event(true, false);
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &ev) != 0) {
    delete w;
    return nullptr;
  }
  if (watches_++ == 0) uv_ref(reinterpret_cast<uv_handle_t*>(&handles_->prepare));
  return w;
}

void EpollHub::watch(Watch* w, bool read, bool write) const {
  epoll_event ev = w->event(read, write);
  epoll_ctl(epoll_, EPOLL_CTL_MOD, w->fd, &ev);
}

void EpollHub::remove(Watch* w) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, w->fd, nullptr);
  w->target = nullptr;
  removed_.push_back(w);
  if (--watches_ == 0) uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->prepare));
}

// How long we may wait: until Node's loop or a poller wants to go on. -1: for ever.
int EpollHub::timeout_ms() {
  int ms = uv_backend_timeout(loop_);
  const uint64_t now = now_ms();
  for (const EpollPoller* p : pollers_) {
    if (p == nullptr) continue;
    if (p->waking_) return 0;
    if (p->due_ms_ == 0) continue;
    const int left = p->due_ms_ <= now ? 0 : static_cast<int>(std::min<uint64_t>(p->due_ms_ - now, 1U << 30));
    if (ms < 0 || left < ms) ms = left;
  }
  return ms;
}

// True if Node's loop is among the ready.
bool EpollHub::dispatch(int n) {
  bool node = false;
  for (int i = 0; i < n; i++) {
    if (i + 2 < n) prefetch(events_[i + 2].data.ptr);
    auto* w = static_cast<Watch*>(events_[i].data.ptr);
    if (w == nullptr) {
      node = true;
      continue;
    }
    if (w->target == nullptr) continue;
    const uint32_t ready = events_[i].events;
    w->poller->waking_ = true;
    // An error or the end shows itself in a read, perhaps a later one: what came before it is read first.
    w->target->on_ready((ready & ~static_cast<uint32_t>(EPOLLOUT)) != 0, (ready & EPOLLOUT) != 0,
                        (ready & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
  }
  return node;
}

void EpollHub::run_turns(bool all) {
  const uint64_t now = now_ms();
  // A turn may take its poller, or others, away.
  for (size_t i = 0; i < pollers_.size(); i++) {
    EpollPoller* p = pollers_[i];
    if (p == nullptr) continue;
    if (p->due_ms_ != 0 && p->due_ms_ <= now) {
      p->due_ms_ = 0;
      p->waking_ = true;
    }
    if (!all && !p->waking_) continue;
    p->waking_ = false;
    const std::function<void()> turn = p->turn_;
    turn();
  }
  pollers_.erase(std::remove(pollers_.begin(), pollers_.end(), nullptr), pollers_.end());
}

void EpollHub::run() {
  // The last poller may go while we are in its turn.
  const std::shared_ptr<EpollHub> alive = shared_from_this();
  uv_idle_stop(&handles_->idle);
  uv_update_time(loop_);
  // JavaScript has run since the last turn, and it need not have called wake().
  bool all = true;
  while (!pollers_.empty()) {
    const bool due = uv_backend_timeout(loop_) == 0;
    const int n = epoll_wait(epoll_, events_, kMaxEvents, due ? 0 : timeout_ms());
    uv_update_time(loop_);
    const bool node = dispatch(n);
    run_turns(all);
    all = false;
    for (Watch* w : removed_) delete w;
    removed_.clear();
    if (node || due) break;
  }
  uv_idle_start(&handles_->idle, [](uv_idle_t*) {});
}

EpollPoller::EpollPoller(uv_loop_t* loop, std::function<void()> turn)
    : hub_(EpollHub::of(loop)), turn_(std::move(turn)) {
  hub_->join(this);
}

EpollPoller::~EpollPoller() { hub_->leave(this); }

Poller::Handle EpollPoller::add(int fd, Pollable* target, bool edge) {
  return hub_->add(this, fd, target, edge);
}
void EpollPoller::watch(Handle h, bool read, bool write) { hub_->watch(static_cast<Watch*>(h), read, write); }
void EpollPoller::remove(Handle h) { hub_->remove(static_cast<Watch*>(h)); }
void EpollPoller::wake_after(uint64_t ms) { due_ms_ = hub_->now_ms() + ms; }

}  // namespace kvasir
