/* overlay, mounted by the program: what is seen, and what ends up in the upper directory. */
#include "check.h"
#include <dirent.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define OPTIONS "lowerdir=l1:l2,upperdir=u,workdir=k"

static int exists(const char *path) { return access(path, F_OK) == 0; }

/* l1 above l2 in m, with u for the changes. */
static void begin(void) {
  private_mounts();
  OK(mkdir("w", 0755));
  OK(mount("w", "w", "tmpfs", 0, "mode=755"));
  OK(chdir("w"));
  const char *const directories[] = {"l1", "l2", "u", "k", "m", "l1/d", "l2/d", "l2/e", "l2/e/deep"};
  for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) OK(mkdir(directories[i], 0755));
  put_file("l1/both", "upper"), put_file("l2/both", "lower"), put_file("l2/low", "low text"), put_file("l1/d/a", "a"), put_file("l2/d/b", "b"), put_file("l2/e/deep/f", "deep");
  OK(symlink("low", "l2/link"));
}
static void overlay(void) { OK(mount("o", "m", "overlay", 0, OPTIONS)); }

static int entries(const char *path) {
  DIR *directory = opendir(path);
  EXPECT(directory != NULL);
  int count = 0;
  for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
  closedir(directory);
  return count;
}
static int is_whiteout(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

CHECK_ROOT(overlay_merges) {
  NEED_ADMIN;
  begin(), overlay();
  EXPECT_STR("upper", get_file("m/both"));
  EXPECT_STR("low text", get_file("m/low"));
  EXPECT_STR("low text", get_file("m/link"));
  EXPECT_EQ(2, entries("m/d"));
  EXPECT_EQ(5, entries("m"));
  struct statfs status;
  OK(statfs("m", &status));
  EXPECT_EQ(0x794c7630, status.f_type);
  EXPECT(strstr(get_file("/proc/self/mountinfo"), " - overlay o rw,") != NULL);
  EXPECT(strstr(get_file("/proc/self/mountinfo"), "lowerdir=l1:l2,upperdir=u,workdir=k") != NULL);
}

CHECK_ROOT(overlay_copies_up_what_is_written) {
  NEED_ADMIN;
  begin(), overlay();
  int reader = OK(open("m/low", O_RDONLY)), fd = OK(open("m/low", O_WRONLY | O_APPEND));
  EXPECT_EQ(5, write(fd, " more", 5));
  close(fd), close(reader);
  EXPECT_STR("low text more", get_file("m/low"));
  EXPECT_STR("low text more", get_file("u/low"));
  EXPECT_STR("low text", get_file("l2/low"));
}

CHECK_ROOT(overlay_copies_up_with_parents) {
  NEED_ADMIN;
  begin(), overlay();
  OK(chmod("m/e/deep/f", 0600));
  struct stat status;
  OK(stat("u/e/deep/f", &status));
  EXPECT_EQ(0100600, status.st_mode);
  EXPECT_STR("deep", get_file("u/e/deep/f"));
  OK(stat("l2/e/deep/f", &status));
  EXPECT_EQ(0100644, status.st_mode);
}

CHECK_ROOT(overlay_keeps_owners_and_times) {
  NEED_ADMIN;
  begin();
  OK(chown("l2/low", 12, 34));
  struct timespec times[2] = {{1000, 5}, {2000, 7}};
  OK(utimensat(AT_FDCWD, "l2/low", times, 0));
  overlay();
  OK(chmod("m/low", 0640));
  struct stat status;
  OK(stat("u/low", &status));
  EXPECT_EQ(12, status.st_uid);
  EXPECT_EQ(34, status.st_gid);
  EXPECT_EQ(2000, status.st_mtim.tv_sec);
  EXPECT_EQ(7, status.st_mtim.tv_nsec);
}

CHECK_ROOT(overlay_whiteouts) {
  NEED_ADMIN;
  begin(), overlay();
  OK(unlink("m/low"));
  EXPECT_ERRNO(ENOENT, access("m/low", F_OK));
  EXPECT(is_whiteout("u/low"));
  EXPECT_EQ(4, entries("m"));
  EXPECT_ERRNO(ENOENT, unlink("m/low"));
  put_file("m/low", "again");
  EXPECT_STR("again", get_file("u/low"));
  EXPECT_EQ(5, entries("m"));
  put_file("m/new", "");
  OK(unlink("m/new"));
  EXPECT(!exists("u/new") && !is_whiteout("u/new"));
}

CHECK_ROOT(overlay_opaque_directories) {
  NEED_ADMIN;
  begin(), overlay();
  EXPECT_ERRNO(ENOTEMPTY, rmdir("m/d"));
  OK(unlink("m/d/a")), OK(unlink("m/d/b"));
  EXPECT_EQ(0, entries("m/d"));
  OK(rmdir("m/d"));
  EXPECT(is_whiteout("u/d"));
  OK(mkdir("m/d", 0755));
  EXPECT_EQ(0, entries("m/d"));
  char value[4] = "";
  EXPECT_EQ(1, getxattr("u/d", "trusted.overlay.opaque", value, sizeof value));
  EXPECT_STR("y", value);
  EXPECT_ERRNO(ENODATA, getxattr("m/d", "trusted.overlay.opaque", value, sizeof value));
}

CHECK_ROOT(overlay_renames) {
  NEED_ADMIN;
  begin(), overlay();
  OK(rename("m/low", "m/moved"));
  EXPECT_STR("low text", get_file("m/moved"));
  EXPECT(!exists("m/low") && is_whiteout("u/low"));
  OK(rename("m/moved", "m/both"));
  EXPECT_STR("low text", get_file("m/both"));
  OK(mkdir("m/fresh", 0755));
  OK(rename("m/fresh", "m/renamed"));
  EXPECT(exists("u/renamed"));
  OK(rename("m/e/deep/f", "m/renamed/f"));
  EXPECT_STR("deep", get_file("u/renamed/f"));
  EXPECT(is_whiteout("u/e/deep/f"));
}

CHECK_ROOT(overlay_links) {
  NEED_ADMIN;
  begin(), overlay();
  OK(link("m/low", "m/second"));
  put_file("m/second", "changed");
  EXPECT_STR("changed", get_file("m/low"));
  EXPECT_STR("changed", get_file("u/low"));
  OK(symlink("low", "m/link2"));
  EXPECT_STR("changed", get_file("m/link2"));
}

CHECK_ROOT(overlay_of_a_prepared_upper_directory) {
  NEED_ADMIN;
  begin();
  OK(mknod("u/low", S_IFCHR | 0644, makedev(0, 0)));
  OK(mkdir("u/d", 0755));
  OK(setxattr("u/d", "trusted.overlay.opaque", "y", 1, 0));
  overlay();
  EXPECT(!exists("m/low"));
  EXPECT_EQ(0, entries("m/d"));
}

CHECK_ROOT(overlay_without_an_upper_directory) {
  NEED_ADMIN;
  begin();
  OK(mount("o", "m", "overlay", 0, "lowerdir=l1:l2"));
  EXPECT_STR("upper", get_file("m/both"));
  EXPECT_ERRNO(EROFS, open("m/low", O_WRONLY));
  EXPECT_ERRNO(EROFS, mkdir("m/x", 0755));
}

CHECK_ROOT(overlay_executes_and_maps) {
  NEED_ADMIN;
  begin();
  EXPECT_EQ(0, system("cp /bin/true l2/program"));
  overlay();
  EXPECT_EQ(0, system("m/program"));
  int fd = OK(open("m/low", O_RDWR));
  char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  EXPECT(map != MAP_FAILED);
  map[0] = 'L';
  OK(msync(map, 4096, MS_SYNC));
  EXPECT_STR("Low text", get_file("m/low"));
  EXPECT_STR("low text", get_file("l2/low"));
}

CHECK_ROOT(overlay_bad_options) {
  NEED_ADMIN;
  begin();
  EXPECT_ERRNO(EINVAL, mount("o", "m", "overlay", 0, NULL));
  EXPECT_ERRNO(EINVAL, mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u"));
  EXPECT_ERRNO(EINVAL, mount("o", "m", "overlay", 0, "lowerdir=l1,nonsense=1"));
  EXPECT_ERRNO(ENOENT, mount("o", "m", "overlay", 0, "lowerdir=none:l1"));
  EXPECT_ERRNO(EINVAL, mount("o", "m", "overlay", 0, "lowerdir=l1:l2,upperdir=u,workdir=u"));
}

/* Attributes of the file system's own, set through the mount, mean nothing to it. */
CHECK_ROOT(overlay_attributes_of_its_own) {
  NEED_ADMIN;
  begin(), overlay();
  char value[4] = "";
  if (setxattr("m/e", "trusted.overlay.opaque", "y", 1, 0) != 0 && errno == EOPNOTSUPP) SKIP("needs Linux 6.7");
  EXPECT_EQ(1, getxattr("m/e", "trusted.overlay.opaque", value, sizeof value));
  EXPECT_STR("y", value);
  EXPECT(listxattr("m/e", value, 0) > 0);
  OK(umount("m"));
  overlay();
  EXPECT(exists("m/e/deep/f"));
  EXPECT_EQ(1, getxattr("m/e", "trusted.overlay.opaque", value, sizeof value));
  OK(removexattr("m/e", "trusted.overlay.opaque"));
  EXPECT_ERRNO(ENODATA, getxattr("m/e", "trusted.overlay.opaque", value, sizeof value));
}

CHECK_USER(overlay_in_a_user_namespace) {
  OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
  OK(mkdir("l", 0755)), OK(mkdir("m", 0755));
  put_file("l/f", "text");
  OK(mount("o", "m", "overlay", 0, "lowerdir=l:l2") == -1 && errno == ENOENT ? 0 : -1);
  OK(mkdir("l2", 0755));
  OK(mount("o", "m", "overlay", 0, "lowerdir=l:l2"));
  EXPECT_STR("text", get_file("m/f"));
}
