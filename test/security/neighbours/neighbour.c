/*
 * Two neighbours in one static program, for neighbours.test.ts:
 *
 *   neighbour keep MARKER            has what is to be kept from others, serves TCP and UDP at port 7000 and TCP at 7001 of loopback, and says who has come
 *   neighbour ask KIND PLACE [PORT]  what a server says to `?hello`; KIND is tcp, udp or unix
 *   neighbour answer PORT            a server that answers datagrams by themselves
 *   neighbour probe                  tries to reach what `keep` has; prints a line for each thing: its name, and `reached` or why not
 *   neighbour kill                   signals every process that it can name, but its own parents
 *   neighbour overhear               listens where other's packets could be heard, for a second
 *   neighbour impersonate ADDRESS    tries to be ADDRESS: takes it, binds to it, sends from it to 7000 of TARGET
 *   neighbour everyone               sends to all who could be listening at 7000
 *   neighbour hold TARGET COUNT      opens connections to 7000 of TARGET and keeps them; prints how many it got
 *   neighbour flood TARGET SECONDS   sends datagrams to 7000 of TARGET as fast as it can
 *   neighbour connect TARGET SECONDS opens and closes connections to 7000 of TARGET as fast as it can
 *   neighbour work SECONDS           counts as far as it can
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <mqueue.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT 7000
#define KEY 0x5ec4e7
#define ABSTRACT "neighbour-abstract"
#define LAST_PID 4096

static void say(const char *name, int reached) {
  printf("%s: %s\n", name, reached ? "reached" : errno ? strerrorname_np(errno) : "nothing");
  errno = 0;
}
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}
static struct sockaddr_in at(const char *address, int port) {
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, address, &place.sin_addr);
  return place;
}
static int unixSocket(const char *path, int isAbstract, struct sockaddr_un *place) {
  memset(place, 0, sizeof *place);
  place->sun_family = AF_UNIX;
  strcpy(place->sun_path + isAbstract, path);
  return offsetof(struct sockaddr_un, sun_path) + isAbstract + strlen(path);
}

/* ---- keep ---- */

