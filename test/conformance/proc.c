/* What a process reads about itself and the system in /proc: proc(5). */
#include "check.h"
#include <dirent.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

static char *field(const char *path, const char *name) {
  static char value[256];
  char *text = get_file(path), *line = strtok(text, "\n");
  for (; line; line = strtok(NULL, "\n"))
    if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
      const char *rest = line + strlen(name) + 1;
      while (*rest == ' ' || *rest == '\t') rest++;
      return strncpy(value, rest, sizeof value - 1);
    }
  FAIL("no field %s in %s", name, path);
}

CHECK(self_is_own_id) {
  char target[32] = "", wanted[32];
  OK(readlink("/proc/self", target, 31));
  snprintf(wanted, 32, "%d", getpid());
  EXPECT_STR(wanted, target);
  memset(target, 0, 32);
  OK(readlink("/proc/thread-self", target, 31));
  snprintf(wanted, 32, "%d/task/%d", getpid(), getpid());
  EXPECT_STR(wanted, target);
}

CHECK(status_fields) {
  EXPECT_EQ(getpid(), atoi(field("/proc/self/status", "Pid")));
  EXPECT_EQ(getppid(), atoi(field("/proc/self/status", "PPid")));
  EXPECT_EQ(getpid(), atoi(field("/proc/self/status", "Tgid")));
  EXPECT_EQ(1, atoi(field("/proc/self/status", "Threads")));
  EXPECT_EQ((int)getuid(), atoi(field("/proc/self/status", "Uid")));
  EXPECT_STR("R (running)", field("/proc/self/status", "State"));
  EXPECT_STR("0022", field("/proc/self/status", "Umask"));
  EXPECT(atoi(field("/proc/self/status", "VmRSS")) > 0);
}

CHECK(stat_fields) {
  int pid, parent, group, session;
  char name[64], state;
  OK(prctl(PR_SET_NAME, "odd) name"));
  char *text = get_file("/proc/self/stat");
  EXPECT(strstr(text, "(odd) name) R") != NULL);
  EXPECT_EQ(6, sscanf(text, "%d (%[^)]) name) %c %d %d %d", &pid, name, &state, &parent, &group, &session));
  EXPECT_EQ(getpid(), pid);
  EXPECT_EQ(getppid(), parent);
  EXPECT_EQ(getpgrp(), group);
  EXPECT_EQ(getsid(0), session);
  int spaces = 0;
  for (; *text; text++) spaces += *text == ' ';
  EXPECT_EQ(52, spaces);
}

CHECK(command_line_and_environment) {
  char *argv[] = {"sh", "-c", "tr '\\0' '|' < /proc/$$/cmdline; tr '\\0' '|' < /proc/$$/environ; true", "a b", NULL}, *envp[] = {"PATH=/bin:/usr/bin", "X=1", NULL};
  int ends[2];
  char text[500] = "";
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) {
    dup2(ends[1], 1);
    execve("/bin/sh", argv, envp);
  }
  close(ends[1]);
  EXPECT_EQ(0, WAIT(pid));
  ssize_t used = 0, got;
  while ((got = read(ends[0], text + used, sizeof text - 1 - used)) > 0) used += got;
  EXPECT_STR("sh|-c|tr '\\0' '|' < /proc/$$/cmdline; tr '\\0' '|' < /proc/$$/environ; true|a b|PATH=/bin:/usr/bin|X=1|", text);
}

CHECK(exe_cwd_root_links) {
  char target[PATH_MAX] = "", cwd[PATH_MAX];
  OK(readlink("/proc/self/exe", target, sizeof target - 1));
  EXPECT_EQ('/', target[0]);
  struct stat a, b;
  OK(stat("/proc/self/exe", &a));
  OK(stat(target, &b));
  EXPECT_EQ(a.st_ino, b.st_ino);
  memset(target, 0, sizeof target);
  OK(readlink("/proc/self/cwd", target, sizeof target - 1));
  EXPECT_STR(getcwd(cwd, sizeof cwd), target);
  memset(target, 0, sizeof target);
  OK(readlink("/proc/self/root", target, sizeof target - 1));
  EXPECT_STR("/", target);
}

CHECK(descriptor_links) {
  char name[64], target[PATH_MAX] = "", cwd[PATH_MAX + 10];
  int ends[2];
  put_file("f", "");
  int fd = OK(open("f", O_RDONLY));
  EXPECT(getcwd(cwd, PATH_MAX) != NULL);
  strcat(cwd, "/f");
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  OK(readlink(name, target, sizeof target - 1));
  EXPECT_STR(cwd, target);
  OK(unlink("f"));
  memset(target, 0, sizeof target);
  OK(readlink(name, target, sizeof target - 1));
  strcat(cwd, " (deleted)");
  EXPECT_STR(cwd, target);
  OK(pipe(ends));
  snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
  memset(target, 0, sizeof target);
  OK(readlink(name, target, sizeof target - 1));
  EXPECT(strncmp(target, "pipe:[", 6) == 0);
}

