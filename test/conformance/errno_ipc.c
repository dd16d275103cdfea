/* Errors of sockets, System V IPC and POSIX message queues: socket(7), unix(7), ip(7), msgget(2), semop(2), shmat(2), mq_open(3). */
#include "fixtures.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static struct sockaddr_un no_such_path = {AF_UNIX, "nothing"}, taken = {AF_UNIX, "file"};
static struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {0x0100007f}};

static __attribute__((unused)) int tcp(void) { return OK(socket(AF_INET, SOCK_STREAM, 0)); }
static __attribute__((unused)) int udp(void) { return OK(socket(AF_INET, SOCK_DGRAM, 0)); }
static __attribute__((unused)) int pair_end(void) {
  int ends[2];
  OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  return ends[0];
}
static __attribute__((unused)) struct sockaddr *port(int number) {
  loopback.sin_port = htons(number);
  return (struct sockaddr *)&loopback;
}

E(socket_eafnosupport, EAFNOSUPPORT, S(socket, 99, SOCK_STREAM, 0))
E(socket_einval_type, EINVAL, S(socket, AF_INET, 77, 0))
E(socket_einval_flags, EINVAL, S(socket, AF_INET, SOCK_STREAM | 0x10000, 0))
E(socket_eprotonosupport, EPROTONOSUPPORT, S(socket, AF_UNIX, SOCK_STREAM, 77))
E(socket_eprotonosupport_inet, EPROTONOSUPPORT, S(socket, AF_INET, SOCK_STREAM, IPPROTO_UDP))
E(socket_esocktnosupport, ESOCKTNOSUPPORT, S(socket, AF_UNIX, SOCK_RDM, 0))
E_USER(socket_raw_eperm, EPERM, S(socket, AF_INET, SOCK_RAW, IPPROTO_ICMP))
E_USER(socket_packet_eperm, EPERM, S(socket, AF_PACKET, SOCK_RAW, 0))
E(socketpair_eopnotsupp, EOPNOTSUPP, S(socketpair, AF_INET, SOCK_STREAM, 0, buffer))
E(socketpair_efault, EFAULT, S(socketpair, AF_UNIX, SOCK_STREAM, 0, NOWHERE))
E(bind_ebadf, EBADF, S(bind, 500, &no_such_path, sizeof no_such_path))
E(bind_enotsock, ENOTSOCK, S(bind, readable, &no_such_path, sizeof no_such_path))
E(bind_efault, EFAULT, S(bind, socket_fd, NOWHERE, 16))
E(bind_eaddrinuse_file, EADDRINUSE, S(bind, socket_fd, &taken, sizeof taken))
E(bind_einval_length, EINVAL, S(bind, socket_fd, &no_such_path, 1000))
E(bind_einval_short_inet, EINVAL, S(bind, tcp(), port(0), 4))
E(bind_eaddrnotavail, EADDRNOTAVAIL, S(bind, tcp(), ((struct sockaddr_in[]){{.sin_family = AF_INET, .sin_addr = {htonl(0xc6336401)}}}), 16))
E(bind_eafnosupport, EAFNOSUPPORT, S(bind, tcp(), ((struct sockaddr_in[]){{.sin_family = AF_UNIX}}), 16))
E_USER(bind_eacces_port, EACCES, S(bind, tcp(), port(80), 16))
E(bind_enoent_directory, ENOENT, S(bind, socket_fd, ((struct sockaddr_un[]){{AF_UNIX, "nothing/name"}}), sizeof taken))
E(bind_einval_twice, EINVAL, ({ int s = tcp(); S(bind, s, port(0), 16); S(bind, s, port(0), 16); }))
E(listen_ebadf, EBADF, S(listen, 500, 1))
E(listen_enotsock, ENOTSOCK, S(listen, readable, 1))
E(listen_eopnotsupp, EOPNOTSUPP, S(listen, udp(), 1))
E(listen_einval_unbound_unix, EINVAL, S(listen, socket_fd, 1))
E(accept_ebadf, EBADF, S(accept, 500, NULL, NULL))
E(accept_enotsock, ENOTSOCK, S(accept, readable, NULL, NULL))
E(accept_einval_not_listening, EINVAL, S(accept, tcp(), NULL, NULL))
E(accept_einval_not_listening_unix, EINVAL, S(accept, socket_fd, NULL, NULL))
E(accept_eopnotsupp_datagram, EOPNOTSUPP, S(accept, udp(), NULL, NULL))
E(accept4_einval_flags, EINVAL, S(accept4, socket_fd, NULL, NULL, 1))
E(accept_eagain, EAGAIN, ({ int s = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)); listen(s, 1); S(accept, s, NULL, NULL); }))
E(connect_ebadf, EBADF, S(connect, 500, &no_such_path, sizeof no_such_path))
E(connect_enotsock, ENOTSOCK, S(connect, readable, &no_such_path, sizeof no_such_path))
E(connect_enoent, ENOENT, S(connect, socket_fd, &no_such_path, sizeof no_such_path))
E(connect_econnrefused_file, ECONNREFUSED, S(connect, socket_fd, &taken, sizeof taken))
E(connect_econnrefused_abstract, ECONNREFUSED, S(connect, socket_fd, ((struct sockaddr_un[]){{AF_UNIX, "\0nobody"}}), 9))
E(connect_econnrefused_tcp, ECONNREFUSED, S(connect, tcp(), port(9), 16))
E(connect_efault, EFAULT, S(connect, socket_fd, NOWHERE, 16))
E(connect_einval_length, EINVAL, S(connect, tcp(), port(9), 4))
E(connect_eafnosupport, EAFNOSUPPORT, S(connect, tcp(), ((struct sockaddr_in[]){{.sin_family = 77}}), 16))
E(connect_eisconn, EISCONN, ({
    struct sockaddr_un name = {AF_UNIX, "new"};
    OK(bind(socket_fd, (void *)&name, sizeof name));
    OK(listen(socket_fd, 5));
    S(connect, pair_end(), &name, sizeof name);
  }))
