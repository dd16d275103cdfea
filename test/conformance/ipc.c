/* System V and POSIX message queues, semaphores and shared memory: sysvipc(7), mq_overview(7), shm_overview(7), sem_overview(7). */
#include "check.h"
#include <mqueue.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

struct message {
  long type;
  char text[32];
};

static int queue_id = -1, semaphore_id = -1, memory_id = -1;
static void forget(void) {
  if (queue_id >= 0) msgctl(queue_id, IPC_RMID, NULL);
  if (semaphore_id >= 0) semctl(semaphore_id, 0, IPC_RMID);
  if (memory_id >= 0) shmctl(memory_id, IPC_RMID, NULL);
}

static void send_text(long type, const char *text) {
  struct message message = {type, ""};
  strcpy(message.text, text);
  OK(msgsnd(queue_id, &message, strlen(text) + 1, IPC_NOWAIT));
}

static char *receive_text(long type, int flags) {
  static struct message message;
  OK(msgrcv(queue_id, &message, sizeof message.text, type, flags));
  return message.text;
}

CHECK(messages_by_type) {
  queue_id = OK(msgget(IPC_PRIVATE, 0600));
  send_text(1, "one"), send_text(2, "two"), send_text(3, "three"), send_text(1, "uno");
  EXPECT_STR("two", receive_text(2, 0));
  EXPECT_STR("one", receive_text(0, 0));
  EXPECT_STR("uno", receive_text(-2, 0));
  EXPECT_STR("three", receive_text(1, MSG_EXCEPT));
  forget();
}

CHECK(message_too_long_for_buffer) {
  struct message message;
  queue_id = OK(msgget(IPC_PRIVATE, 0600));
  send_text(1, "a long text");
  EXPECT_ERRNO(E2BIG, msgrcv(queue_id, &message, 3, 0, 0));
  EXPECT_EQ(3, msgrcv(queue_id, &message, 3, 0, MSG_NOERROR));
  forget();
}

CHECK(message_wakes_receiver) {
  queue_id = OK(msgget(IPC_PRIVATE, 0600));
  pid_t pid = FORK();
  if (pid == 0) {
    sleep_ms(20);
    send_text(5, "hello");
    _exit(0);
  }
  EXPECT_STR("hello", receive_text(5, 0));
  EXPECT_EQ(0, WAIT(pid));
  forget();
}

CHECK(message_queue_status_and_removal) {
  struct msqid_ds status;
  queue_id = OK(msgget(IPC_PRIVATE, 0640));
  send_text(1, "abc");
  OK(msgctl(queue_id, IPC_STAT, &status));
  EXPECT_EQ(1, status.msg_qnum);
  EXPECT_EQ(4, status.__msg_cbytes);
  EXPECT_EQ(0640, status.msg_perm.mode);
  EXPECT_EQ(getpid(), status.msg_lspid);
  pid_t pid = FORK();
  if (pid == 0) {
    struct message message;
    EXPECT_ERRNO(EIDRM, msgrcv(queue_id, &message, 32, 9, 0));
    _exit(0);
  }
  sleep_ms(30);
  OK(msgctl(queue_id, IPC_RMID, NULL));
  EXPECT_EQ(0, WAIT(pid));
  EXPECT_ERRNO(EINVAL, msgctl(queue_id, IPC_STAT, &status));
}

CHECK(full_message_queue) {
  static struct { long type; char text[8192]; } message = {1, ""};
  queue_id = OK(msgget(IPC_PRIVATE, 0600));
  EXPECT_ERRNO(EINVAL, msgsnd(queue_id, &message, 8193, IPC_NOWAIT));
  OK(msgsnd(queue_id, &message, 8192, IPC_NOWAIT));
  OK(msgsnd(queue_id, &message, 8192, IPC_NOWAIT));
  EXPECT_ERRNO(EAGAIN, msgsnd(queue_id, &message, 1, IPC_NOWAIT));
  forget();
}

static int operate(int number, int amount, int flags) {
  struct sembuf operation = {number, amount, flags};
  return semop(semaphore_id, &operation, 1);
}