static void must(int isTrue, const char *what) {
  if (isTrue) return;
  perror(what);
  exit(1);
}
static void keepThings(const char *marker) {
  mkdir("/run", 0755);
  int file = open("/run/secret", O_RDWR | O_CREAT, 0666);
  must(write(file, marker, strlen(marker)) > 0, "write");
  int shared = shm_open("/secret", O_RDWR | O_CREAT, 0666);
  must(ftruncate(shared, 4096) == 0, "ftruncate");
  char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
  strcpy(memory, marker);
  int segment = shmget(KEY, 4096, IPC_CREAT | 0666);
  char *attached = shmat(segment, NULL, 0);
  must(attached != (char *)-1, "shmat");
  strcpy(attached, marker);
  must(semget(KEY, 1, IPC_CREAT | 0666) >= 0, "semget");
  int queue = msgget(KEY, IPC_CREAT | 0666);
  struct { long type; char text[64]; } message = {1, ""};
  strncpy(message.text, marker, 63);
  must(msgsnd(queue, &message, sizeof message.text, 0) == 0, "msgsnd");
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 64};
  mqd_t posix = mq_open("/secret", O_RDWR | O_CREAT, 0666, &attributes);
  must(posix >= 0 && mq_send(posix, message.text, 64, 0) == 0, "mq_open");
  for (int isAbstract = 0; isAbstract < 2; isAbstract++) {
    struct sockaddr_un place;
    int length = unixSocket(isAbstract ? ABSTRACT : "/run/secret.sock", isAbstract, &place);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    must(bind(listener, (void *)&place, length) == 0 && listen(listener, 8) == 0, "unix");
  }
}
static _Noreturn int keep(const char *marker) {
  keepThings(marker);
  int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), own = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in place = at("0.0.0.0", PORT), loopback = at("127.0.0.1", PORT + 1);
  setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  must(bind(tcp, (void *)&place, sizeof place) == 0 && listen(tcp, 4096) == 0 && bind(udp, (void *)&place, sizeof place) == 0, "bind");
  must(bind(own, (void *)&loopback, sizeof loopback) == 0 && listen(own, 8) == 0, "bind");
  struct rlimit many = {4096, 4096};
  setrlimit(RLIMIT_NOFILE, &many);
  printf("ready\n");
  fflush(stdout);
  static struct pollfd sockets[4096];
  int count = 3;
  sockets[0] = (struct pollfd){tcp, POLLIN, 0};
  sockets[1] = (struct pollfd){udp, POLLIN, 0};
  sockets[2] = (struct pollfd){own, POLLIN, 0};
  for (;;) {
    poll(sockets, count, -1);
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    char text[256], name[INET_ADDRSTRLEN];
    if (sockets[1].revents) {
      int got = recvfrom(udp, text, sizeof text, 0, (void *)&from, &length);
      inet_ntop(AF_INET, &from.sin_addr, name, sizeof name);
      /* A flood's are not told. */
      if (got > 0 && text[0] != '.') printf("udp %s %.*s\n", name, got, text);
      if (got > 0 && text[0] == '?') sendto(udp, marker, strlen(marker), 0, (void *)&from, length);
    }
    for (int index = 0; index < 3; index += 2) {
      if (!sockets[index].revents) continue;
      int client = accept4(sockets[index].fd, (void *)&from, &length, SOCK_NONBLOCK);
      if (client >= 0 && count < 4096) sockets[count++] = (struct pollfd){client, 0, 0};
      else if (client >= 0) close(client);
    }
    for (int index = 3; index < count; index++) {
      sockets[index].events = POLLIN;
      if (!sockets[index].revents) continue;
      int got = recv(sockets[index].fd, text, sizeof text, 0);
      length = sizeof from;
      getpeername(sockets[index].fd, (void *)&from, &length);
      inet_ntop(AF_INET, &from.sin_addr, name, sizeof name);
      if (got > 0) {
        printf("tcp %s %.*s\n", name, got, text);
        send(sockets[index].fd, marker, strlen(marker), MSG_NOSIGNAL);
      }
      close(sockets[index].fd);
      sockets[index--] = sockets[--count];
    }
    fflush(stdout);
  }
}

/* ---- probe ---- */

static int connects(const char *path, int isAbstract) {
  struct sockaddr_un place;
  int length = unixSocket(path, isAbstract, &place), one = socket(AF_UNIX, SOCK_STREAM, 0);
  int reached = connect(one, (void *)&place, length) == 0;
  int error = errno;
  close(one);
  errno = error;
  return reached;
}
static int seesProcess(void) {
  for (int pid = 1; pid < LAST_PID; pid++) {
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    int file = open(path, O_RDONLY);
    if (file < 0) continue;
    int got = read(file, text, sizeof text - 1);
    close(file);
    for (int index = 0; index < got; index++) if (strncmp(text + index, "keep", 5) == 0) return pid;
  }
  errno = 0;
  return 0;
}
static int entersMemory(void) {
  int pid = seesProcess();
  char byte;
  struct iovec mine = {&byte, 1}, theirs = {(void *)0x400000, 1};
  return pid && process_vm_readv(pid, &mine, 1, &theirs, 1, 0) == 1;
}
static int probe(void) {
  struct stat facts;
  say("file", stat("/run/secret", &facts) == 0);
  say("unix socket", connects("/run/secret.sock", 0));
  say("abstract socket", connects(ABSTRACT, 1));
  say("POSIX shared memory", shm_open("/secret", O_RDONLY, 0) >= 0);
  say("POSIX queue", mq_open("/secret", O_RDONLY) >= 0);
  int segment = shmget(KEY, 0, 0);
  say("System V shared memory", segment >= 0 && shmat(segment, NULL, SHM_RDONLY) != (void *)-1);
  say("System V semaphores", semget(KEY, 0, 0) >= 0);
  say("System V queue", msgget(KEY, 0) >= 0);
  int found = 0;
  struct shmid_ds segmentFacts;
  struct msqid_ds queueFacts;
  for (int id = 0; id < 256; id++) {
    if (shmctl(id, SHM_STAT, &segmentFacts) >= 0) found = 1;
    if (msgctl(id, MSG_STAT, &queueFacts) >= 0) found = 1;
  }
  say("System V by number", found);
  say("process", seesProcess() != 0);
  say("memory of a process", entersMemory());
  return 0;
}

