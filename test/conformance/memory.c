/* Memory: mmap(2), mprotect(2), mremap(2), madvise(2), brk(2), shared mappings, faults as signals. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf back;
static volatile int fault_signal, fault_code;
static void *volatile fault_address;

static void on_fault(int signal, siginfo_t *info, void *context) {
  (void)context;
  fault_signal = signal;
  fault_code = info->si_code;
  fault_address = info->si_addr;
  siglongjmp(back, 1);
}

static void catch_faults(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  OK(sigaction(SIGSEGV, &action, NULL));
  OK(sigaction(SIGBUS, &action, NULL));
}

/* The signal that the access ends in, or 0. */
#define FAULT_OF(access) (fault_signal = 0, sigsetjmp(back, 1) == 0 ? ((void)(access), 0) : fault_signal)

static char *pages(size_t count, int protection) {
  char *address = mmap(NULL, count * 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) FAIL("mmap: errno %d", errno);
  return address;
}

CHECK(anonymous_is_zero) {
  char *at = pages(16, PROT_READ | PROT_WRITE);
  for (int i = 0; i < 16 * 4096; i++) EXPECT_EQ(0, at[i]);
}

CHECK(unmapped_memory_is_zero_when_mapped_again) {
  char *at = pages(4, PROT_READ | PROT_WRITE);
  memset(at, 7, 4 * 4096);
  OK(munmap(at, 4 * 4096));
  EXPECT_EQ((long)at, (long)mmap(at, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  for (int i = 0; i < 4 * 4096; i++) EXPECT_EQ(0, at[i]);
}

CHECK(hint_is_honoured_when_free) {
  char *at = pages(16, PROT_READ);
  OK(munmap(at, 16 * 4096));
  EXPECT_EQ((long)(at + 4096), (long)mmap(at + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

CHECK(hint_is_moved_when_taken) {
  char *at = pages(1, PROT_READ);
  char *other = mmap(at, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT(other != MAP_FAILED && other != at);
}

CHECK(fixed_replaces) {
  char *at = pages(3, PROT_READ | PROT_WRITE);
  memset(at, 1, 3 * 4096);
  EXPECT_EQ((long)(at + 4096), (long)mmap(at + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  EXPECT_EQ(1, at[4095]);
  EXPECT_EQ(0, at[4096]);
  EXPECT_EQ(1, at[8192]);
}

CHECK(read_of_unmapped_faults) {
  catch_faults();
  volatile char *at = pages(1, PROT_READ | PROT_WRITE);
  OK(munmap((void *)at, 4096));
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[5]));
  EXPECT_EQ(SEGV_MAPERR, fault_code);
  EXPECT_EQ((long)(at + 5), (long)fault_address);
}

CHECK(null_pointer_faults) {
  catch_faults();
  volatile char *volatile at = NULL;
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[16]));
  EXPECT_EQ(16, (long)fault_address);
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[16] = 1));
}

CHECK(write_to_read_only_faults) {
  catch_faults();
  volatile char *at = pages(1, PROT_READ);
  EXPECT_EQ(0, FAULT_OF(at[0]));
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[8] = 1));
  EXPECT_EQ(SEGV_ACCERR, fault_code);
  EXPECT_EQ((long)(at + 8), (long)fault_address);
}

CHECK(protect_none_and_back) {
  catch_faults();
  volatile char *at = pages(1, PROT_READ | PROT_WRITE);
  at[0] = 42;
  OK(mprotect((void *)at, 4096, PROT_NONE));
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[0]));
  OK(mprotect((void *)at, 4096, PROT_READ));
  EXPECT_EQ(0, FAULT_OF(at[0]));
  EXPECT_EQ(42, at[0]);
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[0] = 1));
  OK(mprotect((void *)at, 4096, PROT_READ | PROT_WRITE));
  EXPECT_EQ(0, FAULT_OF(at[0] = 1));
}

