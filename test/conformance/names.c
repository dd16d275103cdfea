/* Directories, links, permissions, rename, times and extended attributes. */
#include "check.h"
#include <dirent.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

static struct stat status_of(const char *path) {
  struct stat status;
  if (lstat(path, &status) != 0) FAIL("lstat %s: errno %d", path, errno);
  return status;
}

CHECK(mkdir_mode_and_links) {
  OK(mkdir("d", 0777));
  EXPECT_EQ(S_IFDIR | 0755, status_of("d").st_mode);
  OK(mkdir("sticky", 01777));
  EXPECT_EQ(S_IFDIR | 01755, status_of("sticky").st_mode);
}

CHECK(set_group_id_directory_is_inherited) {
  OK(mkdir("d", 0755));
  OK(chmod("d", 02755));
  OK(mkdir("d/e", 0755));
  EXPECT_EQ(S_IFDIR | 02755, status_of("d/e").st_mode);
}

CHECK(getdents_lists_everything_once) {
  char name[32];
  int seen[200] = {0}, dots = 0;
  for (int at = 0; at < 200; at++) sprintf(name, "entry-%d", at), put_file(name, "");
  DIR *directory = opendir(".");
  EXPECT(directory != NULL);
  for (struct dirent *entry; (entry = readdir(directory));) {
    int at;
    if (entry->d_name[0] == '.') dots++, EXPECT_EQ(DT_DIR, entry->d_type);
    else if (sscanf(entry->d_name, "entry-%d", &at) == 1) seen[at]++, EXPECT_EQ(DT_REG, entry->d_type);
    EXPECT(entry->d_ino != 0);
  }
  EXPECT_EQ(2, dots);
  for (int at = 0; at < 200; at++) EXPECT_EQ(1, seen[at]);
}

CHECK(getdents_types) {
  put_file("file", "");
  OK(mkdir("dir", 0755));
  OK(symlink("x", "link"));
  OK(mkfifo("fifo", 0644));
  DIR *directory = opendir(".");
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (!strcmp(entry->d_name, "file")) EXPECT_EQ(DT_REG, entry->d_type), EXPECT_EQ(status_of("file").st_ino, entry->d_ino);
    if (!strcmp(entry->d_name, "dir")) EXPECT_EQ(DT_DIR, entry->d_type);
    if (!strcmp(entry->d_name, "link")) EXPECT_EQ(DT_LNK, entry->d_type);
    if (!strcmp(entry->d_name, "fifo")) EXPECT_EQ(DT_FIFO, entry->d_type);
  }
}

CHECK(getdents_rewinds) {
  put_file("a", "");
  DIR *directory = opendir(".");
  int first = 0, second = 0;
  while (readdir(directory)) first++;
  put_file("b", "");
  rewinddir(directory);
  while (readdir(directory)) second++;
  EXPECT_EQ(3, first);
  EXPECT_EQ(4, second);
}

CHECK(seekdir_returns_to_entry) {
  char name[32], wanted[256];
  for (int at = 0; at < 50; at++) sprintf(name, "%d", at), put_file(name, "");
  DIR *directory = opendir(".");
  for (int at = 0; at < 10; at++) readdir(directory);
  long place = telldir(directory);
  strcpy(wanted, readdir(directory)->d_name);
  for (int at = 0; at < 10; at++) readdir(directory);
  seekdir(directory, place);
  EXPECT_STR(wanted, readdir(directory)->d_name);
}

CHECK(getdents_survives_unlink_of_all) {
  char name[32];
  int removed = 0;
  for (int at = 0; at < 300; at++) sprintf(name, "name-%d", at), put_file(name, "");
  DIR *directory = opendir(".");
  for (struct dirent *entry; (entry = readdir(directory));)
    if (entry->d_name[0] != '.') OK(unlink(entry->d_name)), removed++;
  EXPECT_EQ(300, removed);
}

