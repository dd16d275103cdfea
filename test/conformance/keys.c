/* keyrings(7): add_key(2), request_key(2), keyctl(2). */
#include "check.h"
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define KEYCTL(...) syscall(SYS_keyctl, __VA_ARGS__)
enum { THREAD = KEY_SPEC_THREAD_KEYRING, PROCESS = KEY_SPEC_PROCESS_KEYRING, SESSION = KEY_SPEC_SESSION_KEYRING, USER = KEY_SPEC_USER_KEYRING };

static long add(const char *type, const char *description, const char *payload, int ring) {
  return syscall(SYS_add_key, type, description, payload, payload ? strlen(payload) : 0, ring);
}
static const char *described(long key) {
  static char text[512];
  EXPECT_EQ(OK(KEYCTL(KEYCTL_DESCRIBE, key, text, sizeof text)), (long)strlen(text) + 1);
  return text;
}
static const char *contents(long key) {
  static char text[512];
  text[OK(KEYCTL(KEYCTL_READ, key, text, sizeof text))] = 0;
  return text;
}
static long new_session(void) { return OK(KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, NULL)); }

CHECK(add_and_read) {
  new_session();
  long key = OK(add("user", "name", "secret", SESSION));
  char wanted[64], small[4] = "abc";
  snprintf(wanted, sizeof wanted, "user;%d;%d;3f010000;name", getuid(), getgid());
  EXPECT_STR(wanted, described(key));
  EXPECT_STR("secret", contents(key));
  EXPECT_EQ(6, KEYCTL(KEYCTL_READ, key, small, 2));
  EXPECT_STR("abc", small);
  EXPECT_EQ(6, KEYCTL(KEYCTL_READ, key, NULL, 0));
  EXPECT_EQ((long)strlen(wanted) + 1, KEYCTL(KEYCTL_DESCRIBE, key, NULL, 0));
}

CHECK(adding_again_updates) {
  new_session();
  long key = OK(add("user", "name", "one", SESSION));
  EXPECT_EQ(key, add("user", "name", "three", SESSION));
  EXPECT_STR("three", contents(key));
  EXPECT(add("user", "other", "one", SESSION) != key);
  OK(KEYCTL(KEYCTL_UPDATE, key, "five5", 5));
  EXPECT_STR("five5", contents(key));
}

CHECK(add_refuses) {
  new_session();
  EXPECT_ERRNO(ENODEV, add("nosuch", "name", "x", SESSION));
  EXPECT_ERRNO(EPERM, add(".internal", "name", "x", SESSION));
  EXPECT_ERRNO(EPERM, add("keyring", ".internal", NULL, SESSION));
  EXPECT_ERRNO(EINVAL, add("a type whose name is far too long for one", "name", "x", SESSION));
  EXPECT_ERRNO(EINVAL, add("user", "", "x", SESSION));
  EXPECT_ERRNO(EINVAL, add("user", "name", NULL, SESSION));
  EXPECT_ERRNO(EINVAL, add("logon", "name", "x", SESSION));
  EXPECT_ERRNO(EINVAL, add("keyring", "ring", "x", SESSION));
  EXPECT_ERRNO(EINVAL, add("user", "name", "x", -99));
  EXPECT_ERRNO(ENOKEY, add("user", "name", "x", 0x3ffffff1));
  EXPECT_ERRNO(EFAULT, syscall(SYS_add_key, "user", "name", 8, 5, SESSION));
  EXPECT_ERRNO(EFAULT, syscall(SYS_add_key, 8, "name", "x", 1, SESSION));
  EXPECT_ERRNO(EINVAL, syscall(SYS_add_key, "user", "name", "x", 1 << 21, SESSION));
  long key = OK(add("user", "name", "x", SESSION));
  EXPECT_ERRNO(ENOTDIR, add("user", "other", "x", key));
}

CHECK(logon_keys_are_not_read) {
  new_session();
  long key = OK(add("logon", "service:name", "secret", SESSION));
  char text[16];
  EXPECT_ERRNO(EOPNOTSUPP, KEYCTL(KEYCTL_READ, key, text, sizeof text));
  EXPECT(strstr(described(key), ";3d010000;") != NULL);
}