CHECK(non_canonical_address_faults) {
  catch_faults();
  volatile char *volatile at = (char *)0x8000000000000000UL;
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[0]));
  EXPECT_EQ(SI_KERNEL, fault_code);
  EXPECT_EQ(0, (long)fault_address);
}

CHECK(high_address_faults) {
  catch_faults();
  volatile char *volatile at = (char *)0x123456789000UL;
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[0]));
  EXPECT_EQ(SEGV_MAPERR, fault_code);
  EXPECT_EQ(0x123456789000L, (long)fault_address);
}

CHECK(jump_to_data_faults) {
  catch_faults();
  char *at = pages(1, PROT_READ | PROT_WRITE);
  at[0] = (char)0xc3;
  void (*volatile function)(void) = (void (*)(void))at;
  EXPECT_EQ(SIGSEGV, FAULT_OF((function(), 0)));
  EXPECT_EQ((long)at, (long)fault_address);
}

CHECK(access_across_page_end_faults) {
  catch_faults();
  char *at = pages(2, PROT_READ | PROT_WRITE);
  OK(munmap(at + 4096, 4096));
  volatile long *volatile edge = (long *)(at + 4092);
  EXPECT_EQ(SIGSEGV, FAULT_OF(*edge));
  EXPECT_EQ((long)(at + 4096), (long)fault_address);
}

CHECK(bus_error_beyond_file_end) {
  catch_faults();
  put_file("f", "hello");
  int fd = OK(open("f", O_RDONLY));
  volatile char *at = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0);
  EXPECT_EQ(0, FAULT_OF(at[4095]));
  EXPECT_EQ(0, at[4095]);
  EXPECT_EQ(SIGBUS, FAULT_OF(at[4096]));
  EXPECT_EQ(BUS_ADRERR, fault_code);
}

CHECK(truncation_cuts_private_mappings) {
  catch_faults();
  int fd = OK(memfd_create("f", 0));
  OK(ftruncate(fd, 8192));
  volatile char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  at[100] = 1;
  at[4096] = 2;
  OK(ftruncate(fd, 4000));
  EXPECT_EQ(1, at[100]);
  EXPECT_EQ(SIGBUS, FAULT_OF(at[4096]));
  OK(ftruncate(fd, 8192));
  EXPECT_EQ(1, at[100]);
  EXPECT_EQ(0, FAULT_OF(at[4096]));
  EXPECT_EQ(0, at[4096]);
  at[4096] = 3;
  EXPECT_EQ(3, at[4096]);
}

CHECK(truncation_by_name_cuts_private_mappings) {
  catch_faults();
  put_file("f", "hello");
  OK(truncate("f", 8192));
  int fd = OK(open("f", O_RDWR));
  volatile char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  at[5000] = 2;
  OK(truncate("f", 5));
  EXPECT_EQ(SIGBUS, FAULT_OF(at[5000]));
  OK(truncate("f", 8192));
  EXPECT_EQ(0, at[5000]);
  EXPECT_EQ('h', at[0]);
}

CHECK(unhandled_fault_kills) {
  pid_t pid = FORK();
  if (pid == 0) {
    struct { unsigned long soft, hard; } none = {0, 0};
    syscall(SYS_setrlimit, 4, &none);
    *(volatile int *volatile)NULL = 1;
    _exit(0);
  }
  EXPECT_EQ(SIGSEGV, WAIT(pid) & 0x7f);
}

CHECK(code_can_be_written_and_run) {
  static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
  unsigned char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(at, code, sizeof code);
  int (*function)(void) = (int (*)(void))at;
  EXPECT_EQ(42, function());
  at[1] = 43;
  EXPECT_EQ(43, function());
  for (int i = 0; i < 100; i++) at[1] = i, EXPECT_EQ(i, function());
}

