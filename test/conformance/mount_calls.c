/* The newer mount calls: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), fsmount(2), fspick(2), mount_setattr(2), statmount(2), listmount(2). */
#include "check.h"
#include <sys/resource.h>
#include <sys/statvfs.h>

#define SYS_statmount_ 457
#define SYS_listmount_ 458

static long open_tree_(int directory, const char *path, unsigned flags) { return syscall(SYS_open_tree, directory, path, flags); }
static long move_mount_(int from, const char *from_path, int to, const char *to_path, unsigned flags) { return syscall(SYS_move_mount, from, from_path, to, to_path, flags); }
static long fsopen_(const char *name, unsigned flags) { return syscall(SYS_fsopen, name, flags); }
static long fsconfig_(int fd, unsigned command, const char *key, const void *value, int auxiliary) { return syscall(SYS_fsconfig, fd, command, key, value, auxiliary); }
static long fsmount_(int fd, unsigned flags, unsigned attributes) { return syscall(SYS_fsmount, fd, flags, attributes); }
static long fspick_(int directory, const char *path, unsigned flags) { return syscall(SYS_fspick, directory, path, flags); }
struct attributes {
  uint64_t set, clear, propagation, user;
};
static long mount_setattr_(int directory, const char *path, unsigned flags, struct attributes *change) {
  return syscall(SYS_mount_setattr, directory, path, flags, change, sizeof *change);
}

static void begin(void) {
  private_mounts();
  OK(mkdir("w", 0755));
  OK(mount("w", "w", "tmpfs", 0, "mode=755"));
  OK(chdir("w"));
}
static int exists(const char *path) { return access(path, F_OK) == 0; }
static unsigned long flags_of(const char *path) {
  struct statvfs status;
  OK(statvfs(path, &status));
  return status.f_flag;
}

/* A tmpfs that is mounted nowhere yet. */
static int detached(unsigned attributes) {
  int fd = OK(fsopen_("tmpfs", 1));
  OK(fsconfig_(fd, 1, "source", "made", 0));
  OK(fsconfig_(fd, 1, "mode", "750", 0));
  OK(fsconfig_(fd, 6, NULL, NULL, 0));
  int made = OK(fsmount_(fd, 1, attributes));
  close(fd);
  return made;
}

CHECK_ROOT(fsopen_to_a_mount) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755));
  int fd = detached(0);
  struct stat status;
  OK(fstat(fd, &status));
  EXPECT_EQ(S_IFDIR | 0750, status.st_mode);
  EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
  EXPECT_EQ(O_PATH, fcntl(fd, F_GETFL) & O_PATH);
  OK(mkdirat(fd, "inner", 0755));
  EXPECT(!exists("a/inner"));
  OK(move_mount_(fd, "", AT_FDCWD, "a", 4));
  EXPECT(exists("a/inner"));
  EXPECT(strstr(get_file("/proc/self/mountinfo"), " - tmpfs made ") != NULL);
  close(fd);
  OK(umount("a"));
}

CHECK_ROOT(fsmount_attributes) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755));
  int fd = detached(1 | 2 | 4 | 8 | 0x10);
  OK(move_mount_(fd, "", AT_FDCWD, "a", 4));
  EXPECT_EQ(ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME, flags_of("a") & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_RELATIME));
  EXPECT_ERRNO(EROFS, mkdir("a/x", 0755));
}

CHECK_ROOT(fsopen_errors) {
  NEED_ADMIN;
  begin();
  EXPECT_ERRNO(ENODEV, fsopen_("no-such-type", 0));
  EXPECT_ERRNO(EINVAL, fsopen_("tmpfs", 2));
  EXPECT_ERRNO(EFAULT, fsopen_(NOWHERE, 0));
  int fd = OK(fsopen_("tmpfs", 0));
  char byte;
  EXPECT_ERRNO(ENODATA, read(fd, &byte, 1));
  EXPECT_EQ(0, fcntl(fd, F_GETFD));
}

