/* mount_namespaces(7): propagation, binding, moving, pivot_root(2), and what a less privileged namespace may not undo. */
#include "check.h"
#include <sys/prctl.h>


/* In a mount namespace of its own, in a tmpfs of its own that is the working directory. */
static void begin(void) {
  private_mounts();
  OK(mkdir("w", 0755));
  OK(mount("w", "w", "tmpfs", 0, "mode=755"));
  OK(chdir("w"));
}

static void make(const char *name) { OK(mkdir(name, 0755)); }
static void tmpfs(const char *place) { OK(mount("t", place, "tmpfs", 0, NULL)); }
static void propagation(const char *place, unsigned long type) { OK(mount("none", place, NULL, type, NULL)); }
static int exists(const char *path) { return access(path, F_OK) == 0; }

/* The optional fields of the mount at a place, as mountinfo has them. */
static const char *fields_of(const char *place) {
  static char fields[256];
  char full[PATH_MAX];
  EXPECT(realpath(place, full) != NULL);
  char *text = get_file("/proc/self/mountinfo"), *save, *found = NULL;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    char path[PATH_MAX], rest[1024];
    if (sscanf(line, "%*d %*d %*s %*s %4095s %*s %1023[^\n]", path, rest) == 2 && strcmp(path, full) == 0) {
      char *end = strstr(rest, "- ");
      *end = 0;
      snprintf(fields, sizeof fields, "%s", rest);
      found = fields;
    }
  }
  if (found == NULL) FAIL("no mount at %s", full);
  return found;
}

static int group_of(const char *place, const char *kind) {
  const char *at = strstr(fields_of(place), kind);
  return at ? atoi(at + strlen(kind)) : 0;
}

CHECK_ROOT(mounts_are_private_at_first) {
  NEED_ADMIN;
  begin();
  make("a");
  tmpfs("a");
  EXPECT_STR("", fields_of("a"));
}

CHECK_ROOT(shared_mounts_are_peers) {
  NEED_ADMIN;
  begin();
  make("a"), make("b");
  tmpfs("a");
  propagation("a", MS_SHARED);
  EXPECT(group_of("a", "shared:") > 0);
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  EXPECT_EQ(group_of("a", "shared:"), group_of("b", "shared:"));
  make("a/x");
  tmpfs("a/x");
  put_file("a/x/f", "");
  EXPECT(exists("b/x/f"));
  EXPECT_EQ(group_of("a/x", "shared:"), group_of("b/x", "shared:"));
  OK(umount("b/x"));
  EXPECT(!exists("a/x/f"));
}

CHECK_ROOT(shared_among_namespaces) {
  NEED_ADMIN;
  begin();
  make("a");
  tmpfs("a");
  propagation("a", MS_SHARED);
  make("a/x"), make("a/y");
  IN_CHILD {
    OK(unshare(CLONE_NEWNS));
    tmpfs("a/x");
    put_file("a/x/f", "");
  }
  EXPECT(exists("a/x/f"));
  OK(umount("a/x"));
}

CHECK_ROOT(private_mounts_do_not_follow) {
  NEED_ADMIN;
  begin();
  make("a"), make("b");
  tmpfs("a");
  make("a/x");
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  tmpfs("a/x");
  put_file("a/x/f", "");
  EXPECT(!exists("b/x/f"));
}

CHECK_ROOT(slaves_follow_one_way) {
  NEED_ADMIN;
  begin();
  make("a"), make("b");
  tmpfs("a");
  make("a/x"), make("a/y");
  propagation("a", MS_SHARED);
  int group = group_of("a", "shared:");
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  propagation("b", MS_SLAVE);
  EXPECT_EQ(group, group_of("b", "master:"));
  EXPECT_EQ(0, group_of("b", "shared:"));
  tmpfs("a/x");
  put_file("a/x/f", "");
  EXPECT(exists("b/x/f"));
  EXPECT_EQ(group_of("a/x", "shared:"), group_of("b/x", "master:"));
  tmpfs("b/y");
  put_file("b/y/f", "");
  EXPECT(!exists("a/y/f"));
  OK(umount("a/x"));
  EXPECT(!exists("b/x/f"));
}