CHECK(code_after_mprotect) {
  unsigned char *at = (unsigned char *)pages(1, PROT_READ | PROT_WRITE);
  int (*function)(void) = (int (*)(void))at;
  for (int value = 1; value < 4; value++) {
    unsigned char code[] = {0xb8, value, 0, 0, 0, 0xc3};
    OK(mprotect(at, 4096, PROT_READ | PROT_WRITE));
    memcpy(at, code, sizeof code);
    OK(mprotect(at, 4096, PROT_READ | PROT_EXEC));
    EXPECT_EQ(value, function());
  }
}

CHECK(private_file_mapping_copies) {
  put_file("f", "hello");
  int fd = OK(open("f", O_RDWR));
  char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  EXPECT(memcmp(at, "hello", 6) == 0);
  at[0] = 'j';
  EXPECT_STR("hello", get_file("f"));
}

CHECK(shared_file_mapping_writes_file) {
  put_file("f", "hello");
  int fd = OK(open("f", O_RDWR));
  char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  at[0] = 'j';
  EXPECT_STR("jello", get_file("f"));
  OK(pwrite(fd, "H", 1, 0));
  EXPECT_EQ('H', at[0]);
  at[100] = 'x';
  OK(msync(at, 4096, MS_SYNC));
  OK(munmap(at, 4096));
  EXPECT_STR("Hello", get_file("f"));
}

CHECK(shared_file_two_mappings) {
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  OK(ftruncate(fd, 8192));
  char *a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
  a[4100] = 5;
  EXPECT_EQ(5, b[4]);
  b[5] = 6;
  EXPECT_EQ(6, a[4101]);
}

CHECK(shared_code_is_what_was_written_last) {
  int fd = OK(memfd_create("code", 0));
  OK(ftruncate(fd, 4096));
  unsigned char give[] = {0xb8, 1, 0, 0, 0, 0xc3}; /* mov eax, 1; ret */
  OK(pwrite(fd, give, sizeof give, 0));
  unsigned char *writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  int (*code)(void) = (int (*)(void))mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  for (int i = 0; i < 2000; i++) EXPECT_EQ(1, code());
  give[1] = 2;
  OK(pwrite(fd, give, sizeof give, 0));
  EXPECT_EQ(2, code());
  writable[1] = 3;
  EXPECT_EQ(3, code());
  IN_CHILD { writable[1] = 4; }
  EXPECT_EQ(4, code());
}

CHECK(shared_anonymous_across_fork) {
  volatile int *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  at[0] = 1;
  IN_CHILD {
    EXPECT_EQ(1, at[0]);
    at[0] = 2;
    at[500] = 3;
  }
  EXPECT_EQ(2, at[0]);
  EXPECT_EQ(3, at[500]);
}

CHECK(shared_file_across_processes) {
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  OK(ftruncate(fd, 4096));
  IN_CHILD {
    int own = OK(open("f", O_RDWR));
    char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
    strcpy(at, "from child");
  }
  EXPECT_STR("from child", mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
}

CHECK(shared_memory_ping_pong) {
  volatile int *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pid = FORK();
  if (pid == 0) {
    for (int i = 0; i < 100; i++) {
      while (at[0] != 2 * i + 1) usleep(10);
      at[0] = 2 * i + 2;
    }
    _exit(0);
  }
  for (int i = 0; i < 100; i++) {
    at[0] = 2 * i + 1;
    while (at[0] != 2 * i + 2) usleep(10);
  }
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(private_memory_is_copied_by_fork) {
  volatile char *at = pages(64, PROT_READ | PROT_WRITE);
  at[0] = 1;
  at[40 * 4096] = 9;
  IN_CHILD {
    EXPECT_EQ(1, at[0]);
    EXPECT_EQ(9, at[40 * 4096]);
    at[0] = 2;
  }
  EXPECT_EQ(1, at[0]);
}

CHECK(mapping_survives_close_and_unlink) {
  put_file("f", "hello");
  int fd = OK(open("f", O_RDONLY));
  char *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  OK(close(fd));
  OK(unlink("f"));
  EXPECT_STR("hello", at);
}

CHECK(mapping_offset) {
  static char text[12288];
  memset(text, 'a', 4096), memset(text + 4096, 'b', 4096), memset(text + 8192, 'c', 4096);
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  OK(write(fd, text, sizeof text));
  char *at = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 4096);
  EXPECT_EQ('b', at[0]);
  EXPECT_EQ('c', at[8191]);
}

CHECK(munmap_middle_splits) {
  catch_faults();
  volatile char *at = pages(3, PROT_READ | PROT_WRITE);
  at[0] = 1, at[8192] = 3;
  OK(munmap((void *)(at + 4096), 4096));
  EXPECT_EQ(1, at[0]);
  EXPECT_EQ(3, at[8192]);
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[4096]));
}