E(getsockname_ebadf, EBADF, S(getsockname, 500, buffer, buffer))
E(getsockname_enotsock, ENOTSOCK, S(getsockname, readable, buffer, buffer))
E(getsockname_efault, EFAULT, S(getsockname, socket_fd, NOWHERE, NOWHERE))
E(getsockname_einval_length, EINVAL, S(getsockname, socket_fd, buffer, ((int[]){-1})))
E(getpeername_enotconn, ENOTCONN, S(getpeername, socket_fd, buffer, ((int[]){100})))
E(getpeername_enotconn_tcp, ENOTCONN, S(getpeername, tcp(), buffer, ((int[]){100})))
E(sendto_ebadf, EBADF, S(sendto, 500, buffer, 1, 0, NULL, 0))
E(sendto_enotsock, ENOTSOCK, S(sendto, readable, buffer, 1, 0, NULL, 0))
E(sendto_edestaddrreq, EDESTADDRREQ, S(sendto, udp(), buffer, 1, 0, NULL, 0))
E(sendto_epipe_unconnected_tcp, EPIPE, S(sendto, tcp(), buffer, 1, MSG_NOSIGNAL, NULL, 0))
E(sendto_enotconn_unix, ENOTCONN, S(sendto, socket_fd, buffer, 1, MSG_NOSIGNAL, NULL, 0))
E(sendto_efault, EFAULT, S(sendto, pair_end(), NOWHERE, 1, 0, NULL, 0))
E(sendto_emsgsize, EMSGSIZE, S(sendto, udp(), page_of(PROT_READ), 66000, 0, port(9), 16))
E(sendto_eopnotsupp_oob_unix_datagram, EOPNOTSUPP, ({ int ends[2]; socketpair(AF_UNIX, SOCK_DGRAM, 0, ends); S(sendto, ends[0], buffer, 1, MSG_OOB, NULL, 0); }))
E(recvfrom_ebadf, EBADF, S(recvfrom, 500, buffer, 1, 0, NULL, NULL))
E(recvfrom_enotsock, ENOTSOCK, S(recvfrom, readable, buffer, 1, 0, NULL, NULL))
E(recvfrom_enotconn, ENOTCONN, S(recvfrom, tcp(), buffer, 1, 0, NULL, NULL))
E(recvfrom_einval_unix, EINVAL, S(recvfrom, socket_fd, buffer, 1, 0, NULL, NULL))
E(recvfrom_eagain, EAGAIN, S(recvfrom, pair_end(), buffer, 1, MSG_DONTWAIT, NULL, NULL))
E(recvfrom_eagain_udp, EAGAIN, S(recvfrom, udp(), buffer, 1, MSG_DONTWAIT, NULL, NULL))
E(sendmsg_efault, EFAULT, S(sendmsg, pair_end(), NOWHERE, 0))
E(sendmsg_emsgsize_vectors, EMSGSIZE, S(sendmsg, pair_end(), ((struct msghdr[]){{.msg_iov = (void *)buffer, .msg_iovlen = 1025}}), 0))
E(sendmsg_ebadf_rights, EBADF, ({
    struct { struct cmsghdr header; int fd; } control = {{CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS}, 500};
    struct iovec vector = {buffer, 1};
    S(sendmsg, pair_end(), ((struct msghdr[]){{.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control}}), 0);
  }))
