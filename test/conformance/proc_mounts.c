/* proc(5), "Mount options": hidepid=, gid=, subset=. */
#include "check.h"
#include <dirent.h>

/* A procfs in p; `self` is a process of root's, seen from children. */
static pid_t self;
static void show(const char *options) {
  NEED_ADMIN;
  private_mounts();
  self = getpid();
  OK(mkdir("p", 0755));
  OK(mount("proc", "p", "proc", 0, options));
}
#define AS_ORDINARY_USER IN_CHILD for (int done_ = (become_ordinary_user(), 0); !done_; done_ = 1)

static const char *path_of(pid_t pid, const char *name) {
  static char path[64];
  snprintf(path, sizeof path, "p/%d%s%s", pid, *name ? "/" : "", name);
  return path;
}
static int lists(pid_t pid) {
  DIR *directory = opendir("p");
  EXPECT(directory != NULL);
  int found = 0;
  for (struct dirent *entry; (entry = readdir(directory));) found |= atoi(entry->d_name) == pid;
  closedir(directory);
  return found;
}
static void sees_all(void) {
  struct stat status;
  OK(stat(path_of(self, ""), &status));
  EXPECT_EQ(S_IFDIR | 0555, status.st_mode);
  close(OK(open(path_of(self, "status"), O_RDONLY)));
  close(OK(open(path_of(self, ""), O_RDONLY | O_DIRECTORY)));
  EXPECT(lists(self));
}
static void sees_itself(void) {
  close(OK(open("p/self/status", O_RDONLY)));
  close(OK(open(path_of(getpid(), "status"), O_RDONLY)));
  EXPECT(lists(getpid()));
}
static void sees_names_only(void) {
  struct stat status;
  OK(stat(path_of(self, ""), &status));
  EXPECT_EQ(S_IFDIR | 0555, status.st_mode);
  EXPECT_ERRNO(EPERM, open(path_of(self, "status"), O_RDONLY));
  EXPECT_ERRNO(EPERM, open(path_of(self, ""), O_RDONLY | O_DIRECTORY));
  EXPECT_ERRNO(EPERM, access(path_of(self, "cmdline"), F_OK));
  EXPECT_ERRNO(EPERM, access(path_of(self, ""), X_OK));
  EXPECT_ERRNO(EPERM, chdir(path_of(self, "")));
  EXPECT(lists(self));
}
static void sees_nothing(void) {
  struct stat status;
  EXPECT_ERRNO(ENOENT, stat(path_of(self, ""), &status));
  EXPECT_ERRNO(ENOENT, open(path_of(self, "status"), O_RDONLY));
  EXPECT_ERRNO(ENOENT, open(path_of(self, ""), O_RDONLY | O_DIRECTORY));
  EXPECT_ERRNO(ENOENT, chdir(path_of(self, "")));
  EXPECT(!lists(self));
}

CHECK_ROOT(hidepid_off) {
  show("hidepid=0");
  AS_ORDINARY_USER sees_all();
}

CHECK_ROOT(hidepid_noaccess) {
  show("hidepid=1");
  sees_all();
  AS_ORDINARY_USER sees_names_only(), sees_itself();
}

CHECK_ROOT(hidepid_invisible) {
  show("hidepid=2");
  sees_all();
  AS_ORDINARY_USER {
    sees_nothing(), sees_itself();
    /* It is there all the same. */
    EXPECT_ERRNO(EPERM, kill(self, 0));
  }
}

CHECK_ROOT(hidepid_ptraceable) {
  show("hidepid=4,gid=1234");
  /* Before anybody who may has looked there: Linux keeps the name then, and answers EPERM. */
  AS_ORDINARY_USER sees_nothing(), sees_itself();
  sees_all();
}

CHECK_ROOT(hidepid_by_name) {
  show("hidepid=invisible");
  AS_ORDINARY_USER sees_nothing();
}

CHECK_ROOT(hidepid_of_a_group) {
  show("hidepid=2,gid=1234");
  AS_ORDINARY_USER sees_all();
}

CHECK_ROOT(hidepid_of_open_directories) {
  show("hidepid=1");
  int fd = OK(open(path_of(self, ""), O_RDONLY | O_DIRECTORY));
  AS_ORDINARY_USER EXPECT_ERRNO(EPERM, openat(fd, "status", O_RDONLY));
}

CHECK_ROOT(hidepid_of_each_mount) {
  show("hidepid=2");
  OK(mkdir("q", 0755));
  OK(mount("proc", "q", "proc", 0, NULL));
  char path[64];
  snprintf(path, sizeof path, "q/%d/status", self);
  AS_ORDINARY_USER {
    sees_nothing();
    close(OK(open(path, O_RDONLY)));
  }
}

CHECK_ROOT(hidepid_remounted) {
  show(NULL);
  AS_ORDINARY_USER sees_all();
  OK(mount(NULL, "p", NULL, MS_REMOUNT, "hidepid=2"));
  AS_ORDINARY_USER sees_nothing();
  OK(mount(NULL, "p", NULL, MS_REMOUNT, "gid=1234"));
  AS_ORDINARY_USER sees_all();
  OK(mount(NULL, "p", NULL, MS_REMOUNT, "hidepid=noaccess,gid=5"));
  AS_ORDINARY_USER sees_names_only();
  EXPECT_ERRNO(EINVAL, mount(NULL, "p", NULL, MS_REMOUNT, "hidepid=3"));
}

CHECK_ROOT(hidepid_by_the_newer_calls) {
  show(NULL);
  int fd = OK(syscall(SYS_fspick, AT_FDCWD, "p", 0));
  OK(syscall(SYS_fsconfig, fd, 1, "hidepid", "invisible", 0));
  EXPECT_ERRNO(EINVAL, syscall(SYS_fsconfig, fd, 1, "hidepid", "never", 0));
  OK(syscall(SYS_fsconfig, fd, 7, NULL, NULL, 0));
  AS_ORDINARY_USER sees_nothing();
}

CHECK_ROOT(hidepid_is_shown) {
  show("hidepid=2,gid=77");
  EXPECT(strstr(get_file("/proc/self/mountinfo"), "gid=77,hidepid=invisible") != NULL);
}

CHECK_ROOT(proc_bad_options) {
  NEED_ADMIN;
  private_mounts();
  OK(mkdir("p", 0755));
  static const char *const bad[] = {"hidepid=3", "hidepid=5", "hidepid=all", "hidepid=", "gid=-1", "gid=x", "subset=tid", "size=1m"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) EXPECT_ERRNO(EINVAL, mount("proc", "p", "proc", 0, bad[i]));
}

CHECK_ROOT(proc_subset) {
  show("subset=pid");
  sees_all(), sees_itself();
  EXPECT_ERRNO(ENOENT, access("p/meminfo", F_OK));
  EXPECT_ERRNO(ENOENT, access("p/sys", F_OK));
  DIR *directory = opendir("p");
  EXPECT(directory != NULL);
  for (struct dirent *entry; (entry = readdir(directory));)
    EXPECT(*entry->d_name == '.' || atoi(entry->d_name) > 0 || strcmp(entry->d_name, "self") == 0 || strcmp(entry->d_name, "thread-self") == 0);
}