CHECK(descriptor_directory) {
  int seen = 0, fd = OK(open("/dev/null", O_RDONLY));
  DIR *directory = opendir("/proc/self/fd");
  for (struct dirent *entry; (entry = readdir(directory));) seen += atoi(entry->d_name) == fd && entry->d_name[0] != '.';
  EXPECT_EQ(1, seen);
}

CHECK(descriptor_information) {
  char name[64], *text;
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDWR | O_APPEND));
  OK(lseek(fd, 4, SEEK_SET));
  snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
  text = get_file(name);
  EXPECT(strstr(text, "pos:\t4\n") != NULL);
  EXPECT(strstr(text, "flags:\t0102002\n") != NULL);
}

CHECK(maps_show_own_code_stack_and_mappings) {
  char line[64];
  void *at = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  OK(mprotect(at, 4096, PROT_NONE));
  char *text = get_file("/proc/self/maps");
  EXPECT(strstr(text, "[stack]") != NULL);
  EXPECT(strstr(text, "r-xp") != NULL);
  snprintf(line, sizeof line, "%lx-", (long)at);
  char *found = strstr(text, line);
  if (!found) snprintf(line, sizeof line, "-%lx ---p", (long)at + 4096), found = strstr(text, line);
  EXPECT(found != NULL);
}

CHECK(smaps_and_statm) {
  EXPECT(strstr(get_file("/proc/self/smaps"), "Rss:") != NULL);
  long size, resident;
  EXPECT_EQ(2, sscanf(get_file("/proc/self/statm"), "%ld %ld", &size, &resident));
  EXPECT(size >= resident && resident > 0);
}

CHECK(task_directory) {
  char name[64];
  snprintf(name, sizeof name, "/proc/self/task/%d/comm", getpid());
  EXPECT(strlen(get_file(name)) > 1);
}

CHECK(limits_file) { EXPECT(strstr(get_file("/proc/self/limits"), "Max open files") != NULL); }

CHECK(mounts_list_root) {
  EXPECT(strstr(get_file("/proc/mounts"), " / ") != NULL);
  EXPECT(strstr(get_file("/proc/self/mountinfo"), " / / ") != NULL);
  EXPECT(strstr(get_file("/proc/self/mounts"), " /proc proc ") != NULL);
}

CHECK(other_process_is_visible) {
  char name[64];
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  sleep_ms(20);
  snprintf(name, sizeof name, "/proc/%d/status", pid);
  EXPECT_STR("S (sleeping)", field(name, "State"));
  OK(kill(pid, SIGSTOP));
  OK(waitpid(pid, NULL, WUNTRACED));
  EXPECT_STR("T (stopped)", field(name, "State"));
  OK(kill(pid, SIGKILL));
  OK(waitid(P_PID, pid, &(siginfo_t){0}, WEXITED | WNOWAIT));
  EXPECT_STR("Z (zombie)", field(name, "State"));
  EXPECT_EQ(SIGKILL, WAIT(pid));
  EXPECT_ERRNO(ENOENT, open(name, O_RDONLY));
}

CHECK(process_directories_are_listed) {
  int seen = 0;
  DIR *directory = opendir("/proc");
  for (struct dirent *entry; (entry = readdir(directory));) seen += atoi(entry->d_name) == getpid();
  EXPECT_EQ(1, seen);
}

CHECK(system_files) {
  long total = 0;
  EXPECT(sscanf(get_file("/proc/meminfo"), "MemTotal: %ld kB", &total) == 1 && total > 0);
  EXPECT(strstr(get_file("/proc/cpuinfo"), "processor\t: 0") != NULL);
  EXPECT(strncmp(get_file("/proc/version"), "Linux version ", 14) == 0);
  EXPECT(strncmp(get_file("/proc/stat"), "cpu ", 4) == 0);
  EXPECT(atof(get_file("/proc/uptime")) > 0);
  EXPECT(strchr(get_file("/proc/loadavg"), '/') != NULL);
  EXPECT(strstr(get_file("/proc/filesystems"), "nodev\tproc\n") != NULL);
  EXPECT(strstr(get_file("/proc/cmdline"), "\n") != NULL);
}

