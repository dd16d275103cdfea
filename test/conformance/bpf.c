/* bpf(2): programs for the devices of a control group (Documentation/bpf/prog_cgroup_device, kernel/bpf/cgroup.c). */
#include "check.h"
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define INSN(code, dst, src, off, imm) ((struct bpf_insn){code, dst, src, off, imm})
#define MOV(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LOAD(dst, src, off) INSN(BPF_LDX | BPF_MEM | BPF_W, dst, src, off, 0)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LOAD_ALL(...)                                                                           \
  ({                                                                                            \
    struct bpf_insn program[] = {__VA_ARGS__};                                                  \
    load(program, COUNT(program));                                                              \
  })

static long bpf(int command, union bpf_attr *attr) { return syscall(SYS_bpf, command, attr, sizeof *attr); }

static long load(const struct bpf_insn *program, unsigned count) {
  union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insn_cnt = count, .insns = (long)program, .license = (long)"GPL"};
  return bpf(BPF_PROG_LOAD, &attr);
}
static long attach(int group, int program, int flags) {
  union bpf_attr attr = {.target_fd = group, .attach_bpf_fd = program, .attach_type = BPF_CGROUP_DEVICE, .attach_flags = flags};
  return bpf(BPF_PROG_ATTACH, &attr);
}
static long detach(int group, int program) {
  union bpf_attr attr = {.target_fd = group, .attach_bpf_fd = program, .attach_type = BPF_CGROUP_DEVICE};
  return bpf(BPF_PROG_DETACH, &attr);
}
static long attached(int group, int flags) {
  unsigned ids[8];
  union bpf_attr attr = {.query = {.target_fd = group, .attach_type = BPF_CGROUP_DEVICE, .query_flags = flags, .prog_ids = (long)ids, .prog_cnt = 8}};
  return bpf(BPF_PROG_QUERY, &attr) == 0 ? (long)attr.query.prog_cnt : -1;
}

/* Runs the check in a new group, and removes it. */
static void in_group(void (*body)(int group)) {
  char name[64];
  NEED_ADMIN;
  private_mounts();
  OK(mkdir("tree", 0755));
  if (mount("none", "tree", "cgroup2", 0, NULL) != 0) SKIP("cgroup2 cannot be mounted here");
  snprintf(name, sizeof name, "tree/caisson-bpf-%d", getpid());
  OK(mkdir(name, 0755));
  pid_t pid = FORK();
  if (pid == 0) {
    char path[96];
    snprintf(path, sizeof path, "%s/cgroup.procs", name);
    int fd = OK(open(path, O_WRONLY));
    OK(write(fd, "0", 1));
    body(OK(open(name, O_RDONLY | O_DIRECTORY)));
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
  for (int tries = 0; rmdir(name) != 0 && errno == EBUSY && tries < 1000; tries++) usleep(1000);
  if (WEXITSTATUS(status) != 0) _exit(WEXITSTATUS(status));
}
#define GROUP_CHECK(id)                                                                         \
  static void body_##id(int group);                                                             \
  CHECK_ROOT(id) { in_group(body_##id); }                                                       \
  static void body_##id(int group)

CHECK_ROOT(bpf_load_checks_the_program) {
  NEED_ADMIN;
  OK(LOAD_ALL(MOV(0, 1), EXIT));
  OK(LOAD_ALL(LOAD(2, 1, 0), LOAD(3, 1, 4), MOV(0, 0), INSN(BPF_JMP | BPF_JNE | BPF_K, 3, 0, 1, 1), MOV(0, 1), EXIT));
  OK(LOAD_ALL(INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, 5), INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, -8, 0), INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1), EXIT));
  EXPECT_ERRNO(E2BIG, load(NULL, 0));
  EXPECT_ERRNO(EFAULT, load(NOWHERE, 2));
  EXPECT_ERRNO(EACCES, LOAD_ALL(EXIT));
  EXPECT_ERRNO(EINVAL, LOAD_ALL(MOV(0, 2), EXIT));
  EXPECT_ERRNO(EINVAL, LOAD_ALL(MOV(0, 1)));
  EXPECT_ERRNO(EINVAL, LOAD_ALL(MOV(0, 1), EXIT, MOV(0, 1), EXIT));
  EXPECT_ERRNO(EINVAL, LOAD_ALL(MOV(0, 1), INSN(BPF_JMP | BPF_JA, 0, 0, 5, 0), EXIT));
  EXPECT_ERRNO(EINVAL, LOAD_ALL(MOV(0, 1), INSN(BPF_JMP | BPF_JA, 0, 0, -1, 0), EXIT));
  EXPECT_ERRNO(EINVAL, LOAD_ALL(MOV(0, 1), INSN(BPF_ALU64 | BPF_DIV | BPF_K, 0, 0, 0, 0), EXIT));
  EXPECT_ERRNO(EACCES, LOAD_ALL(LOAD(2, 1, 12), MOV(0, 1), EXIT));
  EXPECT_ERRNO(EACCES, LOAD_ALL(INSN(BPF_ST | BPF_MEM | BPF_W, 1, 0, 0, 5), MOV(0, 1), EXIT));
  EXPECT_ERRNO(EACCES, LOAD_ALL(INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, 0, 5), MOV(0, 1), EXIT));
  EXPECT_ERRNO(EACCES, LOAD_ALL(MOV(10, 1), MOV(0, 1), EXIT));
  EXPECT_ERRNO(EACCES, LOAD_ALL(MOV(2, 1), LOAD(0, 2, 0), EXIT));
  EXPECT_ERRNO(EINVAL, LOAD_ALL(INSN(BPF_JMP | BPF_CALL, 0, 0, 0, 9999), MOV(0, 1), EXIT));
}