E(recvmsg_efault, EFAULT, S(recvmsg, pair_end(), NOWHERE, 0))
E(shutdown_ebadf, EBADF, S(shutdown, 500, 0))
E(shutdown_enotsock, ENOTSOCK, S(shutdown, readable, 0))
E(shutdown_einval, EINVAL, S(shutdown, pair_end(), 9))
E(shutdown_enotconn_tcp, ENOTCONN, S(shutdown, tcp(), SHUT_WR))
E(getsockopt_ebadf, EBADF, S(getsockopt, 500, SOL_SOCKET, SO_TYPE, buffer, ((int[]){4})))
E(getsockopt_enotsock, ENOTSOCK, S(getsockopt, readable, SOL_SOCKET, SO_TYPE, buffer, ((int[]){4})))
E(getsockopt_enoprotoopt, ENOPROTOOPT, S(getsockopt, socket_fd, SOL_SOCKET, 9999, buffer, ((int[]){4})))
E(getsockopt_efault, EFAULT, S(getsockopt, socket_fd, SOL_SOCKET, SO_TYPE, NOWHERE, ((int[]){4})))
E(getsockopt_einval_length, EINVAL, S(getsockopt, socket_fd, SOL_SOCKET, SO_TYPE, buffer, ((int[]){-1})))
E(getsockopt_unix_level, EOPNOTSUPP, S(getsockopt, socket_fd, IPPROTO_TCP, TCP_NODELAY, buffer, ((int[]){4})))
E(setsockopt_ebadf, EBADF, S(setsockopt, 500, SOL_SOCKET, SO_REUSEADDR, buffer, 4))
E(setsockopt_enoprotoopt, ENOPROTOOPT, S(setsockopt, socket_fd, SOL_SOCKET, 9999, buffer, 4))
E(setsockopt_einval_short, EINVAL, S(setsockopt, socket_fd, SOL_SOCKET, SO_REUSEADDR, buffer, 2))
E(setsockopt_efault, EFAULT, S(setsockopt, socket_fd, SOL_SOCKET, SO_REUSEADDR, NOWHERE, 4))
E(setsockopt_read_only_option, ENOPROTOOPT, S(setsockopt, socket_fd, SOL_SOCKET, SO_TYPE, buffer, 4))
E(setsockopt_timeout_edom, EDOM, S(setsockopt, socket_fd, SOL_SOCKET, SO_RCVTIMEO, ((long[]){0, 1000000}), 16))
E(setsockopt_tcp_unknown, ENOPROTOOPT, S(setsockopt, tcp(), IPPROTO_TCP, 9999, buffer, 4))
E(recvmmsg_efault, EFAULT, S(recvmmsg, pair_end(), NOWHERE, 1, MSG_DONTWAIT, NULL))
E(sendmmsg_ebadf, EBADF, S(sendmmsg, 500, buffer, 1, 0))