CHECK(semaphore_values) {
  unsigned short values[3] = {1, 2, 3};
  semaphore_id = OK(semget(IPC_PRIVATE, 3, 0600));
  EXPECT_EQ(0, semctl(semaphore_id, 0, GETVAL));
  OK(semctl(semaphore_id, 1, SETVAL, 9));
  EXPECT_EQ(9, semctl(semaphore_id, 1, GETVAL));
  OK(semctl(semaphore_id, 0, SETALL, values));
  memset(values, 0, sizeof values);
  OK(semctl(semaphore_id, 0, GETALL, values));
  EXPECT_EQ(3, values[2]);
  OK(operate(2, -2, 0));
  EXPECT_EQ(1, semctl(semaphore_id, 2, GETVAL));
  EXPECT_EQ(getpid(), semctl(semaphore_id, 2, GETPID));
  forget();
}

CHECK(semaphore_operations_are_atomic) {
  struct sembuf operations[] = {{0, -1, 0}, {1, -1, IPC_NOWAIT}};
  semaphore_id = OK(semget(IPC_PRIVATE, 2, 0600));
  OK(operate(0, 1, 0));
  EXPECT_ERRNO(EAGAIN, semop(semaphore_id, operations, 2));
  EXPECT_EQ(1, semctl(semaphore_id, 0, GETVAL));
  forget();
}

CHECK(semaphore_wait_and_wake) {
  semaphore_id = OK(semget(IPC_PRIVATE, 1, 0600));
  pid_t pid = FORK();
  if (pid == 0) {
    OK(operate(0, -2, 0));
    _exit(5);
  }
  sleep_ms(30);
  EXPECT_EQ(1, semctl(semaphore_id, 0, GETNCNT));
  OK(operate(0, 1, 0));
  sleep_ms(10);
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
  OK(operate(0, 1, 0));
  EXPECT_EQ(5 << 8, WAIT(pid));
  forget();
}

CHECK(semaphore_wait_for_zero) {
  semaphore_id = OK(semget(IPC_PRIVATE, 1, 0600));
  OK(operate(0, 1, 0));
  EXPECT_ERRNO(EAGAIN, operate(0, 0, IPC_NOWAIT));
  OK(operate(0, -1, 0));
  OK(operate(0, 0, 0));
  forget();
}

CHECK(semaphore_undo_at_exit) {
  semaphore_id = OK(semget(IPC_PRIVATE, 1, 0600));
  OK(operate(0, 5, 0));
  IN_CHILD { OK(operate(0, -3, SEM_UNDO)); }
  EXPECT_EQ(5, semctl(semaphore_id, 0, GETVAL));
  forget();
}

CHECK(semaphore_timeout) {
  struct sembuf operation = {0, -1, 0};
  struct timespec limit = {0, 20000000};
  semaphore_id = OK(semget(IPC_PRIVATE, 1, 0600));
  EXPECT_ERRNO(EAGAIN, semtimedop(semaphore_id, &operation, 1, &limit));
  forget();
}

CHECK(shared_memory_between_processes) {
  memory_id = OK(shmget(IPC_PRIVATE, 5000, 0600));
  char *at = shmat(memory_id, NULL, 0);
  EXPECT(at != (void *)-1);
  EXPECT_EQ(0, at[4999]);
  IN_CHILD {
    char *other = shmat(memory_id, NULL, 0);
    strcpy(other, "hello");
    strcpy(at + 100, "inherited");
  }
  EXPECT_STR("hello", at);
  EXPECT_STR("inherited", at + 100);
  struct shmid_ds status;
  OK(shmctl(memory_id, IPC_STAT, &status));
  EXPECT_EQ(1, status.shm_nattch);
  EXPECT_EQ(5000, status.shm_segsz);
  OK(shmdt(at));
  OK(shmctl(memory_id, IPC_STAT, &status));
  EXPECT_EQ(0, status.shm_nattch);
  forget();
}

CHECK(shared_memory_removed_when_last_detaches) {
  memory_id = OK(shmget(IPC_PRIVATE, 4096, 0600));
  char *at = shmat(memory_id, NULL, 0);
  OK(shmctl(memory_id, IPC_RMID, NULL));
  at[0] = 1;
  OK(shmdt(at));
  EXPECT_ERRNO(EINVAL, shmctl(memory_id, IPC_STAT, &(struct shmid_ds){0}));
}

