/* What requests of io_uring may not do; each check is run by io-uring.test.ts in a sandbox that is meant for it. */
#include "../conformance/uring.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

CHECK(off_by_default) { EXPECT_EQ(-ENOSYS, ring_setup(4, 0, 0)); }

CHECK(rule_denies_open) {
  need_ring(4);
  request(IORING_OP_OPENAT, AT_FDCWD, "/tmp/forbidden", 0644, 0, 1)->open_flags = O_RDWR | O_CREAT;
  EXPECT_EQ(-EPERM, done());
  EXPECT_ERRNO(ENOENT, access("/tmp/forbidden", F_OK));
  request(IORING_OP_OPENAT, AT_FDCWD, "/tmp/other", 0644, 0, 1)->open_flags = O_RDWR | O_CREAT;
  EXPECT(done() >= 0);
}

CHECK(filter_denies_mkdir) {
  need_ring(4);
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof program / sizeof *program, program};
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
  request(IORING_OP_MKDIRAT, AT_FDCWD, "made", 0755, 0, 1);
  EXPECT_EQ(-EACCES, done());
  EXPECT_ERRNO(ENOENT, access("made", F_OK));
  request(IORING_OP_UNLINKAT, AT_FDCWD, "made", 0, 0, 1);
  EXPECT_EQ(-ENOENT, done());
}

CHECK(rings_are_bounded) {
  int made = 0;
  while (made < 5000 && ring_setup(32768, 0, 0) >= 0) made++;
  EXPECT(made > 0 && made < 5000);
  EXPECT_ERRNO(ENOMEM, syscall(SYS_io_uring_setup, 32768, &(struct io_uring_params){0}));
}

CHECK(garbage_in_the_rings) {
  need_ring(8);
  unsigned seed = 1;
  for (int round = 0; round < 300; round++) {
    unsigned char *bytes = (unsigned char *)ring.sqes;
    for (unsigned at = 0; at < 8 * sizeof *ring.sqes; at++) bytes[at] = (seed = seed * 1103515245 + 12345) >> 16;
    /* Nothing that waits for ever, ends the descriptors of the check, or unmaps its memory. */
    for (unsigned at = 0; at < 8; at++) {
      ring.sqes[at].opcode %= 64;
      if (ring.sqes[at].opcode == IORING_OP_CLOSE || ring.sqes[at].opcode == IORING_OP_MADVISE) ring.sqes[at].opcode = 0;
      ring.sq_array[at] = seed >> (at + 8);
      if (at & 1) ring.sq_array[at] = at;
    }
    *ring.sq_tail += seed >> 20;
    *ring.cq_head = seed >> 7;
    enter(seed & 1 ? 8 : 0xffffffff, 0);
  }
  close(ring.fd);
}

CHECK(rings_end_with_their_descriptor) {
  need_ring(8);
  int ends[2];
  char byte;
  OK(pipe(ends));
  request(IORING_OP_READ, ends[0], &byte, 1, -1, 1);
  EXPECT_EQ(1, enter(1, 0));
  close(ring.fd);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  EXPECT_ERRNO(EPIPE, write(ends[1], "x", 1));
}