/* Nowhere but in a sandbox: who runs this by mistake keeps the machine. */
static int killAll(void) {
  struct utsname facts;
  uname(&facts);
  if (!strstr(facts.release, "caisson")) return 2;
  for (int pid = 1; pid < LAST_PID; pid++) if (pid != getpid() && pid != getppid()) kill(pid, SIGKILL);
  for (int group = 2; group < LAST_PID; group++) if (group != getpgrp()) kill(-group, SIGKILL);
  printf("done\n");
  fflush(stdout);
  kill(-1, SIGKILL);
  return 0;
}

/* ---- the network ---- */

static int hears(int family, int type, int protocol) {
  int ear = socket(family, type, protocol);
  if (ear < 0) return 0;
  double end = now() + 1;
  static char packet[65536];
  for (double left; (left = end - now()) > 0;) {
    struct pollfd one = {ear, POLLIN, 0};
    if (poll(&one, 1, left * 1000) <= 0) break;
    int got = recv(ear, packet, sizeof packet, 0);
    if (got > 0 && memmem(packet, got, "marker", 6)) return 1;
  }
  errno = 0;
  return 0;
}
static int overhear(void) {
  const int ETH_ALL = 3;
  say("packet socket", hears(AF_PACKET, SOCK_RAW, htons(ETH_ALL)));
  say("cooked packet socket", hears(AF_PACKET, SOCK_DGRAM, htons(ETH_ALL)));
  say("raw TCP", hears(AF_INET, SOCK_RAW, IPPROTO_TCP));
  say("raw UDP", hears(AF_INET, SOCK_RAW, IPPROTO_UDP));
  struct ifreq request = {.ifr_flags = IFF_UP | IFF_PROMISC};
  strcpy(request.ifr_name, "eth0");
  int any = socket(AF_INET, SOCK_DGRAM, 0);
  say("promiscuous mode", ioctl(any, SIOCSIFFLAGS, &request) == 0 && hears(AF_PACKET, SOCK_RAW, htons(ETH_ALL)));
  return 0;
}

