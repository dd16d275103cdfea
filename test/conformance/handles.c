/* Files by handles instead of names: name_to_handle_at(2), open_by_handle_at(2). */
#include "check.h"

/* A handle, in memory that is large enough. */
static struct file_handle *handle_of(const char *path, int *mount) {
  static _Alignas(8) char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  struct file_handle *handle = (struct file_handle *)space;
  handle->handle_bytes = MAX_HANDLE_SZ;
  OK(name_to_handle_at(AT_FDCWD, path, handle, mount, 0));
  return handle;
}

CHECK(file_handle_of_a_memory_file) {
  int mount = -1;
  put_file("f", "data");
  struct file_handle *handle = handle_of("f", &mount);
  EXPECT_EQ(12, handle->handle_bytes);
  EXPECT_EQ(1, handle->handle_type);
  struct statx status;
  OK(statx(AT_FDCWD, "f", 0, STATX_MNT_ID, &status));
  EXPECT_EQ(status.stx_mnt_id, mount);
}

CHECK(file_handle_says_how_large_it_is) {
  struct file_handle handle = {0, 0, {}};
  int mount = -1;
  put_file("f", "data");
  EXPECT_ERRNO(EOVERFLOW, name_to_handle_at(AT_FDCWD, "f", &handle, &mount, 0));
  EXPECT_EQ(12, handle.handle_bytes);
  EXPECT(mount >= 0);
}

CHECK(file_handle_opens_the_file_under_another_name) {
  NEED_CAPABILITY(2);
  char text[10] = "";
  int mount;
  put_file("f", "data");
  struct file_handle *handle = handle_of("f", &mount);
  OK(rename("f", "g"));
  int fd = OK(open_by_handle_at(OK(open(".", O_RDONLY)), handle, O_RDONLY));
  EXPECT_EQ(4, read(fd, text, 10));
  EXPECT_STR("data", text);
}

CHECK(file_handle_of_a_directory) {
  NEED_CAPABILITY(2);
  int mount;
  OK(mkdir("d", 0755));
  int fd = OK(open_by_handle_at(AT_FDCWD, handle_of("d", &mount), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
  OK(mkdirat(fd, "inner", 0755));
  OK(access("d/inner", F_OK));
}

CHECK(file_handle_is_stale_when_the_file_is_gone) {
  NEED_CAPABILITY(2);
  int mount;
  put_file("f", "data");
  struct file_handle *handle = handle_of("f", &mount);
  OK(unlink("f"));
  EXPECT_ERRNO(ESTALE, open_by_handle_at(AT_FDCWD, handle, O_RDONLY));
}

CHECK(file_handle_of_a_descriptor_and_of_a_link) {
  char one[12], other[12];
  int mount;
  put_file("f", "data");
  OK(symlink("f", "l"));
  memcpy(one, handle_of("f", &mount)->f_handle, 12);
  memcpy(other, handle_of("l", &mount)->f_handle, 12);
  EXPECT(memcmp(one, other, 12) != 0);
  struct file_handle *handle = handle_of("f", &mount);
  memset(handle->f_handle, 0, 12);
  OK(name_to_handle_at(OK(open("f", O_PATH)), "", handle, &mount, AT_EMPTY_PATH));
  EXPECT(memcmp(one, handle->f_handle, 12) == 0);
  OK(name_to_handle_at(AT_FDCWD, "l", handle, &mount, AT_SYMLINK_FOLLOW));
  EXPECT(memcmp(one, handle->f_handle, 12) == 0);
}