CHECK_ROOT(fsconfig_errors) {
  NEED_ADMIN;
  begin();
  int fd = OK(fsopen_("tmpfs", 0)), other = OK(open(".", O_RDONLY));
  EXPECT_ERRNO(EBADF, fsconfig_(77, 6, NULL, NULL, 0));
  EXPECT_ERRNO(EINVAL, fsconfig_(other, 6, NULL, NULL, 0));
  EXPECT_ERRNO(EOPNOTSUPP, fsconfig_(fd, 99, NULL, NULL, 0));
  EXPECT_ERRNO(EINVAL, fsconfig_(fd, 1, NULL, "x", 0));
  EXPECT_ERRNO(EINVAL, fsconfig_(fd, 1, "size", NULL, 0));
  EXPECT_ERRNO(EINVAL, fsconfig_(fd, 1, "size", "1m", 1));
  EXPECT_ERRNO(EINVAL, fsconfig_(fd, 1, "no-such-key", "1", 0));
  EXPECT_ERRNO(EINVAL, fsconfig_(fd, 1, "size", "many", 0));
  EXPECT_ERRNO(EINVAL, fsconfig_(fd, 6, "key", NULL, 0));
  char text[301] = {0};
  memset(text, 'a', 300);
  EXPECT_ERRNO(EINVAL, fsconfig_(fd, 1, "source", text, 0));
  EXPECT_ERRNO(EINVAL, fsconfig_(fd, 1, text, "x", 0));
  OK(fsconfig_(fd, 1, "source", "a", 0));
  EXPECT_ERRNO(EINVAL, fsconfig_(fd, 1, "source", "b", 0));
  EXPECT_ERRNO(EINVAL, fsmount_(fd, 0, 0));
  OK(fsconfig_(fd, 6, NULL, NULL, 0));
  EXPECT_ERRNO(EBUSY, fsconfig_(fd, 6, NULL, NULL, 0));
  EXPECT_ERRNO(EBUSY, fsconfig_(fd, 1, "size", "1m", 0));
}

CHECK_ROOT(fsmount_errors) {
  NEED_ADMIN;
  begin();
  int fd = OK(fsopen_("tmpfs", 0)), other = OK(open(".", O_RDONLY));
  OK(fsconfig_(fd, 6, NULL, NULL, 0));
  EXPECT_ERRNO(EINVAL, fsmount_(fd, 2, 0));
  EXPECT_ERRNO(EINVAL, fsmount_(fd, 0, 0x30));
  EXPECT_ERRNO(EINVAL, fsmount_(fd, 0, 0x400000));
  EXPECT_ERRNO(EBADF, fsmount_(77, 0, 0));
  EXPECT_ERRNO(EINVAL, fsmount_(other, 0, 0));
  OK(fsmount_(fd, 0, 0));
}

CHECK_ROOT(fspick_reconfigures) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  EXPECT_ERRNO(EINVAL, fspick_(AT_FDCWD, "a", 0x100));
  OK(mkdir("a/d", 0755));
  EXPECT_ERRNO(EINVAL, fspick_(AT_FDCWD, "a/d", 0));
  int fd = OK(fspick_(AT_FDCWD, "a", 1));
  OK(fsconfig_(fd, 0, "ro", NULL, 0));
  OK(fsconfig_(fd, 7, NULL, NULL, 0));
  EXPECT_ERRNO(EROFS, mkdir("a/x", 0755));
  int again = OK(fspick_(AT_FDCWD, "a", 1));
  OK(fsconfig_(again, 0, "rw", NULL, 0));
  OK(fsconfig_(again, 7, NULL, NULL, 0));
  OK(mkdir("a/x", 0755));
}