CHECK(special_keyrings) {
  EXPECT_ERRNO(ENOKEY, KEYCTL(KEYCTL_GET_KEYRING_ID, THREAD, 0));
  EXPECT_ERRNO(ENOKEY, KEYCTL(KEYCTL_GET_KEYRING_ID, PROCESS, 0));
  EXPECT_ERRNO(EINVAL, KEYCTL(KEYCTL_GET_KEYRING_ID, -6, 0));
  EXPECT_ERRNO(EINVAL, KEYCTL(KEYCTL_GET_KEYRING_ID, 0, 0));
  long thread = OK(KEYCTL(KEYCTL_GET_KEYRING_ID, THREAD, 1)), process = OK(KEYCTL(KEYCTL_GET_KEYRING_ID, PROCESS, 1));
  EXPECT_EQ(thread, KEYCTL(KEYCTL_GET_KEYRING_ID, THREAD, 0));
  char wanted[64];
  snprintf(wanted, sizeof wanted, "keyring;%d;%d;3f010000;_tid", getuid(), getgid());
  EXPECT_STR(wanted, described(thread));
  EXPECT(strstr(described(process), ";_pid") != NULL);
  snprintf(wanted, sizeof wanted, "keyring;%d;65534;1f3f0000;_uid.%d", getuid(), getuid());
  EXPECT_STR(wanted, described(USER));
  pid_t pid = FORK();
  if (pid == 0) {
    EXPECT_ERRNO(ENOKEY, KEYCTL(KEYCTL_GET_KEYRING_ID, THREAD, 0));
    EXPECT_ERRNO(ENOKEY, KEYCTL(KEYCTL_GET_KEYRING_ID, PROCESS, 0));
    _exit(0);
  }
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(session_is_inherited) {
  long session = new_session();
  OK(add("user", "name", "x", SESSION));
  pid_t pid = FORK();
  if (pid == 0) {
    EXPECT_EQ(session, KEYCTL(KEYCTL_GET_KEYRING_ID, SESSION, 0));
    EXPECT(syscall(SYS_request_key, "user", "name", NULL, 0) > 0);
    EXPECT(new_session() != session);
    EXPECT_ERRNO(ENOKEY, syscall(SYS_request_key, "user", "name", NULL, 0));
    _exit(0);
  }
  EXPECT_EQ(0, WAIT(pid));
  EXPECT_EQ(session, KEYCTL(KEYCTL_GET_KEYRING_ID, SESSION, 0));
  EXPECT(strstr(described(session), ";3f030000;_ses") != NULL);
}

CHECK(named_session) {
  char name[64];
  snprintf(name, sizeof name, "check-%d", getpid());
  long session = OK(KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, name));
  EXPECT(strstr(described(session), name) != NULL);
  EXPECT_ERRNO(EPERM, KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, ".hidden"));
  EXPECT_ERRNO(EFAULT, KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, 8));
}

CHECK(searching) {
  new_session();
  long ring = OK(add("keyring", "ring", NULL, SESSION)), inner = OK(add("keyring", "inner", NULL, ring)), key = OK(add("user", "deep", "x", inner));
  EXPECT_EQ(key, KEYCTL(KEYCTL_SEARCH, SESSION, "user", "deep", 0));
  EXPECT_EQ(key, KEYCTL(KEYCTL_SEARCH, ring, "user", "deep", 0));
  EXPECT_ERRNO(ENOKEY, KEYCTL(KEYCTL_SEARCH, SESSION, "user", "none", 0));
  EXPECT_ERRNO(ENOTDIR, KEYCTL(KEYCTL_SEARCH, key, "user", "deep", 0));
  EXPECT_EQ(key, syscall(SYS_request_key, "user", "deep", NULL, 0));
  EXPECT_ERRNO(ENOKEY, syscall(SYS_request_key, "user", "none", NULL, 0));
  EXPECT_EQ(key, KEYCTL(KEYCTL_SEARCH, SESSION, "user", "deep", PROCESS));
  int serials[8];
  EXPECT_EQ(4, KEYCTL(KEYCTL_READ, PROCESS, serials, sizeof serials));
  EXPECT_EQ(key, serials[0]);
}

CHECK(linking) {
  new_session();
  long ring = OK(add("keyring", "ring", NULL, SESSION)), key = OK(add("user", "name", "x", SESSION));
  OK(KEYCTL(KEYCTL_LINK, key, ring));
  OK(KEYCTL(KEYCTL_UNLINK, key, SESSION));
  EXPECT_ERRNO(ENOENT, KEYCTL(KEYCTL_UNLINK, key, SESSION));
  EXPECT_STR("x", contents(key));
  EXPECT_ERRNO(ENOTDIR, KEYCTL(KEYCTL_LINK, ring, key));
  EXPECT_ERRNO(EDEADLK, KEYCTL(KEYCTL_LINK, ring, ring));
  long inner = OK(add("keyring", "inner", NULL, ring));
  EXPECT_ERRNO(EDEADLK, KEYCTL(KEYCTL_LINK, ring, inner));
  OK(KEYCTL(KEYCTL_CLEAR, ring));
  EXPECT_EQ(0, KEYCTL(KEYCTL_READ, ring, NULL, 0));
  EXPECT_ERRNO(ENOTDIR, (OK(add("user", "name", "x", SESSION)), KEYCTL(KEYCTL_CLEAR, add("user", "name", "x", SESSION))));
}