CHECK(mremap_grows_and_moves) {
  char *at = pages(1, PROT_READ | PROT_WRITE);
  strcpy(at, "text");
  char *moved = mremap(at, 4096, 1 << 20, MREMAP_MAYMOVE);
  EXPECT(moved != MAP_FAILED);
  EXPECT_STR("text", moved);
  EXPECT_EQ(0, moved[(1 << 20) - 1]);
  moved[(1 << 20) - 1] = 1;
}

CHECK(mremap_shrinks) {
  catch_faults();
  volatile char *at = pages(4, PROT_READ | PROT_WRITE);
  at[0] = 5;
  EXPECT_EQ((long)at, (long)mremap((void *)at, 4 * 4096, 4096, 0));
  EXPECT_EQ(5, at[0]);
  EXPECT_EQ(SIGSEGV, FAULT_OF(at[4096]));
}

CHECK(mremap_fixed) {
  char *at = pages(1, PROT_READ | PROT_WRITE), *target = pages(2, PROT_READ);
  strcpy(at, "text");
  EXPECT_EQ((long)target, (long)mremap(at, 4096, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, target));
  EXPECT_STR("text", target);
  target[5000] = 1;
}

CHECK(mremap_without_may_move_fails) {
  char *at = pages(2, PROT_READ | PROT_WRITE);
  EXPECT(mremap(at, 4096, 65536, 0) == MAP_FAILED && errno == ENOMEM);
}

CHECK(madvise_dontneed_zeroes) {
  char *at = pages(2, PROT_READ | PROT_WRITE);
  memset(at, 1, 8192);
  OK(madvise(at, 4096, MADV_DONTNEED));
  EXPECT_EQ(0, at[0]);
  EXPECT_EQ(1, at[4096]);
}

CHECK(madvise_dontneed_rereads_file) {
  put_file("f", "hello");
  int fd = OK(open("f", O_RDWR));
  char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  at[0] = 'x';
  OK(madvise(at, 4096, MADV_DONTNEED));
  EXPECT_STR("hello", at);
}

CHECK(madvise_wipe_on_fork) {
  char *at = pages(1, PROT_READ | PROT_WRITE);
  at[0] = 1;
  OK(madvise(at, 4096, MADV_WIPEONFORK));
  IN_CHILD { EXPECT_EQ(0, at[0]); }
  EXPECT_EQ(1, at[0]);
}

CHECK(madvise_dont_fork) {
  catch_faults();
  volatile char *at = pages(1, PROT_READ | PROT_WRITE);
  OK(madvise((void *)at, 4096, MADV_DONTFORK));
  IN_CHILD { EXPECT_EQ(SIGSEGV, FAULT_OF(at[0])); }
}

CHECK(madvise_hints_succeed) {
  char *at = pages(4, PROT_READ | PROT_WRITE);
  OK(madvise(at, 16384, MADV_WILLNEED));
  OK(madvise(at, 16384, MADV_SEQUENTIAL));
  OK(madvise(at, 16384, MADV_RANDOM));
  OK(madvise(at, 16384, MADV_FREE));
  OK(madvise(at, 16384, MADV_NOHUGEPAGE));
  OK(madvise(at, 16384, MADV_DONTDUMP));
}

