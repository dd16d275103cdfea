/* Who a process is and what it may: credentials(7), capabilities(7), getrlimit(2), prctl(2), set-user-ID programs. */
#include "check.h"
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

static void capabilities(struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  OK(syscall(SYS_capget, &header, data));
}

static int set_capabilities(struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capset, &header, data);
}

static void expect_ids(int real, int effective, int saved) {
  uid_t r, e, s;
  OK(getresuid(&r, &e, &s));
  EXPECT_EQ(real, (int)r);
  EXPECT_EQ(effective, (int)e);
  EXPECT_EQ(saved, (int)s);
}

CHECK_ROOT(setuid_by_root_sets_all) {
  OK(setuid(1000));
  expect_ids(1000, 1000, 1000);
  EXPECT_ERRNO(EPERM, setuid(0));
}

CHECK_ROOT(seteuid_and_back) {
  OK(seteuid(1000));
  expect_ids(0, 1000, 0);
  EXPECT_ERRNO(EPERM, setuid(2000));
  OK(seteuid(0));
  expect_ids(0, 0, 0);
}

CHECK_ROOT(setreuid_swaps_and_saves) {
  OK(setresuid(1000, 2000, 3000));
  OK(setreuid(2000, 1000));
  expect_ids(2000, 1000, 1000);
}

CHECK_ROOT(setresuid_any_of_three) {
  OK(setresuid(1000, 2000, 3000));
  OK(setresuid(-1, 3000, 1000));
  expect_ids(1000, 3000, 1000);
  EXPECT_ERRNO(EPERM, setresuid(2000, -1, -1));
}

CHECK_ROOT(file_system_id_follows_and_differs) {
  OK(seteuid(1000));
  EXPECT_EQ(1000, setfsuid(-1));
  OK(seteuid(0));
  EXPECT_EQ(0, setfsuid(1234));
  EXPECT_EQ(1234, setfsuid(-1));
  EXPECT_ERRNO(EACCES, open("f", O_CREAT | O_WRONLY, 0644));
}

CHECK_ROOT(groups_are_set_and_read) {
  gid_t groups[3] = {30, 10, 20}, got[10];
  OK(setgroups(3, groups));
  EXPECT_EQ(3, getgroups(0, NULL));
  EXPECT_EQ(3, getgroups(10, got));
  EXPECT_EQ(60, (int)(got[0] + got[1] + got[2]));
  EXPECT_ERRNO(EINVAL, getgroups(2, got));
}

CHECK_ROOT(leaving_root_drops_capabilities) {
  struct __user_cap_data_struct data[2];
  capabilities(data);
  EXPECT(data[0].effective != 0);
  OK(seteuid(1000));
  capabilities(data);
  EXPECT_EQ(0, data[0].effective);
  EXPECT(data[0].permitted != 0);
  OK(seteuid(0));
  capabilities(data);
  EXPECT(data[0].effective != 0);
  OK(setresuid(1000, 1000, 1000));
  capabilities(data);
  EXPECT_EQ(0, data[0].permitted);
}

CHECK_ROOT(keep_capabilities) {
  struct __user_cap_data_struct data[2];
  OK(prctl(PR_SET_KEEPCAPS, 1));
  EXPECT_EQ(1, prctl(PR_GET_KEEPCAPS));
  OK(setresuid(1000, 1000, 1000));
  capabilities(data);
  EXPECT(data[0].permitted != 0);
  EXPECT_EQ(0, data[0].effective);
  data[0].effective = data[0].permitted;
  OK(set_capabilities(data));
  OK(setuid(2000));
}

CHECK_ROOT(capability_check_counts) {
  struct __user_cap_data_struct data[2];
  put_file("f", "");
  capabilities(data);
  data[0].effective &= ~(1U << CAP_CHOWN);
  OK(set_capabilities(data));
  EXPECT_ERRNO(EPERM, chown("f", 5, 5));
  data[0].effective |= 1U << CAP_CHOWN;
  OK(set_capabilities(data));
  OK(chown("f", 5, 5));
  data[0].effective &= ~(1U << CAP_CHOWN), data[0].permitted &= ~(1U << CAP_CHOWN);
  OK(set_capabilities(data));
  data[0].permitted |= 1U << CAP_CHOWN;
  EXPECT_ERRNO(EPERM, set_capabilities(data));
}