CHECK_ROOT(open_tree_clones) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755)), OK(mkdir("b", 0755));
  put_file("a/f", "");
  EXPECT_ERRNO(EINVAL, open_tree_(AT_FDCWD, "a", 0x8000));
  EXPECT_ERRNO(EINVAL, open_tree_(AT_FDCWD, "a", 0x40000000));
  EXPECT_ERRNO(ENOENT, open_tree_(AT_FDCWD, "none", 1));
  int fd = OK(open_tree_(AT_FDCWD, "a", 1 | O_CLOEXEC));
  EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
  OK(faccessat(fd, "f", F_OK, 0));
  OK(move_mount_(fd, "", AT_FDCWD, "b", 4));
  EXPECT(exists("b/f"));
  int plain = OK(open_tree_(AT_FDCWD, "b", 0));
  EXPECT_EQ(O_PATH, fcntl(plain, F_GETFL) & O_PATH);
}

CHECK_ROOT(open_tree_recursively) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755)), OK(mkdir("b", 0755)), OK(mkdir("c", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  OK(mkdir("a/x", 0755));
  OK(mount("t", "a/x", "tmpfs", 0, NULL));
  put_file("a/x/f", "");
  int one = OK(open_tree_(AT_FDCWD, "a", 1)), all = OK(open_tree_(AT_FDCWD, "a", 1 | 0x8000));
  OK(move_mount_(one, "", AT_FDCWD, "b", 4));
  OK(move_mount_(all, "", AT_FDCWD, "c", 4));
  EXPECT(!exists("b/x/f"));
  EXPECT(exists("c/x/f"));
}

CHECK_ROOT(open_tree_without_a_descriptor_leaves_nothing) {
  NEED_ADMIN;
  begin();
  struct rlimit room, none = {0, 0};
  OK(getrlimit(RLIMIT_NOFILE, &room));
  OK(mkdir("a", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  OK(mount("none", "a", NULL, MS_SHARED, NULL));
  none.rlim_max = room.rlim_max;
  OK(setrlimit(RLIMIT_NOFILE, &none));
  for (int i = 0; i < 2000; i++) EXPECT_ERRNO(EMFILE, open_tree_(AT_FDCWD, "a", 1));
  OK(setrlimit(RLIMIT_NOFILE, &room));
  /* Would be on each copy as well, which is more than there may be. */
  for (int i = 0; i < 60; i++) {
    char path[16];
    snprintf(path, sizeof path, "a/%d", i);
    OK(mkdir(path, 0755));
    OK(mount("t", path, "tmpfs", 0, NULL));
  }
}

CHECK_ROOT(detached_trees_end_with_their_descriptor) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  OK(mkdir("a/x", 0755));
  int fd = OK(open_tree_(AT_FDCWD, "a", 1));
  OK(umount("a"));
  OK(faccessat(fd, "x", F_OK, 0));
  close(fd);
}

CHECK_ROOT(move_mount_moves) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755)), OK(mkdir("b", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  put_file("a/f", ""), put_file("plain", "");
  EXPECT_ERRNO(EINVAL, move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", 0x1000));
  EXPECT_ERRNO(EINVAL, move_mount_(AT_FDCWD, "b", AT_FDCWD, "a", 0));
  EXPECT_ERRNO(EINVAL, move_mount_(AT_FDCWD, "a", AT_FDCWD, "plain", 0));
  EXPECT_ERRNO(ENOENT, move_mount_(AT_FDCWD, "none", AT_FDCWD, "b", 0));
  EXPECT_ERRNO(ENOENT, move_mount_(AT_FDCWD, "", AT_FDCWD, "b", 0));
  OK(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", 0));
  EXPECT(exists("b/f") && !exists("a/f"));
}

CHECK_ROOT(move_mount_sets_the_group) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755)), OK(mkdir("b", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  OK(mkdir("a/x", 0755));
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  EXPECT_ERRNO(EINVAL, move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", 0x100));
  OK(mount("none", "a", NULL, MS_SHARED, NULL));
  OK(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", 0x100));
  OK(mount("t", "a/x", "tmpfs", 0, NULL));
  put_file("a/x/f", "");
  EXPECT(exists("b/x/f"));
}

CHECK_ROOT(mount_setattr_sets_and_clears) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755));
  OK(mount("t", "a", "tmpfs", MS_NOSUID, NULL));
  struct attributes change = {.set = 1 | 4, .clear = 2};
  OK(mount_setattr_(AT_FDCWD, "a", 0, &change));
  EXPECT_EQ(ST_RDONLY | ST_NODEV, flags_of("a") & (ST_RDONLY | ST_NODEV | ST_NOSUID | ST_NOEXEC));
  EXPECT_ERRNO(EROFS, mkdir("a/x", 0755));
  struct attributes back = {.clear = 1};
  OK(mount_setattr_(AT_FDCWD, "a", 0, &back));
  OK(mkdir("a/x", 0755));
  struct attributes times = {.set = 0x10, .clear = 0x70};
  OK(mount_setattr_(AT_FDCWD, "a", 0, &times));
  EXPECT_EQ(ST_NOATIME, flags_of("a") & (ST_NOATIME | ST_RELATIME));
}

CHECK_ROOT(mount_setattr_recursively) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  OK(mkdir("a/x", 0755));
  OK(mount("t", "a/x", "tmpfs", 0, NULL));
  struct attributes change = {.set = 1};
  OK(mount_setattr_(AT_FDCWD, "a", 0x8000, &change));
  EXPECT_ERRNO(EROFS, mkdir("a/x/y", 0755));
}

