#include "uv_poller.h"

#include <cerrno>
#include <new>

namespace kvasir {

namespace {

struct Watch {
  uv_poll_t poll;
  Pollable* target;
  int events;  // what is asked for
};

void on_poll(uv_poll_t* handle, int status, int events) {
  auto* w = static_cast<Watch*>(handle->data);
  // An error shows itself in a read. That may be a later one: what the peer sent before it reset the
  // connection is read first. libuv has stopped watching.
  if (status < 0) {
    uv_poll_start(handle, w->events, on_poll);
    w->target->on_ready(true, false);
    return;
  }
  w->target->on_ready((events & (UV_READABLE | UV_DISCONNECT)) != 0, (events & UV_WRITABLE) != 0);
}

}  // namespace

// Lives until all handles are closed, which may be after the poller.
struct UvPoller::Phases {
  uv_check_t check;
  uv_idle_t idle;
  uv_timer_t timer;
  std::function<void()> turn;
  int open = 3;
  bool waking = false;

  static void closed(uv_handle_t* h) {
    auto* p = static_cast<Phases*>(h->data);
    if (--p->open == 0) delete p;
  }
};

UvPoller::UvPoller(uv_loop_t* loop, std::function<void()> turn) : loop_(loop), phases_(new Phases) {
  phases_->turn = std::move(turn);
  uv_check_init(loop_, &phases_->check);
  uv_idle_init(loop_, &phases_->idle);
  uv_timer_init(loop_, &phases_->timer);
  phases_->check.data = phases_;
  phases_->idle.data = phases_;
  phases_->timer.data = phases_;
  uv_check_start(&phases_->check, [](uv_check_t* h) {
    auto* p = static_cast<Phases*>(h->data);
    if (p->waking) {
      p->waking = false;
      uv_idle_stop(&p->idle);
    }
    p->turn();
  });
  // Sockets keep the process alive, the phases do not.
  uv_unref(reinterpret_cast<uv_handle_t*>(&phases_->check));
  uv_unref(reinterpret_cast<uv_handle_t*>(&phases_->timer));
}

UvPoller::~UvPoller() {
  phases_->turn = [] {};
  uv_check_stop(&phases_->check);
  uv_idle_stop(&phases_->idle);
  uv_timer_stop(&phases_->timer);
  uv_close(reinterpret_cast<uv_handle_t*>(&phases_->check), Phases::closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&phases_->idle), Phases::closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&phases_->timer), Phases::closed);
}

Poller::Handle UvPoller::add(int fd, Pollable* target) {
  auto* w = new Watch;
  w->target = target;
  const int r = uv_poll_init(loop_, &w->poll, fd);
  if (r != 0) {
    delete w;
    errno = -r;
    return nullptr;
  }
  w->poll.data = w;
  w->events = UV_READABLE;
  uv_poll_start(&w->poll, w->events, on_poll);
  return w;
}

void UvPoller::watch(Handle h, bool read, bool write) {
  auto* w = static_cast<Watch*>(h);
  // Who does not read still wants to know that the peer has gone.
  w->events = (read ? UV_READABLE : UV_DISCONNECT) | (write ? UV_WRITABLE : 0);
  uv_poll_start(&w->poll, w->events, on_poll);
}

void UvPoller::remove(Handle h) {
  auto* w = static_cast<Watch*>(h);
  uv_poll_stop(&w->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&w->poll),
           [](uv_handle_t* handle) { delete static_cast<Watch*>(handle->data); });
}

void UvPoller::wake() {
  if (phases_->waking) return;
  phases_->waking = true;
  uv_idle_start(&phases_->idle, [](uv_idle_t*) {});
}

// The check phase that follows the timer is the turn.
void UvPoller::wake_after(uint64_t ms) {
  uv_timer_start(
      &phases_->timer, [](uv_timer_t*) {}, ms, 0);
}

}  // namespace kvasir