CHECK_ROOT(dac_override_counts) {
  struct __user_cap_data_struct data[2];
  put_file("f", "");
  OK(chown("f", 5, 5));
  OK(chmod("f", 0));
  OK(close(OK(open("f", O_RDONLY))));
  capabilities(data);
  data[0].effective &= ~(1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH);
  OK(set_capabilities(data));
  EXPECT_ERRNO(EACCES, open("f", O_RDONLY));
}

CHECK_ROOT(bounding_set_drops) {
  EXPECT_EQ(1, prctl(PR_CAPBSET_READ, CAP_CHOWN));
  OK(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
  EXPECT_EQ(0, prctl(PR_CAPBSET_READ, CAP_CHOWN));
  pid_t pid = FORK();
  if (pid == 0) {
    char *argv[] = {"sh", "-c", "while read k v; do case $k in CapEff:) case $v in *[02468ace]) exit 1;; esac;; esac; done < /proc/self/status; exit 2", NULL};
    execv("/bin/sh", argv);
  }
  EXPECT_EQ(1 << 8, WAIT(pid));
}

CHECK_ROOT(ambient_capabilities_survive_exec) {
  struct __user_cap_data_struct data[2];
  OK(prctl(PR_SET_KEEPCAPS, 1));
  OK(setresuid(1000, 1000, 1000));
  capabilities(data);
  data[0].inheritable = data[0].effective = data[0].permitted = 1U << CAP_NET_BIND_SERVICE;
  data[1].effective = data[1].permitted = data[1].inheritable = 0;
  OK(set_capabilities(data));
  OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0));
  EXPECT_EQ(1, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_BIND_SERVICE, 0, 0));
  EXPECT_ERRNO(EPERM, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
  pid_t pid = FORK();
  if (pid == 0) {
    char *argv[] = {"sh", "-c", "while read k v; do case $k in CapEff:) [ $v = 0000000000000400 ] && exit 5;; esac; done < /proc/self/status; exit 2", NULL};
    execv("/bin/sh", argv);
  }
  EXPECT_EQ(5 << 8, WAIT(pid));
}

static void copy_program(void) {
  static char copy[4 << 20];
  int from = OK(open("/usr/bin/id", O_RDONLY)), to = OK(open("id", O_CREAT | O_WRONLY, 0755));
  ssize_t got = OK(read(from, copy, sizeof copy));
  EXPECT_EQ(got, write(to, copy, got));
  close(from), close(to);
}

static int effective_id_of_program(void) {
  int ends[2];
  char text[100] = "";
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) {
    dup2(ends[1], 1);
    char *argv[] = {"id", "-u", NULL};
    execv("./id", argv);
    _exit(99);
  }
  EXPECT_EQ(0, WAIT(pid));
  OK(read(ends[0], text, 99));
  return atoi(text);
}

CHECK_ROOT(set_user_id_program) {
  copy_program();
  OK(chown("id", 4321, -1));
  OK(chmod("id", 04755));
  OK(setresuid(1000, 1000, 1000));
  EXPECT_EQ(4321, effective_id_of_program());
}

