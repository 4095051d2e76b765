#include "base/strbuf.h"

#include "check.h"

using namespace kvasir;

TEST(strbuf_header_and_bytes) {
  const HeapScope scope;
  const size_t before = mem_used();
  StrBuf* b = StrBuf::create(5);
  memcpy(b->data(), "hello", 5);
  CHECK(b->capacity() >= 5);
  CHECK(b->slice() == Slice("hello"));
  CHECK(b->unique());
  CHECK(b->retain() == b);
  CHECK(!b->unique());
  b->release();
  CHECK(b->unique());
  b->release();
  CHECK_EQ(mem_used(), before);
  CHECK(StrBuf::try_create(SIZE_MAX - 10) == nullptr);
}

TEST(strbuf_frames_itself_as_a_reply_where_that_changes_nothing) {
  const HeapScope scope;
  StrBuf* b = StrBuf::copy_of("hello", 7);
  Slice framed;
  b->retain();
  memcpy(b->data() + 5, "??", 2);
  CHECK(!b->frame(&framed));
  CHECK_EQ(b->data()[5], '?');
  b->release();
  CHECK(b->frame(&framed));
  CHECK(framed == Slice("$5\r\nhello\r\n"));
  CHECK(b->slice() == Slice("hello"));
  // As it stands there, others may hold it.
  b->retain();
  CHECK(b->frame(&framed));
  CHECK(framed == Slice("$5\r\nhello\r\n"));
  b->release();
  b->set_size(3);
  CHECK(b->frame(&framed));
  CHECK(framed == Slice("$3\r\nhel\r\n"));
  b->set_size(b->capacity() - 1);
  CHECK(!b->frame(&framed));
  b->release();
}

TEST(strbuf_appends_grow_seldom) {
  const HeapScope scope;
  const size_t before = mem_used();
  StrBuf* b = StrBuf::create(0);
  int moves = 0;
  std::string expect;
  for (int i = 0; i < 300000; i++) {
    const size_t cap = b->capacity();
    b = StrBuf::ensure_capacity(b, b->size() + 1);
    moves += b->capacity() != cap ? 1 : 0;
    b->data()[b->size()] = static_cast<char>('a' + i % 26);
    b->set_size(b->size() + 1);
    expect.push_back(static_cast<char>('a' + i % 26));
  }
  CHECK(b->slice() == Slice(expect));
  CHECK(moves < 40);
  b = StrBuf::ensure_capacity(b, 5 << 20);
  CHECK(b->capacity() < (size_t{6} << 20) + 4096);
  CHECK(b->slice() == Slice(expect));
  b->set_size(100);
  b = StrBuf::shrink(b);
  CHECK(b->capacity() < 200);
  CHECK(b->slice() == Slice(expect.data(), 100));
  b->release();
  CHECK_EQ(mem_used(), before);
}

TEST(strbuf_shared_is_copied_before_growing) {
  const HeapScope scope;
  const size_t before = mem_used();
  {
    StrRef reader(StrBuf::copy_of("first"));
    StrBuf* writer = reader.get()->retain();
    writer = StrBuf::ensure_capacity(writer, 5, false);
    CHECK(writer != reader.get());
    memcpy(writer->data(), "other", 5);
    CHECK(reader->slice() == Slice("first"));
    CHECK(reader->unique());
    const StrRef moved(writer);
    StrRef again = moved;
    CHECK_EQ(moved->refs(), 2u);
    again = std::move(reader);
    CHECK(!reader);
    CHECK(again->slice() == Slice("first"));
    CHECK(StrBuf::shrink(again.get()) == again.get());
  }
  CHECK_EQ(mem_used(), before);
}

TEST(retired_buffers_are_released_in_the_end) {
  const HeapScope scope;
  const size_t before = mem_used();
  StrRef reader(StrBuf::copy_of("read"));
  {
    RetiredBuffers retired;
    retired.add(reader.get()->retain());
    CHECK_EQ(reader->refs(), 2u);
    retired.release();
    CHECK(reader->unique());
    const size_t held = mem_used();
    // However many there are, only a few are held back.
    for (int i = 0; i < 100; i++) retired.add(StrBuf::create(1000));
    CHECK(mem_used() - held < 10 * 1000);
  }
  CHECK(reader->slice() == Slice("read"));
  reader = StrRef();
  CHECK_EQ(mem_used(), before);
}

TEST_MAIN()
