/* Threads and what they wait on: pthreads(7), futex(2), set_robust_list(2), thread-local data, cancellation. */
#include "check.h"
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/prctl.h>

static pthread_t threads[64];
static _Atomic int shared;
static int plain;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static __thread int local = 5;

static void start(int count, void *(*body)(void *)) {
  for (long at = 0; at < count; at++) EXPECT_RETURNS(0, pthread_create(&threads[at], NULL, body, (void *)at));
}

static void join(int count) {
  for (int at = 0; at < count; at++) EXPECT_RETURNS(0, pthread_join(threads[at], NULL));
}

static struct timespec in_ms(clockid_t clock, int ms) {
  struct timespec at;
  clock_gettime(clock, &at);
  at.tv_nsec += ms * 1000000L;
  at.tv_sec += at.tv_nsec / 1000000000;
  at.tv_nsec %= 1000000000;
  return at;
}

static void *give_back(void *argument) { return (void *)((long)argument * 2); }

CHECK(create_and_join) {
  void *result;
  EXPECT_RETURNS(0, pthread_create(threads, NULL, give_back, (void *)21));
  EXPECT_RETURNS(0, pthread_join(threads[0], &result));
  EXPECT_EQ(42, (long)result);
}

static void *add_atomically(void *argument) {
  for (int at = 0; at < 10000; at++) shared++;
  return argument;
}

CHECK(atomic_counter) {
  start(8, add_atomically);
  join(8);
  EXPECT_EQ(80000, shared);
}

static void *add_locked(void *argument) {
  for (int at = 0; at < 2000; at++) {
    pthread_mutex_lock(&mutex);
    int value = plain;
    if (at % 100 == 0) sched_yield();
    plain = value + 1;
    pthread_mutex_unlock(&mutex);
  }
  return argument;
}

CHECK(mutex_excludes) {
  start(8, add_locked);
  join(8);
  EXPECT_EQ(16000, plain);
}

static void *use_local(void *argument) {
  EXPECT_EQ(5, local);
  local = (long)argument;
  sched_yield();
  EXPECT_EQ((long)argument, local);
  return NULL;
}

CHECK(thread_local_data) {
  start(8, use_local);
  join(8);
  EXPECT_EQ(5, local);
}

static void *try_recursive(void *argument) {
  return (void *)(long)pthread_mutex_trylock(argument);
}

static void init_mutex(pthread_mutex_t *which, int type, int protocol, int robust) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutexattr_setrobust(&attributes, robust);
  EXPECT_RETURNS(0, pthread_mutex_init(which, &attributes));
}