CHECK_ROOT(no_new_privileges_ignores_set_user_id) {
  copy_program();
  OK(chown("id", 4321, -1));
  OK(chmod("id", 04755));
  OK(setresuid(1000, 1000, 1000));
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  EXPECT_EQ(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  EXPECT_EQ(1000, effective_id_of_program());
}

CHECK_USER(user_has_no_capabilities) {
  struct __user_cap_data_struct data[2];
  capabilities(data);
  EXPECT_EQ(0, data[0].effective);
  EXPECT_EQ(0, data[0].permitted);
}

CHECK_USER(user_swaps_own_ids) {
  int id = getuid();
  OK(setreuid(id, id));
  OK(setuid(id));
  EXPECT_ERRNO(EPERM, setuid(id + 1));
}

CHECK_ROOT(signals_need_matching_ids) {
  pid_t pid = FORK();
  if (pid == 0) {
    setresuid(1000, 1000, 1000);
    for (;;) pause();
  }
  sleep_ms(20);
  IN_CHILD {
    OK(setresuid(2000, 2000, 2000));
    EXPECT_ERRNO(EPERM, kill(pid, SIGTERM));
  }
  IN_CHILD {
    OK(setresuid(1000, 1000, 1000));
    OK(kill(pid, SIGTERM));
  }
  EXPECT_EQ(SIGTERM, WAIT(pid));
}

CHECK(limits_are_inherited) {
  struct rlimit limit = {50, 60}, got;
  OK(setrlimit(RLIMIT_NOFILE, &limit));
  IN_CHILD {
    OK(getrlimit(RLIMIT_NOFILE, &got));
    EXPECT_EQ(50, got.rlim_cur);
    EXPECT_EQ(60, got.rlim_max);
  }
}

CHECK(prlimit_of_child) {
  struct rlimit limit = {33, 44}, old;
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  OK(prlimit(pid, RLIMIT_NOFILE, &limit, &old));
  OK(prlimit(pid, RLIMIT_NOFILE, NULL, &old));
  EXPECT_EQ(33, old.rlim_cur);
  OK(kill(pid, SIGKILL));
}

CHECK(processor_limit_signals) {
  struct rlimit limit = {1, 3};
  pid_t pid = FORK();
  if (pid == 0) {
    OK(setrlimit(RLIMIT_CPU, &limit));
    for (;;) continue;
  }
  EXPECT_EQ(SIGXCPU, WAIT(pid) & 0x7f);
}

CHECK(nice_value) {
  int base = getpriority(PRIO_PROCESS, 0);
  if (base > 14) SKIP("needs a nice value below 15");
  OK(setpriority(PRIO_PROCESS, 0, base + 2));
  EXPECT_EQ(base + 2, getpriority(PRIO_PROCESS, 0));
  errno = 0;
  EXPECT_EQ(base + 4, nice(2));
  IN_CHILD { EXPECT_EQ(base + 4, getpriority(PRIO_PROCESS, 0)); }
}

CHECK(scheduler_policies) {
  struct sched_param param = {0};
  EXPECT_EQ(SCHED_OTHER, sched_getscheduler(0));
  OK(sched_setscheduler(0, SCHED_BATCH, &param));
  EXPECT_EQ(SCHED_BATCH, sched_getscheduler(0));
  EXPECT_EQ(99, sched_get_priority_max(SCHED_FIFO));
  EXPECT_EQ(0, sched_get_priority_max(SCHED_OTHER));
}

CHECK(process_name) {
  char name[16];
  OK(prctl(PR_SET_NAME, "a-very-long-name-indeed"));
  OK(prctl(PR_GET_NAME, name));
  EXPECT_STR("a-very-long-nam", name);
}

CHECK(dumpable) {
  EXPECT_EQ(1, prctl(PR_GET_DUMPABLE));
  OK(prctl(PR_SET_DUMPABLE, 0));
  EXPECT_EQ(0, prctl(PR_GET_DUMPABLE));
}

CHECK(death_signal_is_remembered) {
  int signal = 0;
  OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
  OK(prctl(PR_GET_PDEATHSIG, &signal));
  EXPECT_EQ(SIGUSR1, signal);
  IN_CHILD {
    OK(prctl(PR_GET_PDEATHSIG, &signal));
    EXPECT_EQ(0, signal);
  }
}

CHECK(timer_slack) {
  OK(prctl(PR_SET_TIMERSLACK, 12345));
  EXPECT_EQ(12345, prctl(PR_GET_TIMERSLACK));
}

static void install(unsigned number, unsigned answer) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, answer), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {4, filter};
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  OK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