CHECK_ROOT(slaves_that_are_shared) {
  NEED_ADMIN;
  begin();
  make("a"), make("b"), make("c");
  tmpfs("a");
  make("a/x");
  propagation("a", MS_SHARED);
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  propagation("b", MS_SLAVE);
  propagation("b", MS_SHARED);
  OK(mount("b", "c", NULL, MS_BIND, NULL));
  EXPECT_EQ(group_of("b", "shared:"), group_of("c", "shared:"));
  EXPECT_EQ(group_of("a", "shared:"), group_of("c", "master:"));
  tmpfs("a/x");
  put_file("a/x/f", "");
  EXPECT(exists("b/x/f") && exists("c/x/f"));
  EXPECT_EQ(group_of("b/x", "shared:"), group_of("c/x", "shared:"));
  EXPECT_EQ(group_of("a/x", "shared:"), group_of("c/x", "master:"));
}

CHECK_ROOT(slaves_without_a_master_are_private) {
  NEED_ADMIN;
  begin();
  make("a");
  tmpfs("a");
  propagation("a", MS_SHARED);
  propagation("a", MS_SLAVE);
  EXPECT_STR("", fields_of("a"));
}

CHECK_ROOT(slaves_of_a_group_that_ends) {
  NEED_ADMIN;
  begin();
  make("a"), make("b");
  tmpfs("a");
  propagation("a", MS_SHARED);
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  propagation("b", MS_SLAVE);
  OK(umount("a"));
  EXPECT_STR("", fields_of("b"));
}