CHECK(shared_memory_by_key) {
  key_t key = 0x51510000 + getpid() % 65536;
  memory_id = OK(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
  EXPECT_ERRNO(EEXIST, shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
  EXPECT_ERRNO(EINVAL, shmget(key, 8192, 0));
  EXPECT_EQ(memory_id, shmget(key, 100, 0));
  forget();
}

CHECK(shared_memory_read_only) {
  memory_id = OK(shmget(IPC_PRIVATE, 4096, 0600));
  char *at = shmat(memory_id, NULL, SHM_RDONLY);
  EXPECT(at != (void *)-1);
  pid_t pid = FORK();
  if (pid == 0) {
    *(volatile char *)at = 1;
    _exit(0);
  }
  EXPECT_EQ(SIGSEGV, WAIT(pid) & 0x7f);
  forget();
}

static char queue_name[40];
static mqd_t open_queue(int flags) {
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 64};
  snprintf(queue_name, sizeof queue_name, "/check-%d", getpid());
  mqd_t queue = OK(mq_open(queue_name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, &attributes));
  OK(mq_unlink(queue_name));
  return queue;
}

CHECK(posix_queue_by_priority) {
  char text[64];
  unsigned priority;
  mqd_t queue = open_queue(0);
  OK(mq_send(queue, "low", 4, 1));
  OK(mq_send(queue, "high", 5, 9));
  OK(mq_send(queue, "high2", 6, 9));
  EXPECT_EQ(5, mq_receive(queue, text, 64, &priority));
  EXPECT_EQ(9, priority);
  EXPECT_STR("high", text);
  EXPECT_EQ(6, mq_receive(queue, text, 64, &priority));
  EXPECT_EQ(4, mq_receive(queue, text, 64, &priority));
  EXPECT_STR("low", text);
}

CHECK(posix_queue_limits) {
  char text[64];
  struct mq_attr attributes;
  mqd_t queue = open_queue(O_NONBLOCK);
  EXPECT_ERRNO(EMSGSIZE, mq_send(queue, text, 65, 0));
  EXPECT_ERRNO(EMSGSIZE, mq_receive(queue, text, 63, NULL));
  EXPECT_ERRNO(EAGAIN, mq_receive(queue, text, 64, NULL));
  for (int at = 0; at < 4; at++) OK(mq_send(queue, "x", 1, 0));
  EXPECT_ERRNO(EAGAIN, mq_send(queue, "x", 1, 0));
  EXPECT_ERRNO(EINVAL, mq_send(queue, "x", 1, 40000));
  OK(mq_getattr(queue, &attributes));
  EXPECT_EQ(4, attributes.mq_maxmsg);
  EXPECT_EQ(64, attributes.mq_msgsize);
  EXPECT_EQ(4, attributes.mq_curmsgs);
  EXPECT_EQ(O_NONBLOCK, attributes.mq_flags);
}

CHECK(posix_queue_wakes_receiver) {
  char text[64];
  mqd_t queue = open_queue(0);
  pid_t pid = FORK();
  if (pid == 0) {
    sleep_ms(20);
    OK(mq_send(queue, "hello", 6, 0));
    _exit(0);
  }
  EXPECT_EQ(6, mq_receive(queue, text, 64, NULL));
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(posix_queue_times_out) {
  char text[64];
  struct timespec limit;
  mqd_t queue = open_queue(0);
  clock_gettime(CLOCK_REALTIME, &limit);
  EXPECT_ERRNO(ETIMEDOUT, mq_timedreceive(queue, text, 64, NULL, &limit));
}

CHECK(posix_shared_memory) {
  char name[40];
  snprintf(name, sizeof name, "/check-%d", getpid());
  int fd = OK(shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600));
  OK(ftruncate(fd, 4096));
  IN_CHILD {
    int other = OK(shm_open(name, O_RDWR, 0));
    strcpy(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0), "hello");
  }
  EXPECT_STR("hello", mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
  OK(shm_unlink(name));
  EXPECT_ERRNO(ENOENT, shm_open(name, O_RDWR, 0));
}

CHECK(posix_named_semaphore) {
  char name[40];
  snprintf(name, sizeof name, "/check-%d", getpid());
  sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
  EXPECT(semaphore != SEM_FAILED);
  pid_t pid = FORK();
  if (pid == 0) {
    sem_t *other = sem_open(name, 0);
    sleep_ms(10);
    sem_post(other);
    _exit(0);
  }
  OK(sem_wait(semaphore));
  EXPECT_EQ(0, WAIT(pid));
  OK(sem_unlink(name));
}