CHECK_ROOT(mount_setattr_of_propagation) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755)), OK(mkdir("b", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  OK(mkdir("a/x", 0755));
  struct attributes shared = {.propagation = MS_SHARED}, both = {.propagation = MS_SHARED | MS_PRIVATE};
  EXPECT_ERRNO(EINVAL, mount_setattr_(AT_FDCWD, "a", 0, &both));
  OK(mount_setattr_(AT_FDCWD, "a", 0, &shared));
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  OK(mount("t", "a/x", "tmpfs", 0, NULL));
  put_file("a/x/f", "");
  EXPECT(exists("b/x/f"));
}

CHECK_ROOT(mount_setattr_errors) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755)), OK(mkdir("d", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL));
  struct attributes set = {.set = 1}, unknown = {.set = 0x400000}, half = {.set = 0x10}, part = {.clear = 0x20}, nothing = {0};
  EXPECT_ERRNO(EINVAL, mount_setattr_(AT_FDCWD, "d", 0, &set));
  EXPECT_ERRNO(EINVAL, mount_setattr_(AT_FDCWD, "a", 0, &unknown));
  EXPECT_ERRNO(EINVAL, mount_setattr_(AT_FDCWD, "a", 0, &half));
  EXPECT_ERRNO(EINVAL, mount_setattr_(AT_FDCWD, "a", 0, &part));
  EXPECT_ERRNO(EINVAL, mount_setattr_(AT_FDCWD, "a", 0x40000000, &set));
  OK(mount_setattr_(AT_FDCWD, "none", 0, &nothing));
  EXPECT_ERRNO(ENOENT, mount_setattr_(AT_FDCWD, "none", 0, &set));
  EXPECT_ERRNO(EINVAL, syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, &set, 8));
  EXPECT_ERRNO(E2BIG, syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, &set, 5000));
}

struct request {
  uint32_t size, spare;
  uint64_t id, parameter;
};

static uint64_t unique_id(const char *path) {
  uint64_t buffer[32];
  OK(syscall(SYS_statx, AT_FDCWD, path, 0, 0x4000, buffer));
  return buffer[18];
}