CHECK(brk_grows_and_shrinks) {
  char *start = sbrk(0);
  EXPECT(sbrk(65536) == start);
  start[0] = 1, start[65535] = 2;
  EXPECT(sbrk(-65536) == start + 65536);
  EXPECT(sbrk(4096) == start);
  EXPECT_EQ(syscall(SYS_brk, 0), syscall(SYS_brk, 8));
}

CHECK(brk_memory_is_zero_again) {
  char *start = sbrk(65536);
  start = (char *)(((long)start + 4095) & -4096L);
  start[0] = 1;
  OK(brk(start));
  OK(brk(start + 8192));
  EXPECT_EQ(0, start[0]);
}

CHECK(address_space_limit) {
  struct { unsigned long soft, hard; } limit = {64 << 20, 64 << 20};
  OK(syscall(SYS_setrlimit, 9, &limit));
  EXPECT(mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
}

CHECK(large_mapping_can_be_touched_sparsely) {
  char *at = mmap(NULL, 512 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  EXPECT(at != MAP_FAILED);
  for (long i = 0; i < 512; i += 64) at[i << 20] = i + 1;
  for (long i = 0; i < 512; i += 64) EXPECT_EQ((char)(i + 1), at[i << 20]);
}

CHECK(stack_grows) {
  volatile char big[4 << 20];
  big[0] = 1;
  big[sizeof big - 1] = 2;
  EXPECT_EQ(3, big[0] + big[sizeof big - 1]);
}

static int __attribute__((noinline)) recurse(int depth) {
  volatile char frame[1024];
  frame[0] = depth;
  return depth == 0 ? 0 : recurse(depth - 1) + (frame[0] == (char)depth);
}

static void on_overflow(int signal) {
  (void)signal;
  _exit(55);
}

CHECK(stack_overflow_on_alternate_stack) {
  EXPECT_EQ(1000, recurse(1000));
  pid_t pid = FORK();
  if (pid == 0) {
    static char alternate[16384];
    stack_t stack = {alternate, 0, sizeof alternate};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_overflow;
    action.sa_flags = SA_ONSTACK;
    OK(sigaltstack(&stack, NULL));
    OK(sigaction(SIGSEGV, &action, NULL));
    recurse(1 << 20);
    _exit(0);
  }
  EXPECT_EQ(55 << 8, WAIT(pid));
}

CHECK(mincore_of_touched_page) {
  unsigned char vector[2] = {0, 0};
  char *at = pages(2, PROT_READ | PROT_WRITE);
  at[0] = 1;
  OK(mincore(at, 8192, vector));
  EXPECT_EQ(1, vector[0] & 1);
}

CHECK(mlock_and_munlock) {
  char *at = pages(1, PROT_READ | PROT_WRITE);
  OK(mlock(at, 4096));
  OK(munlock(at, 4096));
}

CHECK(process_vm_between_processes) {
  static char text[16] = "before";
  pid_t pid = FORK();
  if (pid == 0) {
    while (strcmp(text, "after") != 0) usleep(1000);
    _exit(9);
  }
  char copy[16];
  struct iovec { void *base; size_t length; } local = {copy, 16}, remote = {text, 16};
  EXPECT_EQ(16, syscall(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0));
  EXPECT_STR("before", copy);
  strcpy(copy, "after");
  EXPECT_EQ(16, syscall(SYS_process_vm_writev, pid, &local, 1, &remote, 1, 0));
  EXPECT_EQ(9 << 8, WAIT(pid));
}

CHECK(syscall_sees_protection) {
  int ends[2];
  OK(pipe(ends));
  OK(write(ends[1], "abcdefgh", 8));
  char *at = pages(2, PROT_READ | PROT_WRITE);
  OK(mprotect(at + 4096, 4096, PROT_READ));
  ssize_t got = read(ends[0], at + 4092, 8);
  EXPECT(got == 4 || (got == -1 && errno == EFAULT));
}

CHECK(jump_across_page_end_faults) {
  catch_faults();
  char *at = pages(2, PROT_READ | PROT_WRITE);
  memcpy(at + 4094, "\x48\x89\xc0\xc3", 4); /* mov %rax, %rax; ret */
  OK(mprotect(at, 4096, PROT_READ | PROT_EXEC));
  void (*volatile function)(void) = (void (*)(void))(at + 4094);
  EXPECT_EQ(SIGSEGV, FAULT_OF((function(), 0)));
  EXPECT_EQ((long)at + 4096, (long)fault_address);
  EXPECT_EQ(SEGV_ACCERR, fault_code);
}

CHECK(jump_to_nothing_faults) {
  catch_faults();
  char *at = pages(1, PROT_READ | PROT_EXEC);
  OK(munmap(at, 4096));
  void (*volatile function)(void) = (void (*)(void))at;
  EXPECT_EQ(SIGSEGV, FAULT_OF((function(), 0)));
  EXPECT_EQ((long)at, (long)fault_address);
  EXPECT_EQ(SEGV_MAPERR, fault_code);
}

CHECK(remap_file_pages_changes_the_order) {
  char *pages = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  EXPECT(pages != MAP_FAILED);
  for (int page = 0; page < 4; page++) pages[page * 4096] = 'a' + page;
  for (int page = 0; page < 4; page++) OK(remap_file_pages(pages + page * 4096, 4096, 0, 3 - page, 0));
  for (int page = 0; page < 4; page++) EXPECT_EQ('d' - page, pages[page * 4096]);
  OK(remap_file_pages(pages, 2 * 4096, 0, 0, 0));
  EXPECT_EQ('b', pages[4096]);
  pages[4096] = 'x';
  EXPECT_EQ('x', pages[2 * 4096]);
  EXPECT_ERRNO(EINVAL, remap_file_pages(pages, 4096, PROT_READ, 0, 0));
  EXPECT_ERRNO(EINVAL, remap_file_pages(pages, 0, 0, 0, 0));
  char *private = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_ERRNO(EINVAL, remap_file_pages(private, 4096, 0, 0, 0));
}

CHECK(remap_file_pages_of_a_file) {
  int fd = OK(open("file", O_CREAT | O_RDWR, 0644));
  OK(ftruncate(fd, 2 * 4096));
  OK(pwrite(fd, "a", 1, 0));
  OK(pwrite(fd, "b", 1, 4096));
  char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  EXPECT_EQ('a', page[0]);
  OK(remap_file_pages(page, 4096, 0, 1, 0));
  EXPECT_EQ('b', page[0]);
  page[1] = 'c';
  char bytes[2];
  EXPECT_EQ(2, pread(fd, bytes, 2, 4096));
  EXPECT_EQ('c', bytes[1]);
}

/* A process that waits for its turn has old pages, which must not come back when another maps the file. */
CHECK(shared_file_mapped_by_a_third_process) {
  int fd = OK(open("file", O_CREAT | O_RDWR, 0644)), go[2], status;
  char byte;
  OK(ftruncate(fd, 4096));
  OK(pipe(go));
  pid_t third = FORK();
  if (third == 0) {
    OK(read(go[0], &byte, 1));
    volatile int *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    _exit(own[0] == 7 ? 0 : 1);
  }
  volatile int *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  pid_t waiting = FORK();
  if (waiting == 0) {
    page[1] = 1;
    pause();
  }
  while (page[1] == 0) sleep_ms(1);
  page[0] = 7;
  OK(write(go[1], "x", 1));
  OK(waitpid(third, &status, 0));
  EXPECT_EQ(0, status);
  EXPECT_EQ(7, page[0]);
  OK(kill(waiting, SIGKILL));
}