E(msgget_enoent, ENOENT, S(msgget, 0x7a7a0001, 0))
E(msgget_eexist, EEXIST, ({ int id = OK(msgget(0x7a7a0002, IPC_CREAT | 0600)); int got = S(msgget, 0x7a7a0002, IPC_CREAT | IPC_EXCL); int error = errno; msgctl(id, IPC_RMID, NULL); errno = error; got; }))
E(msgsnd_einval_id, EINVAL, S(msgsnd, 0x7fffff, ((long[]){1, 0}), 8, IPC_NOWAIT))
E(msgsnd_einval_type, EINVAL, ({ int id = OK(msgget(IPC_PRIVATE, 0600)); int got = S(msgsnd, id, ((long[]){0, 0}), 8, 0); int error = errno; msgctl(id, IPC_RMID, NULL); errno = error; got; }))
E(msgrcv_enomsg, ENOMSG, ({ int id = OK(msgget(IPC_PRIVATE, 0600)); int got = S(msgrcv, id, buffer, 8, 0, IPC_NOWAIT); int error = errno; msgctl(id, IPC_RMID, NULL); errno = error; got; }))
E(msgctl_einval_id, EINVAL, S(msgctl, 0x7fffff, IPC_STAT, buffer))
E(msgctl_einval_command, EINVAL, S(msgctl, 0x7fffff, 99, buffer))
E(semget_enoent, ENOENT, S(semget, 0x7a7a0003, 1, 0))
E(semget_einval_count, EINVAL, S(semget, IPC_PRIVATE, -1, 0600))
E(semget_einval_zero, EINVAL, S(semget, IPC_PRIVATE, 0, 0600))
E(semop_einval_id, EINVAL, S(semop, 0x7fffff, ((struct sembuf[]){{0, 1, 0}}), 1))
E(semop_einval_count, EINVAL, S(semop, 0, buffer, 0))
E(semop_e2big, E2BIG, S(semop, 0, buffer, 1000))
E(semop_efbig, EFBIG, ({ int id = OK(semget(IPC_PRIVATE, 1, 0600)); int got = S(semop, id, ((struct sembuf[]){{5, 1, 0}}), 1); int error = errno; semctl(id, 0, IPC_RMID); errno = error; got; }))
E(semop_eagain, EAGAIN, ({ int id = OK(semget(IPC_PRIVATE, 1, 0600)); int got = S(semop, id, ((struct sembuf[]){{0, -1, IPC_NOWAIT}}), 1); int error = errno; semctl(id, 0, IPC_RMID); errno = error; got; }))
E(semctl_einval, EINVAL, S(semctl, 0x7fffff, 0, GETVAL, 0))
E(shmget_enoent, ENOENT, S(shmget, 0x7a7a0004, 4096, 0))
E(shmget_einval_size, EINVAL, S(shmget, IPC_PRIVATE, 0, 0600))
E(shmat_einval_id, EINVAL, S(shmat, 0x7fffff, NULL, 0))
E(shmdt_einval, EINVAL, S(shmdt, page_of(PROT_READ)))
E(shmctl_einval, EINVAL, S(shmctl, 0x7fffff, IPC_RMID, NULL))

E(mq_open_enoent, ENOENT, S(mq_open, "nothing", O_RDONLY, 0, NULL))
E(mq_open_einval_attributes, EINVAL, S(mq_open, "new", O_RDWR | O_CREAT, 0600, ((long[8]){0, 0, 0, 0})))
E(mq_open_eacces_slash, EACCES, S(mq_open, "a/b", O_RDWR | O_CREAT, 0600, NULL))
E(mq_open_efault, EFAULT, S(mq_open, NOWHERE, O_RDONLY, 0, NULL))
E(mq_unlink_enoent, ENOENT, S(mq_unlink, "nothing"))
E(mq_timedsend_ebadf, EBADF, S(mq_timedsend, 500, buffer, 1, 0, NULL))
E(mq_timedsend_ebadf_file, EBADF, S(mq_timedsend, writable, buffer, 1, 0, NULL))
E(mq_timedreceive_ebadf, EBADF, S(mq_timedreceive, 500, buffer, 8192, NULL, NULL))
E(mq_getsetattr_ebadf, EBADF, S(mq_getsetattr, readable, NULL, buffer))
E(mq_notify_ebadf, EBADF, S(mq_notify, 500, NULL))