static int takesByNetlink(const char *address) {
  struct { struct nlmsghdr header; struct ifaddrmsg body; struct rtattr attribute; struct in_addr own; struct rtattr other; struct in_addr local; } request = {
    {sizeof request, RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, 1, 0}, {AF_INET, 24, 0, 0, if_nametoindex("eth0")}, {8, IFA_ADDRESS}, {0}, {8, IFA_LOCAL}, {0}};
  inet_pton(AF_INET, address, &request.own);
  request.local = request.own;
  int kernel = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  char answer[4096];
  if (kernel < 0 || send(kernel, &request, sizeof request, 0) < 0 || recv(kernel, answer, sizeof answer, 0) < (int)NLMSG_LENGTH(sizeof(struct nlmsgerr))) return 0;
  int error = ((struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)answer))->error;
  errno = -error;
  return error == 0;
}
static int takesByIoctl(const char *address) {
  struct ifreq request = {0};
  strcpy(request.ifr_name, "eth0");
  struct sockaddr_in place = at(address, 0);
  memcpy(&request.ifr_addr, &place, sizeof place);
  return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFADDR, &request) == 0;
}
static int claimsByArp(const char *address) {
  struct arpreq request = {.arp_flags = ATF_PERM | ATF_PUBL | ATF_COM};
  struct sockaddr_in place = at(address, 0);
  memcpy(&request.arp_pa, &place, sizeof place);
  strcpy(request.arp_dev, "eth0");
  return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSARP, &request) == 0;
}
static int sendsForged(const char *address, const char *target) {
  struct { struct iphdr ip; struct udphdr udp; char text[8]; } packet = {
    {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .tot_len = htons(sizeof packet)}, {{{htons(PORT), htons(PORT), htons(16), 0}}}, "forged!"};
  inet_pton(AF_INET, address, &packet.ip.saddr);
  inet_pton(AF_INET, target, &packet.ip.daddr);
  int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  struct sockaddr_in place = at(target, 0);
  return raw >= 0 && sendto(raw, &packet, sizeof packet, 0, (void *)&place, sizeof place) > 0;
}
static int bindsTo(const char *address, const char *target, int type, int level, int option) {
  int one = 1, mine = socket(AF_INET, type, 0);
  if (option) setsockopt(mine, level, option, &one, sizeof one);
  struct sockaddr_in place = at(address, PORT), to = at(target, PORT);
  if (bind(mine, (void *)&place, sizeof place) < 0) return 0;
  if (type == SOCK_DGRAM) sendto(mine, "forged!", 7, 0, (void *)&to, sizeof to);
  else if (connect(mine, (void *)&to, sizeof to) == 0) send(mine, "forged!", 7, MSG_NOSIGNAL);
  return 1;
}
static int sendsWithInfo(const char *address, const char *target) {
  struct sockaddr_in to = at(target, PORT);
  struct iovec data = {"forged!", 7};
  union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(struct in_pktinfo))]; } control = {{.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO}};
  struct in_pktinfo *info = (void *)CMSG_DATA(&control.header);
  inet_pton(AF_INET, address, &info->ipi_spec_dst);
  struct msghdr message = {&to, sizeof to, &data, 1, &control, sizeof control, 0};
  return sendmsg(socket(AF_INET, SOCK_DGRAM, 0), &message, 0) > 0;
}
static int impersonate(const char *address, const char *target) {
  say("address by netlink", takesByNetlink(address));
  say("address by ioctl", takesByIoctl(address));
  say("ARP entry", claimsByArp(address));
  say("raw packet", sendsForged(address, target));
  say("bind, datagrams", bindsTo(address, target, SOCK_DGRAM, 0, 0));
  say("bind, stream", bindsTo(address, target, SOCK_STREAM, 0, 0));
  say("bind, IP_FREEBIND", bindsTo(address, target, SOCK_DGRAM, IPPROTO_IP, IP_FREEBIND));
  say("bind, IP_TRANSPARENT", bindsTo(address, target, SOCK_DGRAM, IPPROTO_IP, IP_TRANSPARENT));
  say("IP_PKTINFO", sendsWithInfo(address, target));
  return 0;
}