CHECK(recursive_mutex) {
  pthread_mutex_t recursive;
  void *result;
  init_mutex(&recursive, PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
  EXPECT_RETURNS(0, pthread_mutex_lock(&recursive));
  EXPECT_RETURNS(0, pthread_mutex_lock(&recursive));
  EXPECT_RETURNS(0, pthread_mutex_unlock(&recursive));
  EXPECT_RETURNS(0, pthread_create(threads, NULL, try_recursive, &recursive));
  EXPECT_RETURNS(0, pthread_join(threads[0], &result));
  EXPECT_EQ(EBUSY, (long)result);
  EXPECT_RETURNS(0, pthread_mutex_unlock(&recursive));
  EXPECT_RETURNS(EPERM, pthread_mutex_unlock(&recursive));
}

CHECK(error_checking_mutex) {
  pthread_mutex_t checked;
  init_mutex(&checked, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
  EXPECT_RETURNS(0, pthread_mutex_lock(&checked));
  EXPECT_RETURNS(EDEADLK, pthread_mutex_lock(&checked));
}

CHECK(timed_lock_times_out) {
  EXPECT_RETURNS(0, pthread_mutex_lock(&mutex));
  struct timespec limit = in_ms(CLOCK_REALTIME, 30);
  EXPECT_RETURNS(ETIMEDOUT, pthread_mutex_timedlock(&mutex, &limit));
}

static pthread_mutex_t special;
static void *die_holding(void *argument) {
  pthread_mutex_lock(&special);
  return argument;
}

CHECK(robust_mutex_of_dead_thread) {
  init_mutex(&special, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST);
  start(1, die_holding);
  join(1);
  EXPECT_RETURNS(EOWNERDEAD, pthread_mutex_lock(&special));
  EXPECT_RETURNS(0, pthread_mutex_consistent(&special));
  EXPECT_RETURNS(0, pthread_mutex_unlock(&special));
  EXPECT_RETURNS(0, pthread_mutex_lock(&special));
}

CHECK(robust_mutex_not_recovered) {
  init_mutex(&special, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST);
  start(1, die_holding);
  join(1);
  EXPECT_RETURNS(EOWNERDEAD, pthread_mutex_lock(&special));
  EXPECT_RETURNS(0, pthread_mutex_unlock(&special));
  EXPECT_RETURNS(ENOTRECOVERABLE, pthread_mutex_lock(&special));
}

CHECK(robust_mutex_of_dead_process) {
  pthread_mutex_t *common = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  EXPECT_RETURNS(0, pthread_mutex_init(common, &attributes));
  pid_t pid = FORK();
  if (pid == 0) {
    pthread_mutex_lock(common);
    raise(SIGKILL);
  }
  EXPECT_EQ(SIGKILL, WAIT(pid));
  EXPECT_RETURNS(EOWNERDEAD, pthread_mutex_lock(common));
}

static void *add_inheriting(void *argument) {
  for (int at = 0; at < 500; at++) {
    pthread_mutex_lock(&special);
    int value = plain;
    if (at % 50 == 0) sched_yield();
    plain = value + 1;
    pthread_mutex_unlock(&special);
  }
  return argument;
}

CHECK(priority_inheriting_mutex) {
  init_mutex(&special, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
  start(4, add_inheriting);
  join(4);
  EXPECT_EQ(2000, plain);
}

static void *wait_for_plain(void *argument) {
  pthread_mutex_lock(&mutex);
  while (plain == 0) pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
  shared++;
  return argument;
}

CHECK(condition_broadcast) {
  start(8, wait_for_plain);
  sleep_ms(20);
  EXPECT_EQ(0, shared);
  pthread_mutex_lock(&mutex);
  plain = 1;
  pthread_cond_broadcast(&condition);
  pthread_mutex_unlock(&mutex);
  join(8);
  EXPECT_EQ(8, shared);
}

static int queue[16], head, tail;
static void *produce(void *argument) {
  for (int at = 1; at <= 500; at++) {
    pthread_mutex_lock(&mutex);
    while (tail - head == 16) pthread_cond_wait(&condition, &mutex);
    queue[tail++ % 16] = at;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
  }
  return argument;
}
static void *consume(void *argument) {
  for (int at = 1; at <= 500; at++) {
    pthread_mutex_lock(&mutex);
    while (tail == head) pthread_cond_wait(&condition, &mutex);
    plain += queue[head++ % 16];
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
  }
  return argument;
}

CHECK(producers_and_consumers) {
  EXPECT_RETURNS(0, pthread_create(&threads[0], NULL, produce, NULL));
  EXPECT_RETURNS(0, pthread_create(&threads[1], NULL, produce, NULL));
  EXPECT_RETURNS(0, pthread_create(&threads[2], NULL, consume, NULL));
  EXPECT_RETURNS(0, pthread_create(&threads[3], NULL, consume, NULL));
  join(4);
  EXPECT_EQ(2 * 500 * 501 / 2, plain);
}

CHECK(condition_timed_wait) {
  struct timespec limit = in_ms(CLOCK_REALTIME, 30);
  long long started = now_ms();
  pthread_mutex_lock(&mutex);
  EXPECT_RETURNS(ETIMEDOUT, pthread_cond_timedwait(&condition, &mutex, &limit));
  EXPECT(now_ms() - started >= 28);
  limit = in_ms(CLOCK_MONOTONIC, 20);
  EXPECT_RETURNS(ETIMEDOUT, pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &limit));
}

static pthread_barrier_t barrier;
static void *meet(void *argument) {
  for (int at = 0; at < 20; at++) {
    shared++;
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) plain++;
    EXPECT_EQ(4 * (at + 1), shared);
    pthread_barrier_wait(&barrier);
  }
  return argument;
}

CHECK(barrier_meets) {
  EXPECT_RETURNS(0, pthread_barrier_init(&barrier, NULL, 4));
  start(4, meet);
  join(4);
  EXPECT_EQ(20, plain);
}

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static void *read_or_write(void *argument) {
  for (int at = 0; at < 200; at++) {
    if ((long)argument % 2) {
      pthread_rwlock_wrlock(&lock);
      plain++;
      if (at % 20 == 0) sched_yield();
      EXPECT_EQ(plain, ++queue[0]);
    } else {
      pthread_rwlock_rdlock(&lock);
      EXPECT_EQ(plain, queue[0]);
    }
    pthread_rwlock_unlock(&lock);
  }
  return NULL;
}

CHECK(read_write_lock) {
  start(6, read_or_write);
  join(6);
  EXPECT_EQ(600, plain);
}

CHECK(read_write_lock_try) {
  EXPECT_RETURNS(0, pthread_rwlock_rdlock(&lock));
  EXPECT_RETURNS(0, pthread_rwlock_tryrdlock(&lock));
  EXPECT_RETURNS(EBUSY, pthread_rwlock_trywrlock(&lock));
}

static sem_t semaphore;
static void *take_semaphore(void *argument) {
  sem_wait(&semaphore);
  shared++;
  return argument;
}

CHECK(semaphore_counts) {
  OK(sem_init(&semaphore, 0, 2));
  start(4, take_semaphore);
  sleep_ms(30);
  EXPECT_EQ(2, shared);
  OK(sem_post(&semaphore));
  OK(sem_post(&semaphore));
  join(4);
  EXPECT_ERRNO(EAGAIN, sem_trywait(&semaphore));
  struct timespec limit = in_ms(CLOCK_REALTIME, 20);
  EXPECT_ERRNO(ETIMEDOUT, sem_timedwait(&semaphore, &limit));
}

CHECK(semaphore_between_processes) {
  sem_t *common = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  OK(sem_init(common, 1, 0));
  pid_t pid = FORK();
  if (pid == 0) {
    sleep_ms(20);
    sem_post(common);
    _exit(0);
  }
  OK(sem_wait(common));
  EXPECT_EQ(0, WAIT(pid));
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void count_once(void) { plain++; }
static void *call_once(void *argument) {
  pthread_once(&once, count_once);
  return argument;
}

CHECK(once_runs_once) {
  start(8, call_once);
  join(8);
  EXPECT_EQ(1, plain);
}

static pthread_key_t key;
static void destroy_value(void *value) { plain += (long)value; }
static void *set_value(void *argument) {
  pthread_setspecific(key, (void *)((long)argument + 1));
  return NULL;
}

CHECK(key_destructors_run) {
  EXPECT_RETURNS(0, pthread_key_create(&key, destroy_value));
  start(4, set_value);
  join(4);
  EXPECT_EQ(10, plain);
}

static void clean_up(void *argument) { plain = (long)argument; }
static void *sleep_for_ever(void *argument) {
  pthread_cleanup_push(clean_up, (void *)33);
  for (;;) pause();
  pthread_cleanup_pop(0);
  return argument;
}

CHECK(cancellation_runs_cleanup) {
  void *result;
  start(1, sleep_for_ever);
  sleep_ms(20);
  EXPECT_RETURNS(0, pthread_cancel(threads[0]));
  EXPECT_RETURNS(0, pthread_join(threads[0], &result));
  EXPECT(result == PTHREAD_CANCELED);
  EXPECT_EQ(33, plain);
}

static void *spin_for_ever(void *argument) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  shared = 1;
  for (;;) __asm__ volatile("");
  return argument;
}

CHECK(asynchronous_cancellation) {
  start(1, spin_for_ever);
  while (!shared) sched_yield();
  EXPECT_RETURNS(0, pthread_cancel(threads[0]));
  join(1);
}

static void *detach_self(void *argument) {
  pthread_detach(pthread_self());
  shared = 1;
  return argument;
}

CHECK(detached_thread) {
  start(1, detach_self);
  while (!shared) usleep(1000);
}

CHECK(exit_ends_all_threads) {
  pid_t pid = FORK();
  if (pid == 0) {
    start(4, sleep_for_ever);
    exit(8);
  }
  EXPECT_EQ(8 << 8, WAIT(pid));
}

CHECK(kill_ends_all_threads) {
  pid_t pid = FORK();
  if (pid == 0) {
    start(4, spin_for_ever);
    for (;;) pause();
  }
  sleep_ms(20);
  OK(kill(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(pid));
}

static void *exit_process(void *argument) { exit((long)argument + 9); }

CHECK(thread_can_exit_process) {
  pid_t pid = FORK();
  if (pid == 0) {
    start(1, exit_process);
    for (;;) pause();
  }
  EXPECT_EQ(9 << 8, WAIT(pid));
}

static void *exit_later(void *argument) {
  (void)argument;
  sleep_ms(30);
  _exit(21);
}

CHECK(leader_may_end_first) {
  pid_t pid = FORK();
  if (pid == 0) {
    start(1, exit_later);
    pthread_exit(NULL);
  }
  EXPECT_EQ(21 << 8, WAIT(pid));
}

static void *exec_true(void *argument) {
  (void)argument;
  char *argv[] = {"sh", "-c", "exit 17", NULL};
  execv("/bin/sh", argv);
  return NULL;
}

CHECK(exec_from_thread_ends_others) {
  pid_t pid = FORK();
  if (pid == 0) {
    start(1, exec_true);
    for (;;) pause();
  }
  EXPECT_EQ(17 << 8, WAIT(pid));
}

static void *fork_in_thread(void *argument) {
  (void)argument;
  pid_t pid = FORK();
  if (pid == 0) _exit(getpid() == syscall(SYS_gettid) ? 3 : 4);
  return (void *)(long)WAIT(pid);
}

CHECK(fork_from_thread_has_one) {
  void *result;
  EXPECT_RETURNS(0, pthread_create(threads, NULL, fork_in_thread, NULL));
  EXPECT_RETURNS(0, pthread_join(threads[0], &result));
  EXPECT_EQ(3 << 8, (long)result);
}

static void *same_process(void *argument) {
  EXPECT(syscall(SYS_gettid) != getpid());
  return (void *)(long)(getpid() - *(int *)argument);
}

CHECK(threads_share_process_id) {
  int pid = getpid();
  void *result = (void *)1;
  EXPECT_RETURNS(0, pthread_create(threads, NULL, same_process, &pid));
  EXPECT_RETURNS(0, pthread_join(threads[0], &result));
  EXPECT_EQ(0, (long)result);
}

CHECK(thread_names) {
  char name[16] = "";
  EXPECT_RETURNS(0, pthread_setname_np(pthread_self(), "my-thread"));
  OK(prctl(PR_GET_NAME, name));
  EXPECT_STR("my-thread", name);
  EXPECT_STR("my-thread\n", get_file("/proc/self/comm"));
  EXPECT_RETURNS(ERANGE, pthread_setname_np(pthread_self(), "sixteen-bytes-xx"));
}

static int word;
static void *wait_on_word(void *argument) {
  while (syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1L << (long)argument) == 0 && word == 0) continue;
  shared++;
  return NULL;
}

CHECK(futex_bitset_wakes_matching) {
  start(4, wait_on_word);
  sleep_ms(30);
  word = 1;
  EXPECT_EQ(1, syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, 100, NULL, NULL, 4));
  EXPECT_EQ(3, syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 100));
  join(4);
}