CHECK(system_settings) {
  EXPECT(atoi(get_file("/proc/sys/kernel/pid_max")) >= 32768);
  EXPECT_STR("Linux\n", get_file("/proc/sys/kernel/ostype"));
  EXPECT(strlen(get_file("/proc/sys/kernel/hostname")) > 1);
  EXPECT_EQ(37, strlen(get_file("/proc/sys/kernel/random/uuid")));
  EXPECT(strcmp(get_file("/proc/sys/kernel/random/uuid"), strdup(get_file("/proc/sys/kernel/random/uuid"))) != 0);
  EXPECT(atoi(get_file("/proc/sys/vm/overcommit_memory")) >= 0);
  EXPECT(atol(get_file("/proc/sys/fs/file-max")) > 0);
  EXPECT(atoi(get_file("/proc/sys/net/core/somaxconn")) > 0);
}

CHECK(network_files) {
  EXPECT(strstr(get_file("/proc/net/dev"), "lo:") != NULL);
  EXPECT(strstr(get_file("/proc/net/tcp"), "local_address") != NULL);
  EXPECT(strstr(get_file("/proc/net/unix"), "RefCount") != NULL);
}

CHECK(auxiliary_vector) {
  EXPECT_EQ(4096, getauxval(AT_PAGESZ));
  EXPECT_EQ(getuid(), getauxval(AT_UID));
  EXPECT_EQ(geteuid(), getauxval(AT_EUID));
  EXPECT_EQ(0, getauxval(AT_SECURE));
  EXPECT_EQ(100, getauxval(AT_CLKTCK));
  EXPECT_STR("x86_64", (char *)getauxval(AT_PLATFORM));
  EXPECT(getauxval(AT_RANDOM) != 0 && getauxval(AT_PHDR) != 0 && getauxval(AT_ENTRY) != 0);
  Elf64_Phdr *header = (void *)getauxval(AT_PHDR);
  EXPECT(header->p_type == PT_PHDR || header->p_type == PT_LOAD);
  Elf64_auxv_t file[64];
  int fd = OK(open("/proc/self/auxv", O_RDONLY)), found = 0;
  ssize_t got = OK(read(fd, file, sizeof file));
  for (size_t at = 0; at < got / sizeof *file; at++) found += file[at].a_type == AT_PAGESZ && file[at].a_un.a_val == 4096;
  EXPECT_EQ(1, found);
}

CHECK(own_memory_file) {
  static int value = 5;
  int fd = OK(open("/proc/self/mem", O_RDWR)), got = 0;
  EXPECT_EQ(4, pread(fd, &got, 4, (off_t)&value));
  EXPECT_EQ(5, got);
  got = 6;
  EXPECT_EQ(4, pwrite(fd, &got, 4, (off_t)&value));
  EXPECT_EQ(6, *(volatile int *)&value);
  EXPECT_ERRNO(EIO, pread(fd, &got, 4, 8));
}

CHECK(comm_can_be_written) {
  int fd = OK(open("/proc/self/comm", O_WRONLY));
  OK(write(fd, "renamed", 7));
  EXPECT_STR("renamed\n", get_file("/proc/self/comm"));
}

CHECK(namespace_links) {
  char target[64] = "";
  OK(readlink("/proc/self/ns/pid", target, 63));
  EXPECT(strncmp(target, "pid:[", 5) == 0);
  OK(close(OK(open("/proc/self/ns/mnt", O_RDONLY))));
}

CHECK(user_maps_and_groups) {
  EXPECT(strlen(get_file("/proc/self/uid_map")) > 10);
  EXPECT(strstr(get_file("/proc/self/cgroup"), "::/") != NULL);
  EXPECT(strlen(get_file("/proc/self/oom_score_adj")) > 0);
}

CHECK(reading_in_pieces) {
  char *whole = strdup(get_file("/proc/self/status")), piece[8];
  int fd = OK(open("/proc/self/status", O_RDONLY));
  ssize_t total = 0, got;
  while ((got = OK(read(fd, piece, 7))) > 0) {
    if (total < 40) EXPECT(memcmp(whole + total, piece, got) == 0);
    total += got;
  }
  EXPECT(labs(total - (ssize_t)strlen(whole)) < 20);
}

CHECK(nothing_can_be_made_there) {
  EXPECT_ERRNO(ENOENT, open("/proc/new", O_CREAT | O_WRONLY, 0644));
  EXPECT_ERRNO(ENOENT, mkdir("/proc/new", 0755));
  EXPECT(unlink("/proc/version") == -1 && (errno == EPERM || errno == EACCES));
}

CHECK(devices_directory) {
  struct stat status;
  static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx"};
  for (unsigned at = 0; at < sizeof names / sizeof *names; at++) OK(stat(names[at], &status));
  OK(stat("/dev/shm", &status));
  EXPECT_EQ(S_IFDIR | 01777, status.st_mode);
  struct statfs fs;
  OK(statfs("/dev/pts", &fs));
  EXPECT_EQ(0x1cd1, fs.f_type);
}