CHECK_ROOT(unbindable) {
  NEED_ADMIN;
  begin();
  make("a"), make("b");
  tmpfs("a");
  make("a/x");
  tmpfs("a/x");
  put_file("a/x/f", "");
  propagation("a/x", MS_UNBINDABLE);
  EXPECT_STR("unbindable ", fields_of("a/x"));
  EXPECT_ERRNO(EINVAL, mount("a/x", "b", NULL, MS_BIND, NULL));
  OK(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
  EXPECT(!exists("b/x/f"));
}

CHECK_ROOT(propagation_recursively) {
  NEED_ADMIN;
  begin();
  make("a");
  tmpfs("a");
  make("a/x");
  tmpfs("a/x");
  propagation("a", MS_SHARED | MS_REC);
  EXPECT(group_of("a", "shared:") > 0 && group_of("a/x", "shared:") > 0);
  propagation("a", MS_PRIVATE);
  EXPECT(group_of("a", "shared:") == 0 && group_of("a/x", "shared:") > 0);
}

CHECK_ROOT(propagation_bad_types) {
  NEED_ADMIN;
  begin();
  make("a"), make("d");
  tmpfs("a");
  EXPECT_ERRNO(EINVAL, mount("none", "a", NULL, MS_SHARED | MS_PRIVATE, NULL));
  EXPECT_ERRNO(EINVAL, mount("none", "a", NULL, MS_SHARED | MS_NOSUID, NULL));
  EXPECT_ERRNO(EINVAL, mount("none", "d", NULL, MS_SHARED, NULL));
}

CHECK_ROOT(binding_recursively) {
  NEED_ADMIN;
  begin();
  make("a"), make("b"), make("c");
  tmpfs("a");
  make("a/x");
  tmpfs("a/x");
  put_file("a/x/f", "");
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  EXPECT(!exists("b/x/f"));
  OK(mount("a", "c", NULL, MS_BIND | MS_REC, NULL));
  EXPECT(exists("c/x/f"));
  EXPECT_ERRNO(EBUSY, umount("c"));
  OK(umount2("c", MNT_DETACH));
  EXPECT(!exists("c/x"));
}

CHECK_ROOT(binding_files) {
  NEED_ADMIN;
  begin();
  put_file("a", "of a"), put_file("b", "of b"), make("d");
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  EXPECT_STR("of a", get_file("b"));
  EXPECT_ERRNO(ENOTDIR, mount("a", "d", NULL, MS_BIND, NULL));
  EXPECT_ERRNO(ENOTDIR, mount("d", "a", NULL, MS_BIND, NULL));
  OK(umount("b"));
  EXPECT_STR("of b", get_file("b"));
}

CHECK_ROOT(binding_read_only) {
  NEED_ADMIN;
  begin();
  make("a"), make("b");
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  OK(mount("none", "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL));
  EXPECT_ERRNO(EROFS, mkdir("b/d", 0755));
  make("a/d");
  EXPECT(exists("b/d"));
}

CHECK_ROOT(moving) {
  NEED_ADMIN;
  begin();
  make("a"), make("b"), make("s");
  tmpfs("a");
  put_file("a/f", "");
  OK(mount("a", "b", NULL, MS_MOVE, NULL));
  EXPECT(exists("b/f") && !exists("a/f"));
  EXPECT_ERRNO(EINVAL, mount("a", "b", NULL, MS_MOVE, NULL));
  make("b/d");
  EXPECT_ERRNO(ELOOP, mount("b", "b/d", NULL, MS_MOVE, NULL));
  tmpfs("s");
  propagation("s", MS_SHARED);
  make("s/x");
  tmpfs("s/x");
  EXPECT_ERRNO(EINVAL, mount("s/x", "a", NULL, MS_MOVE, NULL));
}

CHECK_ROOT(unmounting_what_is_in_use) {
  NEED_ADMIN;
  begin();
  make("a");
  tmpfs("a");
  put_file("a/f", "");
  int fd = OK(open("a/f", O_RDONLY));
  EXPECT_ERRNO(EBUSY, umount("a"));
  close(fd);
  OK(chdir("a"));
  EXPECT_ERRNO(EBUSY, umount("../a"));
  OK(chdir(".."));
  OK(umount("a"));
  EXPECT_ERRNO(EINVAL, umount("a"));
}

CHECK_ROOT(unmounting_lazily) {
  NEED_ADMIN;
  begin();
  make("a");
  tmpfs("a");
  put_file("a/f", "kept");
  int fd = OK(open("a/f", O_RDONLY));
  OK(umount2("a", MNT_DETACH));
  EXPECT(!exists("a/f"));
  char text[8] = "";
  EXPECT_EQ(4, read(fd, text, sizeof text));
  EXPECT_STR("kept", text);
}

CHECK_ROOT(mount_points_of_ended_namespaces_are_free) {
  NEED_ADMIN;
  OK(mkdir("d", 0755));
  IN_CHILD {
    private_mounts();
    OK(mount("t", "d", "tmpfs", 0, NULL));
  }
  OK(rmdir("d"));
}

CHECK_ROOT(pivot_root_moves_all) {
  NEED_ADMIN;
  begin();
  make("new"), tmpfs("new");
  make("new/old");
  put_file("new/here", "");
  int ready[2], go[2];
  OK(pipe(ready)), OK(pipe(go));
  pid_t other = FORK();
  char byte;
  if (other == 0) {
    OK(chdir("/"));
    OK(write(ready[1], "x", 1));
    OK(read(go[0], &byte, 1));
    _exit(exists("/here") && exists("here") ? 0 : 1);
  }
  OK(read(ready[0], &byte, 1));
  OK(syscall(SYS_pivot_root, "new", "new/old"));
  EXPECT(exists("/here"));
  EXPECT(exists("/old/proc"));
  OK(write(go[1], "x", 1));
  EXPECT_EQ(0, WAIT(other));
}

CHECK_ROOT(pivot_root_onto_itself) {
  NEED_ADMIN;
  begin();
  make("new"), tmpfs("new");
  put_file("new/here", "");
  int old = OK(open("/", O_DIRECTORY));
  OK(chdir("new"));
  OK(syscall(SYS_pivot_root, ".", "."));
  OK(fchdir(old));
  OK(umount2(".", MNT_DETACH));
  OK(chdir("/"));
  EXPECT(exists("/here"));
  EXPECT(!exists("/proc"));
}

CHECK_ROOT(pivot_root_errors) {
  NEED_ADMIN;
  begin();
  make("new"), make("plain"), make("plain/old");
  tmpfs("new");
  make("new/old");
  EXPECT_ERRNO(EINVAL, syscall(SYS_pivot_root, "plain", "plain/old"));
  EXPECT_ERRNO(EBUSY, syscall(SYS_pivot_root, "/", "/"));
  EXPECT_ERRNO(ENOENT, syscall(SYS_pivot_root, "none", "new/old"));
  put_file("f", "");
  EXPECT_ERRNO(ENOTDIR, syscall(SYS_pivot_root, "new", "f"));
  EXPECT_ERRNO(EINVAL, syscall(SYS_pivot_root, "new", "plain"));
  propagation("new", MS_SHARED);
  EXPECT_ERRNO(EINVAL, syscall(SYS_pivot_root, "new", "new/old"));
}

CHECK_ROOT(namespace_files_can_be_bound) {
  NEED_ADMIN;
  begin();
  put_file("uts", "");
  IN_CHILD {
    OK(unshare(CLONE_NEWUTS));
    OK(sethostname("bound", 5));
    OK(mount("/proc/self/ns/uts", "uts", NULL, MS_BIND, NULL));
  }
  int fd = OK(open("uts", O_RDONLY));
  OK(setns(fd, CLONE_NEWUTS));
  char name[64];
  OK(gethostname(name, sizeof name));
  EXPECT_STR("bound", name);
}

static void enter_as_root(void) {
  char text[32];
  uid_t uid = geteuid();
  gid_t gid = getegid();
  OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
  snprintf(text, sizeof text, "0 %d 1\n", uid);
  put_file("/proc/self/uid_map", text);
  put_file("/proc/self/setgroups", "deny");
  snprintf(text, sizeof text, "0 %d 1\n", gid);
  put_file("/proc/self/gid_map", text);
}

CHECK_ROOT(less_privileged_locked_mounts) {
  NEED_ADMIN;
  begin();
  make("a"), make("b"), make("c");
  tmpfs("a");
  make("a/x");
  put_file("a/x/hidden", "");
  tmpfs("a/x");
  OK(mount("none", "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL));
  enter_as_root();
  EXPECT_ERRNO(EINVAL, umount("a/x"));
  EXPECT_ERRNO(EINVAL, umount("a"));
  EXPECT_ERRNO(EINVAL, mount("a", "b", NULL, MS_BIND, NULL));
  OK(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
  EXPECT_ERRNO(EINVAL, umount("b/x"));
  EXPECT_ERRNO(EPERM, mount("none", "b", NULL, MS_REMOUNT | MS_BIND, NULL));
  EXPECT_ERRNO(EPERM, mount("none", "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
  OK(mount("none", "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
  EXPECT_ERRNO(EINVAL, mount("a/x", "c", NULL, MS_MOVE, NULL));
  OK(umount2("b", MNT_DETACH));
}

CHECK_ROOT(less_privileged_namespaces_follow) {
  NEED_ADMIN;
  begin();
  make("a");
  tmpfs("a");
  make("a/x");
  propagation("a", MS_SHARED);
  int ready[2], go[2];
  char byte;
  OK(pipe(ready)), OK(pipe(go));
  pid_t child = FORK();
  if (child == 0) {
    enter_as_root();
    EXPECT(group_of("a", "master:") > 0);
    OK(write(ready[1], "x", 1));
    OK(read(go[0], &byte, 1));
    EXPECT(exists("a/x/f"));
    make("own");
    OK(mount("t", "own", "tmpfs", 0, NULL));
    _exit(0);
  }
  OK(read(ready[0], &byte, 1));
  tmpfs("a/x");
  put_file("a/x/f", "");
  OK(write(go[1], "x", 1));
  EXPECT_EQ(0, WAIT(child));
}

CHECK_USER(mounting_needs_a_capability) {
  OK(mkdir("a", 0755));
  EXPECT_ERRNO(EPERM, mount("t", "a", "tmpfs", 0, NULL));
  EXPECT_ERRNO(EPERM, mount("a", "a", NULL, MS_BIND, NULL));
  EXPECT_ERRNO(EPERM, umount("/"));
  EXPECT_ERRNO(EPERM, syscall(SYS_pivot_root, "a", "a"));
}

CHECK_USER(mounting_in_a_user_namespace) {
  OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
  enter_as_root();
  OK(mkdir("a", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  OK(mkdir("a/d", 0755));
  OK(mount("a", "a/d", NULL, MS_BIND, NULL));
  OK(umount("a/d"));
  OK(umount("a"));
}

CHECK_ROOT(noexec_holds_for_mappings) {
  NEED_ADMIN;
  private_mounts();
  OK(mkdir("m", 0755));
  OK(mount("t", "m", "tmpfs", MS_NOEXEC, NULL));
  EXPECT_EQ(0, system("cp /bin/true m/program"));
  EXPECT_ERRNO(EACCES, execl("m/program", "program", NULL));
  int fd = OK(open("m/program", O_RDONLY));
  EXPECT(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED);
  EXPECT_EQ(EPERM, errno);
  void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  EXPECT(page != MAP_FAILED);
  EXPECT_ERRNO(EACCES, mprotect(page, 4096, PROT_READ | PROT_EXEC));
  OK(mprotect(page, 4096, PROT_READ | PROT_WRITE));
}