CHECK(moving) {
  new_session();
  long from = OK(add("keyring", "from", NULL, SESSION)), to = OK(add("keyring", "to", NULL, SESSION)), key = OK(add("user", "name", "x", from));
  OK(KEYCTL(KEYCTL_MOVE, key, from, to, 0));
  EXPECT_ERRNO(ENOENT, KEYCTL(KEYCTL_UNLINK, key, from));
  EXPECT_EQ(key, KEYCTL(KEYCTL_SEARCH, to, "user", "name", 0));
  OK(add("user", "name", "y", from));
  EXPECT_ERRNO(EEXIST, KEYCTL(KEYCTL_MOVE, add("user", "name", "y", from), from, to, KEYCTL_MOVE_EXCL));
  EXPECT_ERRNO(EINVAL, KEYCTL(KEYCTL_MOVE, key, from, to, 8));
}

CHECK(revoking) {
  new_session();
  long key = OK(add("user", "name", "x", SESSION));
  OK(KEYCTL(KEYCTL_REVOKE, key));
  EXPECT_ERRNO(EKEYREVOKED, KEYCTL(KEYCTL_READ, key, NULL, 0));
  EXPECT_ERRNO(EKEYREVOKED, KEYCTL(KEYCTL_DESCRIBE, key, NULL, 0));
  EXPECT_ERRNO(EKEYREVOKED, KEYCTL(KEYCTL_UPDATE, key, "y", 1));
  EXPECT_ERRNO(EKEYREVOKED, syscall(SYS_request_key, "user", "name", NULL, 0));
  EXPECT(add("user", "name", "new", SESSION) != key);
}

CHECK(invalidating) {
  new_session();
  long key = OK(add("user", "name", "x", SESSION));
  OK(KEYCTL(KEYCTL_INVALIDATE, key));
  EXPECT_EQ(-1, KEYCTL(KEYCTL_READ, key, NULL, 0));
  /* It is collected a little later. */
  EXPECT(errno == ENOKEY || errno == EACCES || errno == EKEYREVOKED);
}

CHECK(timeouts) {
  new_session();
  long key = OK(add("user", "name", "x", SESSION));
  OK(KEYCTL(KEYCTL_SET_TIMEOUT, key, 100));
  EXPECT_STR("x", contents(key));
  OK(KEYCTL(KEYCTL_SET_TIMEOUT, key, 1));
  struct timespec pause = {1, 100000000};
  nanosleep(&pause, NULL);
  EXPECT_ERRNO(EKEYEXPIRED, KEYCTL(KEYCTL_READ, key, NULL, 0));
}

CHECK(permissions) {
  new_session();
  long key = OK(add("user", "name", "x", SESSION));
  EXPECT_ERRNO(EINVAL, KEYCTL(KEYCTL_SETPERM, key, 0x40000000));
  OK(KEYCTL(KEYCTL_SETPERM, key, 0x29000000));
  EXPECT(strstr(described(key), ";29000000;") != NULL);
  EXPECT_ERRNO(EACCES, KEYCTL(KEYCTL_UPDATE, key, "y", 1));
  EXPECT_ERRNO(EACCES, KEYCTL(KEYCTL_LINK, key, PROCESS));
  OK(KEYCTL(KEYCTL_SETPERM, key, 0x3f000000));
  EXPECT_STR("x", contents(key));
  /* What may not be found is not possessed. */
  OK(KEYCTL(KEYCTL_SETPERM, key, 0x21000000));
  EXPECT_ERRNO(EACCES, KEYCTL(KEYCTL_DESCRIBE, key, NULL, 0));
}

CHECK_ROOT(others_do_not_see_keys) {
  new_session();
  long key = OK(add("user", "name", "x", SESSION));
  pid_t pid = FORK();
  if (pid == 0) {
    new_session();
    OK(setgid(ORDINARY_ID));
    OK(setuid(ORDINARY_ID));
    EXPECT_ERRNO(EACCES, KEYCTL(KEYCTL_READ, key, NULL, 0));
    EXPECT_ERRNO(EACCES, KEYCTL(KEYCTL_DESCRIBE, key, NULL, 0));
    EXPECT_ERRNO(EACCES, KEYCTL(KEYCTL_REVOKE, key));
    EXPECT_ERRNO(EACCES, KEYCTL(KEYCTL_CHOWN, key, ORDINARY_ID, -1));
    _exit(0);
  }
  EXPECT_EQ(0, WAIT(pid));
  OK(KEYCTL(KEYCTL_CHOWN, key, -1, -1));
}

