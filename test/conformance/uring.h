/* Rings of io_uring by hand, as liburing is not there on every host: set up, submit, take results. */
#ifndef URING_H
#define URING_H
#include "check.h"
#include <linux/io_uring.h>
#include <poll.h>

struct ring {
  int fd;
  struct io_uring_params parameters;
  unsigned *sq_head, *sq_tail, *sq_array, *sq_flags, *dropped, *cq_head, *cq_tail, *overflow;
  struct io_uring_sqe *sqes;
  struct io_uring_cqe *cqes;
};

static struct ring ring;

static int ring_setup(unsigned entries, unsigned flags, unsigned results) {
  memset(&ring, 0, sizeof ring);
  ring.parameters.flags = flags;
  ring.parameters.cq_entries = results;
  ring.fd = syscall(SYS_io_uring_setup, entries, &ring.parameters);
  if (ring.fd < 0) return -errno;
  struct io_uring_params *p = &ring.parameters;
  size_t size = p->sq_off.array + 4 * p->sq_entries, other = p->cq_off.cqes + 16 * p->cq_entries;
  char *base = mmap(NULL, size > other ? size : other, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
  ring.sqes = mmap(NULL, 64 * p->sq_entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
  if (base == MAP_FAILED || ring.sqes == MAP_FAILED) return -errno;
  ring.sq_head = (unsigned *)(base + p->sq_off.head);
  ring.sq_tail = (unsigned *)(base + p->sq_off.tail);
  ring.sq_array = (unsigned *)(base + p->sq_off.array);
  ring.sq_flags = (unsigned *)(base + p->sq_off.flags);
  ring.dropped = (unsigned *)(base + p->sq_off.dropped);
  ring.cq_head = (unsigned *)(base + p->cq_off.head);
  ring.cq_tail = (unsigned *)(base + p->cq_off.tail);
  ring.overflow = (unsigned *)(base + p->cq_off.overflow);
  ring.cqes = (struct io_uring_cqe *)(base + p->cq_off.cqes);
  return ring.fd;
}

/* A ring, or a skipped check where the system has none to give. */
static void __attribute__((unused)) need_ring(unsigned entries) {
  int made = ring_setup(entries, 0, 0);
  if (made == -ENOSYS || made == -EPERM) check_skip("io_uring is off");
  EXPECT(made >= 0);
}

/* The next request, put in but not submitted. */
static struct io_uring_sqe *__attribute__((unused)) request(int operation, int fd, const void *address, unsigned length, unsigned long long offset, unsigned long long data) {
  unsigned tail = *ring.sq_tail, index = tail & (ring.parameters.sq_entries - 1);
  struct io_uring_sqe *sqe = &ring.sqes[index];
  memset(sqe, 0, sizeof *sqe);
  sqe->opcode = operation;
  sqe->fd = fd;
  sqe->addr = (uintptr_t)address;
  sqe->len = length;
  sqe->off = offset;
  sqe->user_data = data;
  ring.sq_array[index] = index;
  __atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
  return sqe;
}

static int enter(unsigned submit, unsigned wait) { return syscall(SYS_io_uring_enter, ring.fd, submit, wait, wait > 0 ? IORING_ENTER_GETEVENTS : 0, NULL, 0); }

static unsigned __attribute__((unused)) waiting(void) { return __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE) - *ring.cq_head; }

/* The next result, waited for. */
static struct io_uring_cqe __attribute__((unused)) result(void) {
  if (waiting() == 0) EXPECT(enter(0, 1) >= 0);
  EXPECT(waiting() > 0);
  unsigned head = *ring.cq_head;
  struct io_uring_cqe one = ring.cqes[head & (ring.parameters.cq_entries - 1)];
  __atomic_store_n(ring.cq_head, head + 1, __ATOMIC_RELEASE);
  return one;
}

/* Submits the one request that was put in, and waits for its result. */
static int __attribute__((unused)) done(void) {
  EXPECT_EQ(1, enter(1, 1));
  return result().res;
}
#endif