CHECK_ROOT(bpf_needs_known_commands) {
  NEED_ADMIN;
  union bpf_attr attr = {0};
  EXPECT_ERRNO(EINVAL, bpf(9999, &attr));
  EXPECT_ERRNO(EFAULT, bpf(BPF_PROG_LOAD, NOWHERE));
  EXPECT_ERRNO(E2BIG, syscall(SYS_bpf, BPF_PROG_LOAD, &attr, 8192));
  EXPECT_ERRNO(EBADF, attach(-1, -1, 0));
  EXPECT_ERRNO(EBADF, attach(-1, (int)OK(LOAD_ALL(MOV(0, 1), EXIT)), 0));
}

CHECK_USER(bpf_is_refused_to_users) { EXPECT_ERRNO(EPERM, LOAD_ALL(MOV(0, 1), EXIT)); }

GROUP_CHECK(bpf_program_decides_over_devices) {
  int refuse_zero = OK(LOAD_ALL(LOAD(2, 1, 8), MOV(0, 1), INSN(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 1, 5), MOV(0, 0), EXIT));
  OK(open("/dev/zero", O_RDONLY));
  OK(attach(group, refuse_zero, 0));
  EXPECT_ERRNO(EPERM, open("/dev/zero", O_RDONLY));
  EXPECT_ERRNO(EPERM, access("/dev/zero", R_OK));
  EXPECT_ERRNO(EPERM, mknod("zero", S_IFCHR | 0600, makedev(1, 5)));
  OK(open("/dev/null", O_RDONLY));
  OK(open("/dev/zero", O_PATH));
  OK(detach(group, refuse_zero));
  OK(open("/dev/zero", O_RDONLY));
}

GROUP_CHECK(bpf_program_sees_the_access) {
  int no_writing = OK(LOAD_ALL(LOAD(2, 1, 0), MOV(0, 1), INSN(BPF_JMP | BPF_JSET | BPF_K, 2, 0, 1, BPF_DEVCG_ACC_WRITE << 16), EXIT, MOV(0, 0), EXIT));
  OK(attach(group, no_writing, BPF_F_ALLOW_MULTI));
  OK(open("/dev/null", O_RDONLY));
  EXPECT_ERRNO(EPERM, open("/dev/null", O_WRONLY));
  EXPECT_ERRNO(EPERM, open("/dev/null", O_RDWR));
}

GROUP_CHECK(bpf_attached_programs_are_counted) {
  int one = OK(LOAD_ALL(MOV(0, 1), EXIT)), two = OK(LOAD_ALL(MOV(0, 1), EXIT));
  EXPECT_EQ(0, attached(group, 0));
  OK(attach(group, one, BPF_F_ALLOW_MULTI));
  EXPECT_ERRNO(EINVAL, attach(group, one, BPF_F_ALLOW_MULTI));
  EXPECT_ERRNO(EPERM, attach(group, two, 0));
  OK(attach(group, two, BPF_F_ALLOW_MULTI));
  EXPECT_EQ(2, attached(group, 0));
  EXPECT_EQ(2, attached(group, BPF_F_QUERY_EFFECTIVE));
  OK(detach(group, one));
  EXPECT_ERRNO(ENOENT, detach(group, one));
  EXPECT_EQ(1, attached(group, 0));
  EXPECT_ERRNO(EINVAL, attach(group, two, BPF_F_ALLOW_MULTI | BPF_F_ALLOW_OVERRIDE));
}
