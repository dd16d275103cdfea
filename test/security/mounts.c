/* Mounts that multiply: a tree of 3000 mounts, to be seen at 3000 places at once. Prints what the last call answered, and whether mounting still works. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLACES = 3000 };

static void must(int result, const char *what) {
  if (result == 0) return;
  perror(what);
  _exit(1);
}
static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  must(fd < 0 || write(fd, text, strlen(text)) < 0, path);
  close(fd);
}
static void directory(const char *path) { must(mkdir(path, 0755), path); }

int main(void) {
  char text[64];
  int uid = getuid(), gid = getgid();
  must(unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
  put("/proc/self/setgroups", "deny");
  snprintf(text, sizeof text, "0 %d 1", uid);
  put("/proc/self/uid_map", text);
  snprintf(text, sizeof text, "0 %d 1", gid);
  put("/proc/self/gid_map", text);
  must(mount("none", "/tmp", "tmpfs", 0, NULL), "/tmp");
  must(chdir("/tmp"), "/tmp");
  directory("shared"), directory("peers"), directory("tree");
  must(mount("none", "shared", "tmpfs", 0, NULL), "shared");
  must(mount("none", "shared", NULL, MS_SHARED, NULL), "shared");
  must(mount("none", "peers", "tmpfs", 0, NULL), "peers");
  must(mount("none", "tree", "tmpfs", 0, NULL), "tree");
  directory("shared/place"), directory("after");
  for (int i = 0; i < PLACES; i++) {
    snprintf(text, sizeof text, "peers/%d", i);
    directory(text);
    must(mount("shared", text, NULL, MS_BIND, NULL), text);
    snprintf(text, sizeof text, "tree/%d", i);
    directory(text);
    must(mount("none", text, "tmpfs", 0, NULL), text);
  }
  puts(mount("tree", "shared/place", NULL, MS_BIND | MS_REC, NULL) == 0 ? "mounted" : strerror(errno));
  must(mount("none", "after", "tmpfs", 0, NULL), "after");
  puts("alive");
  return 0;
}
