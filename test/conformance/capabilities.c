/* capabilities(7): what execve(2), set*uid(2), capset(2) and prctl(2) do with the sets of a thread. */
#include "check.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct sets { unsigned long long effective, permitted, inheritable, bounding, ambient; };

static unsigned long long line(const char *text, const char *name) {
  unsigned long long value = 0;
  const char *at = strstr(text, name);
  EXPECT(at && sscanf(at + strlen(name), "%llx", &value) == 1);
  return value;
}
static struct sets sets_of(const char *path) {
  char text[4096];
  int fd = OK(open(path, O_RDONLY));
  text[OK(read(fd, text, sizeof text - 1))] = 0;
  close(fd);
  return (struct sets){line(text, "CapEff:\t"), line(text, "CapPrm:\t"), line(text, "CapInh:\t"), line(text, "CapBnd:\t"), line(text, "CapAmb:\t")};
}
static struct sets own(void) { return sets_of("/proc/thread-self/status"); }

static int set(unsigned long long effective, unsigned long long permitted, unsigned long long inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {effective, permitted, inheritable}, {effective >> 32, permitted >> 32, inheritable >> 32}};
  return syscall(SYS_capset, &header, data);
}
#define BIT(capability) (1ull << (capability))
#define NET_RAW BIT(CAP_NET_RAW)
#define KILL BIT(CAP_KILL)

/* The sets that a program has which this one becomes. */
static struct sets after_exec(void) {
  int ends[2];
  char text[4096];
  int used = 0, got;
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) {
    dup2(ends[1], 1);
    execl("/bin/cat", "cat", "/proc/self/status", NULL);
    _exit(1);
  }
  close(ends[1]);
  while ((got = read(ends[0], text + used, sizeof text - 1 - used)) > 0) used += got;
  text[used] = 0;
  close(ends[0]);
  EXPECT_EQ(0, WAIT(pid));
  return (struct sets){line(text, "CapEff:\t"), line(text, "CapPrm:\t"), line(text, "CapInh:\t"), line(text, "CapBnd:\t"), line(text, "CapAmb:\t")};
}
static void become(int uid) { OK(setresuid(uid, uid, uid)); }

CHECK_ROOT(capset_rules) {
  unsigned long long all = own().permitted;
  OK(set(0, all, 0));
  EXPECT_EQ(0, own().effective);
  OK(set(all, all, NET_RAW));
  EXPECT_EQ(NET_RAW, own().inheritable);
  OK(set(NET_RAW, NET_RAW | KILL, 0));
  EXPECT_ERRNO(EPERM, set(NET_RAW, NET_RAW | KILL | BIT(CAP_CHOWN), 0));
  EXPECT_ERRNO(EPERM, set(BIT(CAP_CHOWN), NET_RAW | KILL, 0));
  EXPECT_ERRNO(EPERM, set(0, NET_RAW, BIT(CAP_CHOWN)));
  OK(set(0, NET_RAW, NET_RAW));
  EXPECT_ERRNO(EPERM, set(0, NET_RAW | KILL, 0));
}

CHECK(capset_versions) {
  struct __user_cap_header_struct header = {0x12345678, 0};
  struct __user_cap_data_struct data[2];
  EXPECT_ERRNO(EINVAL, syscall(SYS_capget, &header, data));
  EXPECT_EQ(_LINUX_CAPABILITY_VERSION_3, header.version);
  header.version = 0;
  EXPECT_EQ(0, syscall(SYS_capget, &header, NULL));
  header.pid = -1;
  EXPECT_ERRNO(EINVAL, syscall(SYS_capget, &header, data));
  header.pid = 0x3ffffff;
  EXPECT_ERRNO(ESRCH, syscall(SYS_capget, &header, data));
  header.pid = getppid();
  EXPECT_ERRNO(EPERM, syscall(SYS_capset, &header, data));
}

CHECK_ROOT(inheritable_beyond_the_bounding_set) {
  OK(prctl(PR_CAPBSET_DROP, CAP_NET_RAW));
  unsigned long long all = own().permitted;
  EXPECT(all & NET_RAW);
  /* Kept where it is permitted, but not to be added any more. */
  EXPECT_ERRNO(EPERM, set(all, all, NET_RAW));
  OK(set(all, all, KILL));
}

CHECK_ROOT(bounding_set) {
  EXPECT_EQ(1, prctl(PR_CAPBSET_READ, CAP_NET_RAW));
  OK(prctl(PR_CAPBSET_DROP, CAP_NET_RAW));
  EXPECT_EQ(0, prctl(PR_CAPBSET_READ, CAP_NET_RAW));
  EXPECT_ERRNO(EINVAL, prctl(PR_CAPBSET_READ, 63));
  EXPECT_ERRNO(EINVAL, prctl(PR_CAPBSET_DROP, 63));
  struct sets after = after_exec();
  EXPECT_EQ(0, after.bounding & NET_RAW);
  EXPECT_EQ(0, after.permitted & NET_RAW);
  EXPECT(after.permitted & KILL);
}

