// gcc: -static -O2
/* A tree as text: one line a name, sorted by bytes, with all that an image keeps of it. Native and inside a container the same program. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static int withOwners;
static const char *root;

static int byBytes(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

static void quoted(const char *text) {
  for (; *text; text++)
    if (*text > 32 && *text < 127 && *text != '\\') putchar(*text);
    else printf("\\%03o", (unsigned char)*text);
}

static unsigned long contents(const char *path) {
  unsigned char buffer[65536];
  unsigned long hash = 14695981039346656037UL;
  ssize_t count;
  int fd = open(path, O_RDONLY);
  if (fd < 0) return 0;
  while ((count = read(fd, buffer, sizeof buffer)) > 0)
    for (ssize_t i = 0; i < count; i++) hash = (hash ^ buffer[i]) * 1099511628211UL;
  close(fd);
  return hash;
}

static void attributes(const char *path) {
  char names[65536], value[65536], *sorted[1024];
  int many = 0;
  ssize_t length = llistxattr(path, names, sizeof names);
  for (char *name = names; length > 0 && name < names + length && many < 1024; name += strlen(name) + 1) sorted[many++] = name;
  qsort(sorted, many, sizeof *sorted, byBytes);
  for (int i = 0; i < many; i++) {
    if (!strcmp(sorted[i], "user.rootlesscontainers")) continue;
    ssize_t size = lgetxattr(path, sorted[i], value, sizeof value);
    printf(" %s=", sorted[i]);
    for (ssize_t j = 0; j < size; j++) printf("%02x", (unsigned char)value[j]);
  }
}

static void visit(const char *path) {
  struct stat st;
  char target[4097];
  const char *shown = strcmp(path, "/") ? path + strlen(root) : "";
  if (lstat(path, &st)) return;
  int isDevice = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode);
  quoted(*shown ? shown : "/");
  if (!withOwners && isDevice) {
    puts(" device");
    return;
  }
  printf(" %o", st.st_mode);
  if (withOwners) printf(" %u:%u", st.st_uid, st.st_gid);
  if (*shown) printf(" %ld.%09ld", (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  if (!S_ISDIR(st.st_mode)) printf(" links %lu", (unsigned long)st.st_nlink);
  if (isDevice) printf(" device %u,%u", major(st.st_rdev), minor(st.st_rdev));
  if (S_ISREG(st.st_mode)) printf(" size %ld hash %lx", (long)st.st_size, contents(path));
  if (S_ISLNK(st.st_mode)) {
    ssize_t length = readlink(path, target, 4096);
    target[length < 0 ? 0 : length] = 0;
    printf(" -> ");
    quoted(target);
  }
  if (withOwners) attributes(path);
  putchar('\n');
  if (!S_ISDIR(st.st_mode)) return;
  char *names[65536];
  int many = 0;
  DIR *directory = opendir(path);
  if (!directory) return;
  for (struct dirent *entry; (entry = readdir(directory)) && many < 65536;)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) names[many++] = strdup(entry->d_name);
  closedir(directory);
  qsort(names, many, sizeof *names, byBytes);
  for (int i = 0; i < many; i++) {
    static const char *const ours[] = {"/proc", "/sys", "/dev", "/lister", "/etc/hosts", "/etc/hostname"};
    char *child;
    if (asprintf(&child, "%s/%s", strcmp(path, "/") ? path : "", names[i]) < 0) return;
    int skip = 0;
    for (unsigned j = 0; j < sizeof ours / sizeof *ours; j++) skip |= !strcmp(child + strlen(root), ours[j]);
    if (!skip) visit(child);
    free(child);
    free(names[i]);
  }
}

int main(int argc, char **argv) {
  withOwners = argc > 2 && !strcmp(argv[2], "owners");
  root = argc > 1 && strcmp(argv[1], "/") ? argv[1] : "";
  visit(*root ? root : "/");
  return 0;
}