static int everyone(const char *broadcast) {
  const char *places[] = {broadcast, "255.255.255.255", "224.0.0.1", "224.0.0.251"};
  for (int index = 0; index < 4; index++) {
    int one = 1, mine = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(mine, SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
    struct sockaddr_in to = at(places[index], PORT);
    struct ip_mreqn group = {.imr_multiaddr = to.sin_addr, .imr_ifindex = if_nametoindex("eth0")};
    setsockopt(mine, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group);
    say(places[index], sendto(mine, "everyone", 8, 0, (void *)&to, sizeof to) > 0);
  }
  return 0;
}

static int ask(const char *kind, const char *place, int port) {
  struct timeval patience = {2, 0};
  struct sockaddr_in to = at(place, port);
  struct sockaddr_un path;
  int isUnix = !strcmp(kind, "unix"), length = isUnix ? unixSocket(place, 0, &path) : (int)sizeof to;
  int one = socket(isUnix ? AF_UNIX : AF_INET, strcmp(kind, "udp") ? SOCK_STREAM : SOCK_DGRAM, 0);
  setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char text[256];
  int got = -1;
  if (connect(one, isUnix ? (void *)&path : (void *)&to, length) == 0 && send(one, "?hello", 6, MSG_NOSIGNAL) == 6) got = recv(one, text, sizeof text, 0);
  if (got < 0) printf("%s\n", strerrorname_np(errno));
  else printf("%.*s\n", got, text);
  return got < 0;
}
static int answer(int port) {
  int server = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in place = at("0.0.0.0", port), from;
  must(bind(server, (void *)&place, sizeof place) == 0, "bind");
  char text[1500];
  socklen_t length = sizeof from;
  for (int got; (got = recvfrom(server, text, sizeof text, 0, (void *)&from, &length)) >= 0; length = sizeof from) sendto(server, text, got, 0, (void *)&from, length);
  return 1;
}

/* ---- exhaust ---- */

static _Noreturn int hold(const char *target, int count) {
  struct rlimit many = {8192, 8192};
  setrlimit(RLIMIT_NOFILE, &many);
  struct sockaddr_in to = at(target, PORT);
  int got = 0, error = 0;
  for (int index = 0; index < count; index++) {
    int one = socket(AF_INET, SOCK_STREAM, 0);
    if (one >= 0 && connect(one, (void *)&to, sizeof to) == 0) got++;
    else error = errno;
  }
  printf("held %d %s\n", got, error ? strerrorname_np(error) : "all");
  fflush(stdout);
  for (;;) pause();
}
static int flood(const char *target, double seconds) {
  struct sockaddr_in to = at(target, PORT);
  int mine = socket(AF_INET, SOCK_DGRAM, 0);
  static char text[1400];
  memset(text, '.', sizeof text);
  long sent = 0;
  for (double end = now() + seconds; now() < end;) for (int index = 0; index < 100; index++) sent += sendto(mine, text, sizeof text, 0, (void *)&to, sizeof to) > 0;
  printf("sent %ld\n", sent);
  return 0;
}
static int connectAgain(const char *target, double seconds) {
  struct sockaddr_in to = at(target, PORT);
  long made = 0;
  for (double end = now() + seconds; now() < end;) {
    int one = socket(AF_INET, SOCK_STREAM, 0);
    made += connect(one, (void *)&to, sizeof to) == 0;
    close(one);
  }
  printf("made %ld\n", made);
  return 0;
}
static int work(double seconds) {
  uint64_t state = 88172645463325252ull;
  long rounds = 0;
  for (double end = now() + seconds; now() < end; rounds++) {
    for (int index = 0; index < 100000; index++) state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  }
  printf("%ld\n", rounds + (state == 0));
  return 0;
}

int main(int count, char **words) {
  const char *what = count > 1 ? words[1] : "", *first = count > 2 ? words[2] : "", *second = count > 3 ? words[3] : "", *third = count > 4 ? words[4] : "";
  signal(SIGPIPE, SIG_IGN);
  if (!strcmp(what, "keep")) return keep(first);
  if (!strcmp(what, "ask")) return ask(first, second, atoi(third));
  if (!strcmp(what, "answer")) return answer(atoi(first));
  if (!strcmp(what, "probe")) return probe();
  if (!strcmp(what, "kill")) return killAll();
  if (!strcmp(what, "overhear")) return overhear();
  if (!strcmp(what, "impersonate")) return impersonate(first, second);
  if (!strcmp(what, "everyone")) return everyone(first);
  if (!strcmp(what, "hold")) return hold(first, atoi(second));
  if (!strcmp(what, "flood")) return flood(first, atof(second));
  if (!strcmp(what, "connect")) return connectAgain(first, atof(second));
  if (!strcmp(what, "work")) return work(atof(first));
  fprintf(stderr, "neighbour: what?\n");
  return 2;
}