CHECK_USER(bounding_set_needs_setpcap) { EXPECT_ERRNO(EPERM, prctl(PR_CAPBSET_DROP, CAP_NET_RAW)); }

CHECK_ROOT(setuid_drops) {
  become(ORDINARY_ID);
  struct sets now = own();
  EXPECT_EQ(0, now.permitted);
  EXPECT_EQ(0, now.effective);
  EXPECT(now.bounding != 0);
}

CHECK_ROOT(seteuid_drops_effective) {
  unsigned long long all = own().permitted;
  OK(seteuid(ORDINARY_ID));
  EXPECT_EQ(0, own().effective);
  EXPECT(own().permitted == all);
  OK(seteuid(0));
  EXPECT(own().effective == all);
}

CHECK_ROOT(keepcaps) {
  unsigned long long all = own().permitted;
  EXPECT_EQ(0, prctl(PR_GET_KEEPCAPS));
  OK(prctl(PR_SET_KEEPCAPS, 1));
  EXPECT_EQ(1, prctl(PR_GET_KEEPCAPS));
  EXPECT_EQ(1 << SECURE_KEEP_CAPS, prctl(PR_GET_SECUREBITS));
  become(ORDINARY_ID);
  EXPECT(own().permitted == all);
  EXPECT_EQ(0, own().effective);
  EXPECT_ERRNO(EINVAL, prctl(PR_SET_KEEPCAPS, 2));
}

CHECK_ROOT(exec_of_root_and_others) {
  struct sets before = own(), after = after_exec();
  EXPECT(after.permitted == before.bounding);
  EXPECT(after.effective == before.bounding);
  OK(prctl(PR_SET_KEEPCAPS, 1));
  become(ORDINARY_ID);
  OK(set(KILL, KILL, KILL));
  after = after_exec();
  EXPECT_EQ(0, after.permitted);
  EXPECT_EQ(KILL, after.inheritable);
}

CHECK_ROOT(ambient) {
  OK(prctl(PR_SET_KEEPCAPS, 1));
  become(ORDINARY_ID);
  EXPECT_ERRNO(EPERM, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  OK(set(KILL, KILL | NET_RAW, KILL | NET_RAW));
  OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
  EXPECT_EQ(1, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0));
  EXPECT_ERRNO(EINVAL, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 63, 0, 0));
  EXPECT_ERRNO(EINVAL, prctl(PR_CAP_AMBIENT, 9, CAP_KILL, 0, 0));
  EXPECT_ERRNO(EINVAL, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
  struct sets after = after_exec();
  EXPECT_EQ(KILL | NET_RAW, after.ambient);
  EXPECT_EQ(KILL | NET_RAW, after.permitted);
  EXPECT_EQ(KILL | NET_RAW, after.effective);
  OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_KILL, 0, 0));
  EXPECT_EQ(NET_RAW, own().ambient);
  /* What is no longer permitted or inheritable is no longer ambient. */
  OK(set(KILL, KILL, KILL));
  EXPECT_EQ(0, own().ambient);
  OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  OK(set(KILL, KILL, 0));
  EXPECT_EQ(0, own().ambient);
}

CHECK_ROOT(ambient_goes_with_the_identity) {
  OK(set(own().permitted, own().permitted, KILL));
  OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  become(ORDINARY_ID);
  EXPECT_EQ(0, own().ambient);
}

CHECK_ROOT(ambient_is_locked) {
  OK(set(own().permitted, own().permitted, KILL));
  OK(prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE));
  EXPECT_ERRNO(EPERM, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
}

CHECK_ROOT(securebits) {
  EXPECT_EQ(0, prctl(PR_GET_SECUREBITS));
  OK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED));
  EXPECT_EQ(SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED, prctl(PR_GET_SECUREBITS));
  EXPECT_ERRNO(EPERM, prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
  EXPECT_ERRNO(EPERM, prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP_LOCKED));
  EXPECT_ERRNO(EPERM, prctl(PR_SET_SECUREBITS, 1 << 12));
  OK(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED));
}

CHECK_ROOT(keepcaps_is_locked) {
  OK(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED));
  EXPECT_ERRNO(EPERM, prctl(PR_SET_KEEPCAPS, 1));
}

