// What a process stores where nothing is mapped is in no other user's memory afterwards.
//   leftovers             as root: a process of user 1000 stores, then one of root looks
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 4096

static volatile char own[1024];
static volatile char *targets[1024];

/* Hot, so that it is translated. */
__attribute__((noinline)) static void store(long count)
{
	for (long at = 0; at < count; at++)
		*targets[at & 1023] = 77;
}

static unsigned long holes[PAGES];

/* Some pages of each place where nothing is mapped, below the highest mapping. */
static int find_holes(void)
{
	char line[512];
	unsigned long last = 0x200000, start, end;
	int count = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		for (unsigned long step = (start - last) / 64 & ~4095ul, at = last; step && at + 4096 <= start && count < PAGES; at += step)
			holes[count++] = at;
		last = end;
	}
	fclose(maps);
	return count;
}

static int plant(void)
{
	for (int at = 0; at < 1024; at++)
		targets[at] = &own[at];
	store(300000000);
	int count = find_holes();
	for (int at = 0; at < count; at++) {
		targets[5] = (volatile char *)holes[at];
		store(1024);
	}
	printf("stored in %d places\n", count);
	return 0;
}

static int look(void)
{
	int count = find_holes(), mapped = 0, found = 0;
	for (int at = 0; at < count; at++) {
		char *page = mmap((void *)holes[at], 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (page == MAP_FAILED)
			continue;
		mapped++;
		for (int byte = 0; byte < 4096; byte++)
			found += page[byte] != 0;
	}
	printf("%s, %d bytes of others\n", mapped > 0 ? "looked" : "no place", found);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return strcmp(argv[1], "plant") ? look() : plant();
	for (int round = 0; round < 3; round++) {
		if (fork() == 0) {
			if (setgid(1000) || setuid(1000))
				return 1;
			execl("/proc/self/exe", "leftovers", "plant", NULL);
			return 1;
		}
		wait(NULL);
		/* One gets the memory of the last that ended, the other of the one before. */
		for (int loads = 0; loads < 2; loads++) {
			if (fork() == 0) {
				if (!loads)
					return look();
				execl("/proc/self/exe", "leftovers", "look", NULL);
				return 1;
			}
			wait(NULL);
		}
	}
	return 0;
}
