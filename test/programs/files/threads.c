#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static long total;
static int next;

static void *work(void *argument) {
  long id = (long)argument;
  for (int i = 0; i < 2000; i++) { pthread_mutex_lock(&lock); total += id; pthread_mutex_unlock(&lock); }
  pthread_mutex_lock(&lock);
  while (next != id) pthread_cond_wait(&turn, &lock);
  printf("thread %ld\n", id);
  next++;
  pthread_cond_broadcast(&turn);
  pthread_mutex_unlock(&lock);
  return argument;
}

int main(void) {
  pthread_t threads[6];
  for (long i = 0; i < 6; i++) pthread_create(&threads[i], 0, work, (void *)i);
  for (int i = 0; i < 6; i++) pthread_join(threads[i], 0);
  printf("total %ld\n", total);
}