CHECK_ROOT(statmount_tells_of_a_mount) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755));
  OK(mount("t", "a", "tmpfs", MS_NOSUID, NULL));
  OK(mount("none", "a", NULL, MS_SHARED, NULL));
  struct request request = {.size = 24, .id = unique_id("a"), .parameter = 0x3f};
  EXPECT(request.id > 0x7fffffff);
  char bytes[2048], here[PATH_MAX];
  OK(syscall(SYS_statmount_, &request, bytes, sizeof bytes, 0));
  uint64_t *wide = (uint64_t *)bytes;
  uint32_t *narrow = (uint32_t *)bytes;
  EXPECT_EQ(0x3f, wide[1] & 0x3f);
  EXPECT_EQ(0x1021994, wide[3]);
  EXPECT_EQ(request.id, wide[5]);
  EXPECT_EQ(unique_id("."), wide[6]);
  EXPECT_EQ(2, wide[8] & 2);
  EXPECT_EQ(MS_SHARED, wide[9]);
  EXPECT_STR("tmpfs", bytes + 512 + narrow[9]);
  EXPECT_STR("/", bytes + 512 + narrow[26]);
  EXPECT(realpath("a", here) != NULL);
  EXPECT_STR(here, bytes + 512 + narrow[27]);
  EXPECT_ERRNO(EOVERFLOW, syscall(SYS_statmount_, &request, bytes, 512, 0));
}

CHECK_ROOT(listmount_lists_what_is_below) {
  NEED_ADMIN;
  begin();
  OK(mkdir("a", 0755)), OK(mkdir("b", 0755));
  OK(mount("t", "a", "tmpfs", 0, NULL)), OK(mount("t", "b", "tmpfs", 0, NULL));
  OK(mkdir("a/x", 0755));
  OK(mount("t", "a/x", "tmpfs", 0, NULL));
  struct request request = {.size = 24, .id = unique_id(".")};
  uint64_t ids[8];
  EXPECT_EQ(3, syscall(SYS_listmount_, &request, ids, 8, 0));
  EXPECT_EQ(unique_id("a"), ids[0]);
  EXPECT_EQ(unique_id("b"), ids[1]);
  EXPECT_EQ(unique_id("a/x"), ids[2]);
  EXPECT_EQ(2, syscall(SYS_listmount_, &request, ids, 2, 0));
  request.parameter = ids[1];
  EXPECT_EQ(1, syscall(SYS_listmount_, &request, ids, 8, 0));
  struct request all = {.size = 24, .id = ~0ULL};
  uint64_t many[256];
  EXPECT(syscall(SYS_listmount_, &all, many, 256, 0) > 3);
}

CHECK(statmount_errors) {
  struct request request = {.size = 24, .id = 0x7fffffffffffULL};
  char bytes[1024];
  EXPECT_ERRNO(EINVAL, syscall(SYS_statmount_, &request, bytes, sizeof bytes, 0x100));
  EXPECT_ERRNO(ENOENT, syscall(SYS_statmount_, &request, bytes, sizeof bytes, 0));
  EXPECT_ERRNO(EFAULT, syscall(SYS_statmount_, NOWHERE, bytes, sizeof bytes, 0));
  request.size = 8;
  EXPECT_ERRNO(EINVAL, syscall(SYS_statmount_, &request, bytes, sizeof bytes, 0));
  request.size = 10000;
  EXPECT_ERRNO(E2BIG, syscall(SYS_statmount_, &request, bytes, sizeof bytes, 0));
}

CHECK_USER(mount_calls_need_a_capability) {
  OK(mkdir("a", 0755));
  struct attributes set = {.set = 1};
  EXPECT_ERRNO(EPERM, fsopen_("tmpfs", 0));
  EXPECT_ERRNO(EPERM, fspick_(AT_FDCWD, "/", 0));
  EXPECT_ERRNO(EPERM, fsmount_(0, 0, 0));
  EXPECT_ERRNO(EPERM, open_tree_(AT_FDCWD, "a", 1));
  OK(open_tree_(AT_FDCWD, "a", 0));
  EXPECT_ERRNO(EPERM, move_mount_(AT_FDCWD, "a", AT_FDCWD, "a", 0));
  EXPECT_ERRNO(EPERM, mount_setattr_(AT_FDCWD, "a", 0, &set));
}