CHECK(futex_requeue_moves) {
  static int other;
  start(4, wait_on_word);
  sleep_ms(30);
  EXPECT_EQ(4, syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 100L, &other, 0));
  word = 1;
  EXPECT_EQ(3, syscall(SYS_futex, &other, FUTEX_WAKE_PRIVATE, 100));
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 100);
  join(4);
}

CHECK(futex_shared_between_mappings) {
  int fd = OK(memfd_create("futex", 0));
  OK(ftruncate(fd, 4096));
  int *a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  pid_t pid = FORK();
  if (pid == 0) {
    int *b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    sleep_ms(20);
    *b = 1;
    syscall(SYS_futex, b, FUTEX_WAKE, 1);
    _exit(0);
  }
  while (*a == 0) syscall(SYS_futex, a, FUTEX_WAIT, 0, NULL);
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(futex_wake_operation) {
  int a = 0, b = 5;
  EXPECT_EQ(0, syscall(SYS_futex, &a, FUTEX_WAKE_OP_PRIVATE, 1, 1L, &b, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5)));
  EXPECT_EQ(8, b);
}

CHECK(membarrier_commands) {
  long known = OK(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0));
  EXPECT(known & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
  OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
}

CHECK(affinity_lists_processors) {
  cpu_set_t set;
  OK(sched_getaffinity(0, sizeof set, &set));
  EXPECT(CPU_COUNT(&set) >= 1);
  EXPECT(sched_getcpu() >= 0);
  OK(sched_setaffinity(0, sizeof set, &set));
}