CHECK(removed_directory_is_empty) {
  char path[200];
  OK(mkdir("d", 0755));
  int fd = OK(open("d", O_RDONLY));
  OK(rmdir("d"));
  struct stat status;
  OK(fstat(fd, &status));
  EXPECT_EQ(0, status.st_nlink);
  EXPECT_ERRNO(ENOENT, openat(fd, "new", O_CREAT | O_WRONLY, 0644));
  EXPECT_ERRNO(ENOENT, mkdirat(fd, "new", 0755));
  OK(fchdir(fd));
  EXPECT(getcwd(path, sizeof path) == NULL && errno == ENOENT);
}

CHECK(directory_link_count) {
  OK(mkdir("d", 0755));
  EXPECT_EQ(2, status_of("d").st_nlink);
  OK(mkdir("d/a", 0755));
  OK(mkdir("d/b", 0755));
  EXPECT_EQ(4, status_of("d").st_nlink);
  OK(rmdir("d/a"));
  EXPECT_EQ(3, status_of("d").st_nlink);
}

CHECK(hard_link_shares_inode) {
  put_file("a", "text");
  OK(link("a", "b"));
  EXPECT_EQ(status_of("a").st_ino, status_of("b").st_ino);
  EXPECT_EQ(2, status_of("a").st_nlink);
  put_file("b", "other");
  EXPECT_STR("other", get_file("a"));
  OK(unlink("a"));
  EXPECT_EQ(1, status_of("b").st_nlink);
}

CHECK(hard_link_of_symlink) {
  OK(symlink("target", "l"));
  OK(link("l", "m"));
  EXPECT_EQ(S_IFLNK, status_of("m").st_mode & S_IFMT);
  EXPECT_ERRNO(ENOENT, linkat(AT_FDCWD, "l", AT_FDCWD, "n", AT_SYMLINK_FOLLOW));
}

CHECK(symlink_size_and_mode) {
  OK(symlink("1234567", "l"));
  EXPECT_EQ(7, status_of("l").st_size);
  EXPECT_EQ(S_IFLNK | 0777, status_of("l").st_mode);
}

CHECK(symlink_followed_in_path) {
  OK(mkdir("d", 0755));
  put_file("d/f", "text");
  OK(symlink("d", "l"));
  OK(symlink("../d/f", "d/up"));
  EXPECT_STR("text", get_file("l/f"));
  EXPECT_STR("text", get_file("l/up"));
  EXPECT_STR("text", get_file("l/../d/./f"));
}

CHECK(symlink_depth_limit) {
  char from[16], to[16];
  put_file("0", "text");
  for (int at = 1; at <= 41; at++) sprintf(from, "%d", at), sprintf(to, "%d", at - 1), OK(symlink(to, from));
  OK(access("40", F_OK));
  EXPECT_ERRNO(ELOOP, access("41", F_OK));
}

CHECK(open_creates_through_dangling_symlink) {
  OK(symlink("target", "l"));
  OK(close(OK(open("l", O_CREAT | O_WRONLY, 0644))));
  OK(access("target", F_OK));
}

CHECK(trailing_slash_follows_symlink) {
  struct stat status;
  OK(mkdir("d", 0755));
  OK(symlink("d", "l"));
  OK(lstat("l/", &status));
  EXPECT_EQ(S_IFDIR, status.st_mode & S_IFMT);
  EXPECT_ERRNO(ENOTDIR, rmdir("l"));
  EXPECT_ERRNO(ENOTDIR, unlink("l/"));
}

CHECK(longest_name) {
  char name[257];
  memset(name, 'n', 256);
  name[255] = 0;
  put_file(name, "text");
  EXPECT_STR("text", get_file(name));
}

CHECK(names_are_bytes) {
  put_file("\xff\xfe \n\x01", "text");
  EXPECT_STR("text", get_file("\xff\xfe \n\x01"));
  put_file("A", "1"), put_file("a", "2");
  EXPECT_STR("1", get_file("A"));
}