CHECK_USER(securebits_need_setpcap) {
  EXPECT_ERRNO(EPERM, prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
  EXPECT_EQ(0, prctl(PR_GET_SECUREBITS));
}

CHECK_ROOT(noroot) {
  OK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
  struct sets after = after_exec();
  EXPECT_EQ(0, after.permitted);
  EXPECT_EQ(0, after.effective);
  EXPECT(after.bounding != 0);
}

CHECK_ROOT(no_setuid_fixup) {
  unsigned long long all = own().permitted;
  OK(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
  become(ORDINARY_ID);
  EXPECT(own().permitted == all);
  EXPECT(own().effective == all);
}

CHECK_ROOT(keepcaps_ends_with_exec) {
  OK(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_CAP_AMBIENT_RAISE));
  pid_t pid = FORK();
  if (pid == 0) {
    execl("/bin/true", "true", NULL);
    _exit(1);
  }
  EXPECT_EQ(0, WAIT(pid));
  EXPECT_EQ(SECBIT_KEEP_CAPS | SECBIT_NO_CAP_AMBIENT_RAISE, prctl(PR_GET_SECUREBITS));
}

CHECK_ROOT(setfsuid_takes_file_capabilities) {
  unsigned long long file = BIT(CAP_DAC_OVERRIDE) | BIT(CAP_CHOWN) | BIT(CAP_FOWNER);
  syscall(SYS_setfsuid, ORDINARY_ID);
  EXPECT_EQ(0, own().effective & file);
  EXPECT(own().effective & KILL);
  syscall(SYS_setfsuid, 0);
  EXPECT_EQ(file, own().effective & file);
}

CHECK_ROOT(no_new_privileges) {
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  EXPECT_EQ(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  EXPECT_ERRNO(EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  EXPECT_ERRNO(EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
  /* A set-user-ID program does not change who one is. */
  OK(chmod(".", 0755));
  become(ORDINARY_ID);
  pid_t pid = FORK();
  if (pid == 0) {
    OK(dup2(OK(open("/dev/null", O_WRONLY)), 1));
    execl("/bin/su", "su", "--version", NULL);
    _exit(1);
  }
  EXPECT_EQ(0, WAIT(pid));
  EXPECT_EQ(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

CHECK_ROOT(no_new_privileges_gives_none_back) {
  OK(set(KILL, KILL, 0));
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  struct sets after = after_exec();
  EXPECT_EQ(KILL, after.permitted);
  EXPECT_EQ(KILL, after.effective);
}

/* ---- PR_SET_MM ---- */

static void read_arguments(char *text, int size) {
  int fd = OK(open("/proc/self/cmdline", O_RDONLY));
  memset(text, 0, size);
  OK(read(fd, text, size - 1));
  close(fd);
}

CHECK_ROOT(arguments_elsewhere) {
  NEED_CAPABILITY(24);
  static char title[4096] = "another name";
  char text[128];
  OK(prctl(PR_SET_MM, PR_SET_MM_ARG_START, title, 0, 0));
  OK(prctl(PR_SET_MM, PR_SET_MM_ARG_END, title + 13, 0, 0));
  read_arguments(text, sizeof text);
  EXPECT_STR("another name", text);
  EXPECT_ERRNO(EINVAL, prctl(PR_SET_MM, PR_SET_MM_ARG_END, title - 1, 0, 0));
  EXPECT_ERRNO(EINVAL, prctl(PR_SET_MM, PR_SET_MM_ARG_START, 8, 0, 0));
  EXPECT_ERRNO(EINVAL, prctl(PR_SET_MM, 99, title, 0, 0));
  EXPECT_ERRNO(EINVAL, prctl(PR_SET_MM, PR_SET_MM_ARG_START, title, 1, 0));
}

CHECK_USER(set_mm_needs_sys_resource) { EXPECT_ERRNO(EPERM, prctl(PR_SET_MM, PR_SET_MM_ARG_START, &check_name, 0, 0)); }

CHECK(set_mm_map_size) {
  unsigned size = 0;
  OK(prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
  EXPECT_EQ(104, size);
}

CHECK_ROOT(auxiliary_vector) {
  NEED_CAPABILITY(24);
  unsigned long vector[4] = {6, 4096, 0, 0}, seen[64] = {0};
  OK(prctl(PR_SET_MM, PR_SET_MM_AUXV, vector, sizeof vector, 0));
  int fd = OK(open("/proc/self/auxv", O_RDONLY));
  OK(read(fd, seen, sizeof seen));
  EXPECT_EQ(6, seen[0]);
  EXPECT_EQ(4096, seen[1]);
  EXPECT_EQ(0, seen[2]);
  EXPECT_ERRNO(EINVAL, prctl(PR_SET_MM, PR_SET_MM_AUXV, vector, 1 << 16, 0));
}