CHECK(many_threads_in_turn) {
  for (int at = 0; at < 200; at++) {
    void *result;
    EXPECT_RETURNS(0, pthread_create(threads, NULL, give_back, (void *)(long)at));
    EXPECT_RETURNS(0, pthread_join(threads[0], &result));
    EXPECT_EQ(2 * at, (long)result);
  }
}

CHECK(thread_stack_size) {
  pthread_attr_t attributes;
  size_t size = 0;
  void *base;
  EXPECT_RETURNS(0, pthread_getattr_np(pthread_self(), &attributes));
  EXPECT_RETURNS(0, pthread_attr_getstack(&attributes, &base, &size));
  EXPECT((char *)&attributes > (char *)base && (char *)&attributes < (char *)base + size);
}

// Above the stack's end: a gap, then something that can be written, as a parent of many mappings has it.
CHECK(stack_that_ends_where_its_mapping_does) {
  long page = sysconf(_SC_PAGESIZE);
  char *area = mmap(NULL, 32 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT(area != MAP_FAILED);
  OK(munmap(area + 9 * page, 4 * page));
  // struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls.
  unsigned long arguments[8] = {CLONE_VM | CLONE_VFORK, 0, 0, 0, SIGCHLD, (unsigned long)area, 9 * page, 0};
  long child;
  asm volatile("syscall\n test %%rax, %%rax\n jne 1f\n mov $60, %%eax\n mov $7, %%edi\n syscall\n 1:"
               : "=a"(child) : "a"(SYS_clone3), "D"(arguments), "S"(sizeof arguments) : "rcx", "r11", "memory");
  EXPECT(child > 0);
  int status;
  EXPECT_EQ(child, waitpid(child, &status, 0));
  EXPECT(WIFEXITED(status));
  EXPECT_EQ(7, WEXITSTATUS(status));
}