CHECK(what_is_in_use_is_not_destroyed) {
  new_session();
  long key = OK(add("user", "name", "x", SESSION));
  OK(KEYCTL(KEYCTL_LINK, SESSION, USER));
  OK(KEYCTL(KEYCTL_UNLINK, SESSION, USER));
  EXPECT_EQ(key, KEYCTL(KEYCTL_SEARCH, SESSION, "user", "name", 0));
  long session = OK(KEYCTL(KEYCTL_GET_KEYRING_ID, SESSION, 0)), user = OK(KEYCTL(KEYCTL_GET_KEYRING_ID, USER, 0));
  OK(KEYCTL(KEYCTL_LINK, USER, session));
  OK(KEYCTL(KEYCTL_UNLINK, USER, session));
  EXPECT_EQ(user, KEYCTL(KEYCTL_GET_KEYRING_ID, USER, 0));
}

CHECK(link_in_place_of_what_holds_it) {
  new_session();
  long outer = OK(add("keyring", "outer", NULL, SESSION)), ring = OK(add("keyring", "ring", NULL, outer)), inner = OK(add("keyring", "ring", NULL, ring));
  OK(KEYCTL(KEYCTL_LINK, inner, outer));
  EXPECT(strstr(described(inner), ";ring") != NULL);
  EXPECT_EQ(inner, KEYCTL(KEYCTL_SEARCH, outer, "keyring", "ring", 0));
}

CHECK_USER(ids_in_a_user_namespace) {
  char text[64];
  uid_t uid = geteuid();
  OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
  new_session();
  long key = OK(add("user", "name", "x", SESSION));
  OK(unshare(CLONE_NEWUSER));
  snprintf(text, sizeof text, "0 %d 1", uid);
  put_file("/proc/self/uid_map", text);
  EXPECT_STR("user;0;65534;3f010000;name", described(key));
  OK(KEYCTL(KEYCTL_CHOWN, key, 0, -1));
  EXPECT_ERRNO(EINVAL, KEYCTL(KEYCTL_CHOWN, key, 5, -1));
  EXPECT_ERRNO(EINVAL, KEYCTL(KEYCTL_CHOWN, key, -1, 5));
}

/* Keyrings in keyrings, as deep as root's quota allows: the first takes all others along. */
CHECK_ROOT(long_chains_end) {
  enum { DEPTH = 4000 };
  static long ring[DEPTH];
  char name[32];
  new_session();
  for (int i = 0; i < DEPTH; i++) {
    snprintf(name, sizeof name, "ring%d", i);
    ring[i] = OK(add("keyring", name, NULL, PROCESS));
  }
  for (int i = 0; i + 1 < DEPTH; i++) OK(KEYCTL(KEYCTL_LINK, ring[i + 1], ring[i]));
  for (int i = DEPTH - 1; i >= 0; i--) OK(KEYCTL(KEYCTL_UNLINK, ring[i], PROCESS));
  OK(add("user", "name", "x", SESSION));
}

CHECK_USER(quota) {
  new_session();
  char name[32];
  int made;
  for (made = 0; made < 300; made++) {
    snprintf(name, sizeof name, "key%d", made);
    if (add("user", name, "x", SESSION) < 0) break;
  }
  EXPECT_EQ(EDQUOT, errno);
  EXPECT(made < 200);
  OK(KEYCTL(KEYCTL_CLEAR, SESSION));
}

CHECK(keyctl_refuses) {
  unsigned char bytes[2];
  EXPECT_ERRNO(EOPNOTSUPP, KEYCTL(999));
  EXPECT_ERRNO(ENOKEY, KEYCTL(KEYCTL_READ, 0x3ffffff1, NULL, 0));
  EXPECT_EQ(2, KEYCTL(KEYCTL_CAPABILITIES, bytes, 2));
  EXPECT_EQ(KEYCTL_CAPS0_CAPABILITIES, bytes[0] & KEYCTL_CAPS0_CAPABILITIES);
  EXPECT_EQ(0, KEYCTL(KEYCTL_ASSUME_AUTHORITY, 0));
}

/* Users come and go, each with keyrings of its own. */
CHECK_ROOT(keyrings_of_many_users) {
  NEED_CAPABILITY(7);
  for (int uid = 100000; uid < 101500; uid++) {
    OK(setresuid(uid, -1, -1));
    OK(KEYCTL(KEYCTL_GET_KEYRING_ID, USER, 0));
  }
  OK(setresuid(0, -1, -1));
  OK(add("user", "name", "x", USER));
  OK(KEYCTL(KEYCTL_CLEAR, USER));
}