CHECK(rename_replaces_file) {
  put_file("a", "new"), put_file("b", "old");
  int fd = OK(open("b", O_RDONLY));
  OK(rename("a", "b"));
  EXPECT_STR("new", get_file("b"));
  EXPECT_ERRNO(ENOENT, access("a", F_OK));
  char text[10];
  EXPECT_EQ(3, read(fd, text, 10));
  EXPECT(memcmp(text, "old", 3) == 0);
}

CHECK(rename_directory_over_empty) {
  OK(mkdir("a", 0755));
  OK(mkdir("b", 0755));
  put_file("a/f", "text");
  OK(rename("a", "b"));
  EXPECT_STR("text", get_file("b/f"));
}

CHECK(rename_moves_dotdot) {
  OK(mkdir("a", 0755));
  OK(mkdir("b", 0755));
  OK(mkdir("a/d", 0755));
  OK(chdir("a/d"));
  OK(rename("../../a/d", "../../b/d"));
  EXPECT_EQ(status_of("..").st_ino, status_of("../../b").st_ino);
  OK(chdir("../.."));
  EXPECT_EQ(2, status_of("a").st_nlink);
  EXPECT_EQ(3, status_of("b").st_nlink);
}

CHECK(rename_exchange) {
  put_file("a", "1");
  OK(mkdir("b", 0755));
  OK(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 2));
  EXPECT_EQ(S_IFDIR, status_of("a").st_mode & S_IFMT);
  EXPECT_STR("1", get_file("b"));
}

CHECK(rename_noreplace) {
  put_file("a", "1"), put_file("b", "2");
  EXPECT_ERRNO(EEXIST, syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 1));
  OK(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", 1));
}

CHECK(rename_hard_links_of_same_file) {
  put_file("a", "1");
  OK(link("a", "b"));
  OK(rename("a", "b"));
  OK(access("a", F_OK));
  OK(access("b", F_OK));
}

CHECK(getcwd_follows_rename) {
  char path[PATH_MAX], *end;
  OK(mkdir("d", 0755));
  OK(chdir("d"));
  OK(rename("../d", "../e"));
  EXPECT(getcwd(path, sizeof path) != NULL);
  end = strrchr(path, '/');
  EXPECT_STR("/e", end);
}

CHECK(chmod_clears_nothing_of_owner) {
  put_file("f", "");
  OK(chmod("f", 04711));
  EXPECT_EQ(S_IFREG | 04711, status_of("f").st_mode);
}

CHECK_USER(write_clears_set_user_id) {
  put_file("f", "");
  OK(chmod("f", 06755));
  int fd = OK(open("f", O_WRONLY));
  OK(write(fd, "x", 1));
  EXPECT_EQ(S_IFREG | 0755, status_of("f").st_mode);
}

CHECK_ROOT(chown_clears_set_user_id) {
  put_file("f", "");
  OK(chmod("f", 06755));
  OK(chown("f", 5, 6));
  EXPECT_EQ(5, status_of("f").st_uid);
  EXPECT_EQ(6, status_of("f").st_gid);
  EXPECT_EQ(S_IFREG | 0755, status_of("f").st_mode);
}

CHECK_ROOT(chown_minus_one_keeps) {
  put_file("f", "");
  OK(chown("f", 5, 6));
  OK(chown("f", -1, 7));
  EXPECT_EQ(5, status_of("f").st_uid);
  EXPECT_EQ(7, status_of("f").st_gid);
}

CHECK_ROOT(sticky_directory_protects) {
  OK(mkdir("d", 0755));
  OK(chmod("d", 01777));
  put_file("d/f", "");
  become_ordinary_user();
  EXPECT_ERRNO(EPERM, unlink("d/f"));
  EXPECT_ERRNO(EPERM, rename("d/f", "d/g"));
  put_file("d/own", "");
  OK(unlink("d/own"));
}