CHECK(seccomp_answers_errno) {
  install(SYS_getppid, SECCOMP_RET_ERRNO | 99);
  EXPECT_ERRNO(99, syscall(SYS_getppid));
  EXPECT_EQ(2, prctl(PR_GET_SECCOMP));
  IN_CHILD { EXPECT_ERRNO(99, syscall(SYS_getppid)); }
}

CHECK(seccomp_kills) {
  pid_t pid = FORK();
  if (pid == 0) {
    install(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
    syscall(SYS_getppid);
    _exit(0);
  }
  EXPECT_EQ(SIGSYS, WAIT(pid) & 0x7f);
}

static volatile int system_call;
static void on_system_call(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  system_call = info->si_syscall;
}

CHECK(seccomp_traps) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_system_call;
  action.sa_flags = SA_SIGINFO;
  OK(sigaction(SIGSYS, &action, NULL));
  install(SYS_getppid, SECCOMP_RET_TRAP);
  syscall(SYS_getppid);
  EXPECT_EQ(SYS_getppid, system_call);
}

CHECK(seccomp_strict) {
  pid_t pid = FORK();
  if (pid == 0) {
    OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    syscall(SYS_getpid);
    syscall(SYS_exit, 0);
  }
  EXPECT_EQ(SIGKILL, WAIT(pid));
}

CHECK(names_of_system) {
  struct utsname name;
  OK(uname(&name));
  EXPECT_STR("Linux", name.sysname);
  EXPECT_STR("x86_64", name.machine);
  EXPECT(name.release[0] >= '3' && name.release[0] <= '9');
}

CHECK_ROOT(host_name_in_own_namespace) {
  char name[65];
  NEED_CAPABILITY(CAP_SYS_ADMIN);
  OK(unshare(CLONE_NEWUTS));
  OK(sethostname("my-name", 7));
  OK(gethostname(name, sizeof name));
  EXPECT_STR("my-name", name);
}

CHECK_ROOT(process_namespace) {
  NEED_CAPABILITY(CAP_SYS_ADMIN);
  if (unshare(CLONE_NEWPID) == -1 && errno == EINVAL) SKIP("needs a kernel with PID namespaces");
  pid_t pid = FORK();
  if (pid == 0) _exit(getpid() == 1 && getppid() == 0 ? 7 : 8);
  EXPECT_EQ(7 << 8, WAIT(pid));
}

CHECK_USER(user_namespace) {
  int user = geteuid();
  if (unshare(CLONE_NEWUSER) == -1 && errno == EINVAL) SKIP("needs a kernel with user namespaces");
  OK(prctl(PR_SET_DUMPABLE, 1)); /* else /proc/self stays root's after the change of ids */
  EXPECT_EQ(65534, (int)getuid());
  char map[64];
  snprintf(map, sizeof map, "0 %d 1", user);
  int fd = OK(open("/proc/self/uid_map", O_WRONLY));
  OK(write(fd, map, strlen(map)));
  EXPECT_EQ(0, (int)getuid());
}

CHECK(io_priority) {
  int nice = getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(0, syscall(SYS_ioprio_get, 1, 0));
  EXPECT_EQ(2 << 13 | (nice + 20) / 5, syscall(SYS_ioprio_get, 2, 0));
  OK(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 3));
  EXPECT_EQ(2 << 13 | 3, syscall(SYS_ioprio_get, 1, getpid()));
  IN_CHILD { EXPECT_EQ(2 << 13 | 3, syscall(SYS_ioprio_get, 1, 0)); }
  OK(syscall(SYS_ioprio_set, 2, 0, 3 << 13));
  EXPECT_EQ(3 << 13, syscall(SYS_ioprio_get, 2, 0));
  OK(syscall(SYS_ioprio_set, 1, 0, 0));
  EXPECT_EQ(0, syscall(SYS_ioprio_get, 1, 0));
}