CHECK_ROOT(group_permission_counts) {
  put_file("f", "text");
  OK(chown("f", 5, 77));
  OK(chmod("f", 0640));
  gid_t groups[] = {77};
  IN_CHILD {
    OK(setgroups(1, groups));
    OK(setresuid(1234, 1234, 1234));
    OK(open("f", O_RDONLY));
    EXPECT_ERRNO(EACCES, open("f", O_WRONLY));
  }
  IN_CHILD {
    become_ordinary_user();
    EXPECT_ERRNO(EACCES, open("f", O_RDONLY));
  }
}

CHECK_ROOT(owner_class_comes_first) {
  put_file("f", "text");
  OK(chown("f", ORDINARY_ID, ORDINARY_ID));
  OK(chmod("f", 0077));
  become_ordinary_user();
  EXPECT_ERRNO(EACCES, open("f", O_RDONLY));
}

CHECK_ROOT(access_uses_real_ids) {
  put_file("f", "text");
  OK(chmod("f", 0600));
  OK(setresuid(1234, 0, 0));
  EXPECT_ERRNO(EACCES, access("f", R_OK));
  OK(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
}

CHECK_ROOT(root_reads_but_does_not_execute) {
  put_file("f", "text");
  OK(chmod("f", 0));
  OK(close(OK(open("f", O_RDWR))));
  EXPECT_ERRNO(EACCES, access("f", X_OK));
  OK(chmod("f", 0001));
  OK(access("f", X_OK));
}

CHECK(utimensat_sets_nanoseconds) {
  put_file("f", "");
  struct timespec times[] = {{1000000000, 123456789}, {2000000000, 987654321}};
  OK(utimensat(AT_FDCWD, "f", times, 0));
  struct stat status = status_of("f");
  EXPECT_EQ(1000000000, status.st_atim.tv_sec);
  EXPECT_EQ(123456789, status.st_atim.tv_nsec);
  EXPECT_EQ(2000000000, status.st_mtim.tv_sec);
  EXPECT_EQ(987654321, status.st_mtim.tv_nsec);
}

CHECK(utimensat_now_and_omit) {
  put_file("f", "");
  struct timespec old[] = {{1000, 0}, {2000, 0}}, times[] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  OK(utimensat(AT_FDCWD, "f", old, 0));
  OK(utimensat(AT_FDCWD, "f", times, 0));
  EXPECT_EQ(1000, status_of("f").st_atim.tv_sec);
  EXPECT(labs(status_of("f").st_mtim.tv_sec - time(NULL)) < 10);
}

CHECK(utimensat_of_symlink_itself) {
  put_file("f", "");
  OK(symlink("f", "l"));
  struct timespec times[] = {{1000, 0}, {2000, 0}};
  OK(utimensat(AT_FDCWD, "l", times, AT_SYMLINK_NOFOLLOW));
  EXPECT_EQ(2000, status_of("l").st_mtim.tv_sec);
  EXPECT(status_of("f").st_mtim.tv_sec != 2000);
}

CHECK(write_updates_times) {
  put_file("f", "");
  struct timespec times[] = {{1000, 0}, {2000, 0}};
  OK(utimensat(AT_FDCWD, "f", times, 0));
  long changed = status_of("f").st_ctim.tv_sec;
  EXPECT(labs(changed - time(NULL)) < 10);
  put_file("f", "x");
  EXPECT(labs(status_of("f").st_mtim.tv_sec - time(NULL)) < 10);
}

CHECK(directory_changes_update_its_time) {
  OK(mkdir("d", 0755));
  struct timespec times[] = {{1000, 0}, {2000, 0}};
  OK(utimensat(AT_FDCWD, "d", times, 0));
  put_file("d/f", "");
  EXPECT(status_of("d").st_mtim.tv_sec != 2000);
  OK(utimensat(AT_FDCWD, "d", times, 0));
  OK(unlink("d/f"));
  EXPECT(status_of("d").st_mtim.tv_sec != 2000);
}

CHECK(futimens_of_descriptor) {
  int fd = OK(open("f", O_CREAT | O_RDONLY, 0644));
  struct timespec times[] = {{1000, 5}, {2000, 6}};
  OK(futimens(fd, times));
  EXPECT_EQ(6, status_of("f").st_mtim.tv_nsec);
}

CHECK(statx_agrees_with_stat) {
  struct statx x;
  put_file("f", "hello");
  struct stat status = status_of("f");
  OK(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
  EXPECT_EQ(STATX_BASIC_STATS, x.stx_mask & STATX_BASIC_STATS);
  EXPECT_EQ(status.st_ino, x.stx_ino);
  EXPECT_EQ(status.st_mode, x.stx_mode);
  EXPECT_EQ(5, x.stx_size);
  EXPECT_EQ(status.st_uid, x.stx_uid);
  EXPECT_EQ(status.st_mtim.tv_nsec, x.stx_mtime.tv_nsec);
  EXPECT_EQ(status.st_dev, makedev(x.stx_dev_major, x.stx_dev_minor));
}

CHECK(stat_blocks) {
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  static char block[16384];
  memset(block, 1, sizeof block);
  OK(write(fd, block, sizeof block));
  EXPECT_EQ(32, status_of("f").st_blocks);
  EXPECT_EQ(4096, status_of("f").st_blksize);
}

CHECK(fifo_and_device_types) {
  OK(mkfifo("p", 0666));
  EXPECT_EQ(S_IFIFO | 0644, status_of("p").st_mode);
  OK(mknod("f", 0600, 0));
  EXPECT_EQ(S_IFREG | 0600, status_of("f").st_mode);
  OK(mknod("s", S_IFSOCK | 0600, 0));
  EXPECT_EQ(S_IFSOCK | 0600, status_of("s").st_mode);
  EXPECT_ERRNO(ENXIO, open("s", O_RDWR));
}

CHECK_ROOT(mknod_device_works) {
  OK(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
  EXPECT_EQ(makedev(1, 3), status_of("null").st_rdev);
}

CHECK(xattr_set_get_list_remove) {
  char value[100], names[200];
  put_file("f", "");
  OK(setxattr("f", "user.one", "1", 1, 0));
  OK(setxattr("f", "user.two", "\0\1\2", 3, 0));
  EXPECT_EQ(3, getxattr("f", "user.two", value, 100));
  EXPECT(memcmp(value, "\0\1\2", 3) == 0);
  EXPECT_EQ(3, getxattr("f", "user.two", NULL, 0));
  EXPECT_EQ(18, listxattr("f", NULL, 0));
  EXPECT_EQ(18, listxattr("f", names, 200));
  OK(removexattr("f", "user.one"));
  EXPECT_EQ(9, listxattr("f", names, 200));
  EXPECT_STR("user.two", names);
  OK(setxattr("f", "user.two", "", 0, XATTR_REPLACE));
  EXPECT_EQ(0, getxattr("f", "user.two", value, 100));
}

CHECK(xattr_by_descriptor) {
  char value[10];
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  OK(fsetxattr(fd, "user.name", "abc", 3, XATTR_CREATE));
  EXPECT_EQ(3, fgetxattr(fd, "user.name", value, 10));
  EXPECT_EQ(3, getxattr("f", "user.name", value, 10));
  OK(fremovexattr(fd, "user.name"));
  EXPECT_ERRNO(ENODATA, fgetxattr(fd, "user.name", value, 10));
}

CHECK_ROOT(xattr_trusted) {
  NEED_CAPABILITY(CAP_SYS_ADMIN);
  char value[10];
  put_file("f", "");
  OK(setxattr("f", "trusted.name", "abc", 3, 0));
  EXPECT_EQ(3, getxattr("f", "trusted.name", value, 10));
}

CHECK(statfs_and_statvfs) {
  struct statfs fs;
  struct statvfs vfs;
  OK(statfs("/proc", &fs));
  EXPECT_EQ(0x9fa0, fs.f_type);
  OK(statfs(".", &fs));
  EXPECT_EQ(255, fs.f_namelen);
  OK(statvfs(".", &vfs));
  EXPECT_EQ(255, vfs.f_namemax);
}

CHECK(openat_relative_to_descriptor) {
  OK(mkdir("d", 0755));
  put_file("d/f", "text");
  int fd = OK(open("d", O_PATH));
  OK(close(OK(openat(fd, "f", O_RDONLY))));
  OK(mkdirat(fd, "e", 0755));
  OK(renameat(fd, "e", AT_FDCWD, "moved"));
  OK(unlinkat(AT_FDCWD, "moved", AT_REMOVEDIR));
  OK(symlinkat("f", fd, "l"));
  char target[10] = "";
  EXPECT_EQ(1, readlinkat(fd, "l", target, 10));
  OK(fchmodat(fd, "f", 0600, 0));
  EXPECT_EQ(0600, status_of("d/f").st_mode & 0777);
}

CHECK(path_descriptor_of_symlink) {
  char target[10] = "";
  struct stat status;
  OK(symlink("target", "l"));
  int fd = OK(open("l", O_PATH | O_NOFOLLOW));
  OK(fstat(fd, &status));
  EXPECT_EQ(S_IFLNK, status.st_mode & S_IFMT);
  EXPECT_EQ(6, readlinkat(fd, "", target, 10));
}

CHECK(openat2_resolve) {
  struct { unsigned long flags, mode, resolve; } how = {O_RDONLY, 0, 0x10};
  OK(mkdir("root", 0755));
  put_file("root/f", "text");
  OK(symlink("/f", "root/l"));
  int fd = OK(open("root", O_PATH));
  OK(syscall(SYS_openat2, fd, "l", &how, sizeof how));
  OK(syscall(SYS_openat2, fd, "../../f", &how, sizeof how));
  how.resolve = 0x08;
  EXPECT_ERRNO(EXDEV, syscall(SYS_openat2, fd, "l", &how, sizeof how));
  OK(syscall(SYS_openat2, fd, "f", &how, sizeof how));
}

CHECK_ROOT(chroot_confines) {
  OK(mkdir("r", 0755));
  put_file("r/f", "text");
  OK(chroot("r"));
  EXPECT_STR("text", get_file("/f"));
  OK(chdir("/"));
  EXPECT_STR("text", get_file("../../../f"));
  char path[100];
  EXPECT(getcwd(path, sizeof path) != NULL);
  EXPECT_STR("/", path);
}

CHECK_ROOT(mount_tmpfs) {
  NEED_CAPABILITY(CAP_SYS_ADMIN);
  private_mounts();
  OK(mkdir("m", 0755));
  put_file("m/below", "");
  OK(mount("name", "m", "tmpfs", 0, "mode=0700,size=1m"));
  EXPECT_ERRNO(ENOENT, access("m/below", F_OK));
  EXPECT_EQ(0700, status_of("m").st_mode & 0777);
  EXPECT(status_of("m").st_dev != status_of(".").st_dev);
  put_file("m/f", "");
  EXPECT_ERRNO(EXDEV, rename("m/f", "f"));
  EXPECT_ERRNO(EXDEV, link("m/f", "f"));
  EXPECT_ERRNO(EBUSY, rmdir("m"));
  OK(mount("none", "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
  EXPECT_ERRNO(EROFS, open("m/g", O_CREAT | O_WRONLY, 0644));
  OK(umount("m"));
  OK(access("m/below", F_OK));
}

CHECK_ROOT(mount_bind) {
  NEED_CAPABILITY(CAP_SYS_ADMIN);
  private_mounts();
  OK(mkdir("a", 0755));
  OK(mkdir("b", 0755));
  put_file("a/f", "text");
  OK(mount("a", "b", NULL, MS_BIND, NULL));
  EXPECT_STR("text", get_file("b/f"));
  OK(umount2("b", MNT_DETACH));
  EXPECT_ERRNO(ENOENT, access("b/f", F_OK));
}
