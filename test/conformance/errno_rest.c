/* Errors of calls that the other tables leave out, and calls that no argument can make fail. */
#include "fixtures.h"
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>

#define NOBODY 4000000 /* a process id that is none */

static void nothing(int signal) { (void)signal; }

/* After this the process can make no descriptor, and no process. */
static long without_descriptors(void) { return setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0}); }
static long without_processes(void) { return setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0}); }

/* Ends a child with the call; the status that its parent sees. */
static int status_of_call(long number, long argument) {
  pid_t pid = FORK();
  if (pid == 0) {
    syscall(number, argument);
    _exit(99);
  }
  return WAIT(pid);
}

/* ---- no argument makes them fail ---- */
V(getpid_arguments, getpid(), S(getpid, NOWHERE, -1))
V(gettid_arguments, getpid(), S(gettid, NOWHERE, -1))
V(getppid_arguments, getppid(), S(getppid, NOWHERE, -1))
V(getpgrp_arguments, getpgid(0), S(getpgrp, NOWHERE, -1))
V(getuid_arguments, (int)getuid(), (int)S(getuid, NOWHERE))
V(geteuid_arguments, (int)geteuid(), (int)S(geteuid, NOWHERE))
V(getgid_arguments, (int)getgid(), (int)S(getgid, NOWHERE))
V(getegid_arguments, (int)getegid(), (int)S(getegid, NOWHERE))
V(setfsuid_invalid, (int)geteuid(), (int)S(setfsuid, -1))
V(setfsgid_invalid, (int)getegid(), (int)S(setfsgid, -1))
V(umask_extra_bits, 0777, (S(umask, 0xfffff), S(umask, 0)))
V(sched_yield_arguments, 0, S(sched_yield, NOWHERE))
V(sync_arguments, 0, S(sync, NOWHERE))
V(alarm_huge, 0xffffffffL, (S(alarm, -1), S(alarm, 0)))
V(munlockall_nothing_locked, 0, S(munlockall))
V(set_tid_address_nowhere, getpid(), S(set_tid_address, NOWHERE))
V(brk_too_high, S(brk, 0), S(brk, KERNEL_ADDRESS))
V(brk_too_low, S(brk, 0), S(brk, NOWHERE))
V(exit_status_is_a_byte, 0x34 << 8, status_of_call(SYS_exit, 0x1234))
V(exit_group_status_is_a_byte, 0xff << 8, status_of_call(SYS_exit_group, -1))
CHECK(rt_sigreturn_without_a_frame) {
  pid_t pid = FORK();
  if (pid == 0) {
    __asm__ volatile("mov $8, %%rsp\n\tmov $15, %%eax\n\tsyscall" ::: "rax", "rcx", "r11", "memory");
    _exit(99);
  }
  EXPECT_EQ(SIGSEGV, WAIT(pid) & 0x7f);
}

/* ---- processes and signals ---- */
E_USER(fork_eagain, EAGAIN, (without_processes(), S(fork)))
E_USER(vfork_eagain, EAGAIN, (without_processes(), S(vfork)))
E_USER(clone_eagain, EAGAIN, (without_processes(), S(clone, SIGCHLD, NULL, NULL, NULL, NULL)))
E(pause_eintr, EINTR, (signal(SIGALRM, nothing), ualarm(20000, 0), S(pause)))
E(restart_syscall_eintr_nothing_to_restart, EINTR, S(restart_syscall))
E(rt_tgsigqueueinfo_einval, EINVAL, S(rt_tgsigqueueinfo, -1, 1, SIGUSR1, ((int[32]){0, 0, -1})))
E(rt_tgsigqueueinfo_esrch, ESRCH, S(rt_tgsigqueueinfo, getpid(), NOBODY, SIGUSR1, ((int[32]){0, 0, -1})))
E(rt_tgsigqueueinfo_efault, EFAULT, S(rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, NOWHERE))
E(rt_tgsigqueueinfo_eperm_code, EPERM, S(rt_tgsigqueueinfo, getppid(), getppid(), SIGUSR1, ((int[32]){0, 0, 0})))
E(signalfd4_einval_flags, EINVAL, S(signalfd4, -1, buffer, 8, 1))
E(signalfd4_einval_size, EINVAL, S(signalfd4, -1, buffer, 4, 0))
E(signalfd4_einval_file, EINVAL, S(signalfd4, readable, buffer, 8, 0))
E(signalfd4_ebadf, EBADF, S(signalfd4, 500, buffer, 8, 0))
E(signalfd4_efault, EFAULT, S(signalfd4, -1, NOWHERE, 8, 0))
E(sched_setparam_einval, EINVAL, S(sched_setparam, 0, NULL))
E(sched_setparam_einval_priority, EINVAL, S(sched_setparam, 0, ((int[]){5})))
E(sched_setparam_esrch, ESRCH, S(sched_setparam, NOBODY, ((int[]){0})))
E(sched_setparam_efault, EFAULT, S(sched_setparam, 0, NOWHERE))
E(sched_get_priority_min_einval, EINVAL, S(sched_get_priority_min, 77))
E(sched_setattr_einval_null, EINVAL, S(sched_setattr, 0, NULL, 0))
E(sched_setattr_einval_flags, EINVAL, S(sched_setattr, 0, ((int[12]){48}), 1))
E(sched_setattr_einval_policy, EINVAL, S(sched_setattr, 0, ((int[12]){48, 77}), 0))
E(sched_setattr_esrch, ESRCH, S(sched_setattr, NOBODY, ((int[12]){48}), 0))
E(sched_setattr_efault, EFAULT, S(sched_setattr, 0, NOWHERE, 0))
E(sched_setattr_e2big, E2BIG, S(sched_setattr, 0, ((int[12]){4096 + 1}), 0))
E(prlimit64_einval, EINVAL, S(prlimit64, 0, 99, NULL, buffer))
E(prlimit64_efault, EFAULT, S(prlimit64, 0, RLIMIT_NOFILE, NULL, NOWHERE))
E(getresgid_efault, EFAULT, S(getresgid, buffer, NOWHERE, buffer))

/* ---- memory ---- */
E(munlock_enomem, ENOMEM, ({ char *page = page_of(PROT_READ); munmap(page, 4096); S(munlock, page, 4096); }))
E(remap_file_pages_einval_protection, EINVAL, S(remap_file_pages, page_of(PROT_READ), 4096, PROT_READ, 0, 0))
E(remap_file_pages_einval_private, EINVAL, S(remap_file_pages, page_of(PROT_READ), 4096, 0, 0, 0))
E(process_vm_writev_esrch, ESRCH, S(process_vm_writev, NOBODY, ((long[]){(long)buffer, 8}), 1, ((long[]){(long)buffer, 8}), 1, 0))
E(process_vm_writev_einval_flags, EINVAL, S(process_vm_writev, getpid(), NULL, 0, NULL, 0, 1))
E(process_vm_writev_einval_count, EINVAL, S(process_vm_writev, getpid(), buffer, 1025, NULL, 0, 0))
E(process_vm_writev_efault_array, EFAULT, S(process_vm_writev, getpid(), NOWHERE, 1, ((long[]){(long)buffer, 8}), 1, 0))
E(process_vm_writev_efault_remote, EFAULT, S(process_vm_writev, getpid(), ((long[]){(long)buffer, 8}), 1, ((long[]){8, 8}), 1, 0))
E_ROOTS(process_vm_writev_eperm, EPERM, S(process_vm_writev, getppid(), ((long[]){(long)buffer, 8}), 1, ((long[]){(long)buffer, 8}), 1, 0))
E(pkey_mprotect_einval_unaligned, EINVAL, S(pkey_mprotect, 0x10001, 4096, PROT_READ, -1))
E(pkey_mprotect_einval_no_such_key, EINVAL, S(pkey_mprotect, page_of(PROT_READ), 4096, PROT_READ, 15))
E(pkey_alloc_einval_flags, EINVAL, S(pkey_alloc, 1, 0))
E(pkey_alloc_einval_rights, EINVAL, S(pkey_alloc, 0, 0x100))
E(pkey_free_einval, EINVAL, S(pkey_free, 15))
E(futex_waitv_einval_flags, EINVAL, S(futex_waitv, buffer, 1, 1, NULL, 0))
E(futex_waitv_einval_count, EINVAL, S(futex_waitv, buffer, 0, 0, NULL, 0))
E(futex_waitv_einval_many, EINVAL, S(futex_waitv, buffer, 129, 0, NULL, 0))
E(futex_waitv_efault, EFAULT, S(futex_waitv, NOWHERE, 1, 0, NULL, 0))
E(futex_waitv_eagain, EAGAIN, S(futex_waitv, ((long[3]){1, (long)buffer, 2}), 1, 0, NULL, 0))
E(futex_waitv_einval_size, EINVAL, S(futex_waitv, ((long[3]){0, (long)buffer, 7}), 1, 0, NULL, 0))

E(process_madvise_ebadf, EBADF, S(process_madvise, readable, ((long[]){(long)buffer, 8}), 1, MADV_COLD, 0))
E(process_madvise_einval_flags, EINVAL, S(process_madvise, syscall(SYS_pidfd_open, getpid(), 0), ((long[]){(long)buffer, 8}), 1, MADV_COLD, 1))
E(process_madvise_einval_advice, EINVAL, S(process_madvise, syscall(SYS_pidfd_open, getpid(), 0), ((long[]){(long)page_of(PROT_READ), 4096}), 1, 999, 0))
E(process_madvise_einval_count, EINVAL, S(process_madvise, syscall(SYS_pidfd_open, getpid(), 0), buffer, 1025, MADV_COLD, 0))
E(process_madvise_efault, EFAULT, S(process_madvise, syscall(SYS_pidfd_open, getpid(), 0), NOWHERE, 1, MADV_COLD, 0))
V(process_madvise_bytes, 4096, S(process_madvise, syscall(SYS_pidfd_open, getpid(), 0), ((long[]){(long)page_of(PROT_READ), 4096}), 1, MADV_COLD, 0))

/* ---- priorities of input and output ---- */
E(ioprio_get_einval, EINVAL, S(ioprio_get, 9, 0))
E(ioprio_get_esrch, ESRCH, S(ioprio_get, 1, NOBODY))
E(ioprio_set_einval_class, EINVAL, S(ioprio_set, 1, 0, 4 << 13))
E(ioprio_set_einval_level_of_none, EINVAL, S(ioprio_set, 1, 0, 5))
E(ioprio_set_einval_who, EINVAL, S(ioprio_set, 9, 0, 0))
E(ioprio_set_esrch, ESRCH, S(ioprio_set, 1, NOBODY, 0))
E_USER(ioprio_set_eperm_real_time, EPERM, S(ioprio_set, 1, 0, 1 << 13))
E_ROOTS(ioprio_set_eperm_other, EPERM, S(ioprio_set, 1, getppid(), 0))

/* ---- files ---- */
E(lchown_enoent, ENOENT, S(lchown, "nothing", 0, 0))
E(lchown_efault, EFAULT, S(lchown, NOWHERE, 0, 0))
E_USER(lchown_eperm, EPERM, S(lchown, "link", 0, 0))
E(mknodat_eexist, EEXIST, S(mknodat, AT_FDCWD, "file", S_IFREG | 0644, 0))
E(mknodat_ebadf, EBADF, S(mknodat, 500, "name", S_IFREG | 0644, 0))
E(mknodat_enotdir, ENOTDIR, S(mknodat, readable, "name", S_IFREG | 0644, 0))
E(mknodat_efault, EFAULT, S(mknodat, AT_FDCWD, NOWHERE, S_IFREG | 0644, 0))
E(mknodat_eperm_directory, EPERM, S(mknodat, AT_FDCWD, "name", S_IFDIR | 0755, 0))
E(mknodat_einval_type, EINVAL, S(mknodat, AT_FDCWD, "name", S_IFLNK | 0755, 0))
E_USER(mknodat_eperm_device, EPERM, S(mknodat, AT_FDCWD, "name", S_IFCHR | 0644, 0x103))
E(fchmodat_enoent, ENOENT, S(fchmodat, AT_FDCWD, "nothing", 0644))
E(fchmodat_ebadf, EBADF, S(fchmodat, 500, "name", 0644))
E(fchmodat_enotdir, ENOTDIR, S(fchmodat, readable, "name", 0644))
E(fchmodat_efault, EFAULT, S(fchmodat, AT_FDCWD, NOWHERE, 0644))
E(fchmodat_eloop, ELOOP, S(fchmodat, AT_FDCWD, "loop", 0644))
E(getdents64_ebadf, EBADF, S(getdents64, 500, buffer, sizeof buffer))
E(getdents64_enotdir, ENOTDIR, S(getdents64, readable, buffer, sizeof buffer))
E(getdents64_einval_small, EINVAL, S(getdents64, directory_fd, buffer, 8))
E(getdents64_efault, EFAULT, S(getdents64, directory_fd, NOWHERE, 4096))
E(getdents64_ebadf_path, EBADF, S(getdents64, path_fd, buffer, sizeof buffer))
E(lgetxattr_enodata, ENODATA, S(lgetxattr, "file", "user.none", buffer, 8))
E(lgetxattr_enoent, ENOENT, S(lgetxattr, "nothing", "user.none", buffer, 8))
E(lgetxattr_efault_name, EFAULT, S(lgetxattr, "file", NOWHERE, buffer, 8))
E(llistxattr_enoent, ENOENT, S(llistxattr, "nothing", buffer, 8))
E(llistxattr_efault, EFAULT, S(llistxattr, NOWHERE, buffer, 8))
E(lremovexattr_enodata, ENODATA, S(lremovexattr, "file", "user.none"))
E(lremovexattr_enoent, ENOENT, S(lremovexattr, "nothing", "user.none"))
E(fremovexattr_ebadf, EBADF, S(fremovexattr, 500, "user.none"))
E(fremovexattr_ebadf_path, EBADF, S(fremovexattr, path_fd, "user.none"))
E(fremovexattr_enodata, ENODATA, S(fremovexattr, writable, "user.none"))
E(fremovexattr_efault, EFAULT, S(fremovexattr, writable, NOWHERE))
E(pwritev2_ebadf, EBADF, S(pwritev2, 500, ((long[]){(long)buffer, 8}), 1, 0, 0, 0))
E(pwritev2_ebadf_read_only, EBADF, S(pwritev2, readable, ((long[]){(long)buffer, 8}), 1, 0, 0, 0))
E(pwritev2_eopnotsupp_flags, EOPNOTSUPP, S(pwritev2, writable, ((long[]){(long)buffer, 8}), 1, 0, 0, 0x40000000))
E(pwritev2_einval_count, EINVAL, S(pwritev2, writable, buffer, 1025, 0, 0, 0))
E(pwritev2_espipe, ESPIPE, S(pwritev2, pipe_write, ((long[]){(long)buffer, 8}), 1, 0, 0, 0))
E(umount2_einval_flags, EINVAL, (NEED_CAPABILITY(21), S(umount2, "dir", 0x100)))
E(umount2_einval_no_mount, EINVAL, (NEED_CAPABILITY(21), S(umount2, "dir", 0)))
E(open_by_handle_at_einval_none, EINVAL, (NEED_CAPABILITY(2), S(open_by_handle_at, AT_FDCWD, ((int[]){0, 1, 0, 0}), O_RDONLY)))
E(open_by_handle_at_einval_size, EINVAL, (NEED_CAPABILITY(2), S(open_by_handle_at, AT_FDCWD, ((int[]){129, 1, 0, 0}), O_RDONLY)))
E(open_by_handle_at_efault, EFAULT, (NEED_CAPABILITY(2), S(open_by_handle_at, AT_FDCWD, NOWHERE, O_RDONLY)))
E(open_by_handle_at_ebadf, EBADF, (NEED_CAPABILITY(2), S(open_by_handle_at, 500, ((int[]){12, 1, 1, 2, 3}), O_RDONLY)))
E(open_by_handle_at_estale, ESTALE, (NEED_CAPABILITY(2), S(open_by_handle_at, AT_FDCWD, ((int[]){12, 1, 1, 2, 3}), O_RDONLY)))
E_USER(open_by_handle_at_eperm, EPERM, S(open_by_handle_at, AT_FDCWD, ((int[]){8, 1, 0, 0}), O_RDONLY))

/* ---- events and queues ---- */
E(eventfd2_einval_flags, EINVAL, S(eventfd2, 0, 0x100))
E(eventfd2_emfile, EMFILE, (without_descriptors(), S(eventfd2, 0, 0)))
E(inotify_init_emfile, EMFILE, (without_descriptors(), S(inotify_init)))
E(epoll_pwait2_ebadf, EBADF, S(epoll_pwait2, 500, buffer, 1, NULL, NULL, 0))
E(epoll_pwait2_einval_count, EINVAL, S(epoll_pwait2, epoll_create1(0), buffer, 0, NULL, NULL, 0))
E(epoll_pwait2_einval_time, EINVAL, S(epoll_pwait2, epoll_create1(0), buffer, 1, ((long[]){0, -1}), NULL, 0))
E(epoll_pwait2_efault_time, EFAULT, S(epoll_pwait2, epoll_create1(0), buffer, 1, NOWHERE, NULL, 0))
E(epoll_pwait2_einval_not_epoll, EINVAL, S(epoll_pwait2, pipe_read, buffer, 1, NULL, NULL, 0))
E(semtimedop_einval_id, EINVAL, S(semtimedop, -1, buffer, 1, NULL))
E(semtimedop_e2big, E2BIG, S(semtimedop, 0, buffer, 1000, NULL))
E(semtimedop_einval_count, EINVAL, S(semtimedop, 0, buffer, 0, NULL))
E(semtimedop_efault_time, EFAULT, S(semtimedop, 0, buffer, 1, NOWHERE))

/* ---- what only the machine's owner may do ---- */
E_USER(syslog_eperm, EPERM, S(syslog, 5, NULL, 0))
E_USER(swapoff_eperm, EPERM, S(swapoff, "file"))
E_REFUSED(iopl_eperm, S(iopl, 3))
E_REFUSED(ioperm_eperm, S(ioperm, 0, 1, 1))
E_REFUSED(init_module_eperm, S(init_module, buffer, 8, ""))
E_REFUSED(finit_module_eperm, S(finit_module, readable, "", 0))
E_REFUSED(delete_module_eperm, S(delete_module, "none", 0))
E_REFUSED(kexec_load_eperm, S(kexec_load, 0, 0, NULL, 0))
E_USER(adjtimex_eperm, EPERM, S(adjtimex, ((struct timex[]){{.modes = ADJ_OFFSET}})))
E(adjtimex_efault, EFAULT, S(adjtimex, NOWHERE))
E_USER(clock_adjtime_eperm, EPERM, S(clock_adjtime, CLOCK_REALTIME, ((struct timex[]){{.modes = ADJ_OFFSET}})))
E(clock_adjtime_efault, EFAULT, S(clock_adjtime, CLOCK_REALTIME, NOWHERE))
E(clock_adjtime_einval, EINVAL, S(clock_adjtime, 99, buffer))
E(clock_adjtime_eopnotsupp, EOPNOTSUPP, S(clock_adjtime, CLOCK_MONOTONIC, buffer))
CHECK_USER(bpf_refused) {
  EXPECT_EQ(-1, S(bpf, 9999, NOWHERE, 64));
  EXPECT(errno == EPERM || errno == EINVAL || errno == EFAULT);
}
CHECK_USER(perf_event_open_refused) {
  EXPECT_EQ(-1, S(perf_event_open, NOWHERE, 0, -1, -1, 0));
  EXPECT(errno == EPERM || errno == EACCES || errno == EFAULT);
}

/* ---- asynchronous input and output ---- */
static aio_context_t aio_context(void) {
  aio_context_t made = 0;
  OK(syscall(SYS_io_setup, 1, &made));
  return made;
}

E(io_setup_einval_none, EINVAL, S(io_setup, 0, ((long[]){0})))
E(io_setup_einval_in_use, EINVAL, S(io_setup, 1, ((long[]){1})))
E(io_setup_einval_many, EINVAL, S(io_setup, 0x7fffffff, ((long[]){0})))
E(io_setup_eagain, EAGAIN, S(io_setup, 1000000, ((long[]){0})))
E(io_setup_efault, EFAULT, S(io_setup, 1, NOWHERE))
E(io_destroy_einval, EINVAL, S(io_destroy, 4096))
E(io_submit_einval_context, EINVAL, S(io_submit, 4096, 1L, buffer))
E(io_submit_einval_count, EINVAL, S(io_submit, aio_context(), -1L, buffer))
E(io_submit_efault_list, EFAULT, S(io_submit, aio_context(), 1L, NOWHERE))
E(io_submit_efault_control, EFAULT, S(io_submit, aio_context(), 1L, ((void *[]){NOWHERE})))
E(io_submit_ebadf, EBADF, S(io_submit, aio_context(), 1L, ((void *[]){&(struct iocb){.aio_fildes = 500}})))
E(io_submit_ebadf_direction, EBADF, S(io_submit, aio_context(), 1L, ((void *[]){&(struct iocb){.aio_fildes = readable, .aio_lio_opcode = IOCB_CMD_PWRITE}})))
E(io_submit_einval_operation, EINVAL, S(io_submit, aio_context(), 1L, ((void *[]){&(struct iocb){.aio_fildes = readable, .aio_lio_opcode = 99}})))
E(io_submit_einval_reserved, EINVAL, S(io_submit, aio_context(), 1L, ((void *[]){&(struct iocb){.aio_fildes = readable, .aio_reserved2 = 1}})))
E(io_submit_einval_offset, EINVAL, S(io_submit, aio_context(), 1L, ((void *[]){&(struct iocb){.aio_fildes = readable, .aio_buf = (long)buffer, .aio_nbytes = 1, .aio_offset = -1}})))
E(io_submit_einval_not_eventfd, EINVAL, S(io_submit, aio_context(), 1L, ((void *[]){&(struct iocb){.aio_fildes = readable, .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = readable}})))
E(io_cancel_einval, EINVAL, S(io_cancel, aio_context(), buffer, buffer))
E(io_cancel_efault, EFAULT, S(io_cancel, aio_context(), NOWHERE, buffer))
E(io_getevents_einval_context, EINVAL, S(io_getevents, 4096, 0L, 1L, buffer, NULL))
E(io_getevents_einval_least, EINVAL, S(io_getevents, aio_context(), -1L, 1L, buffer, NULL))
E(io_getevents_einval_order, EINVAL, S(io_getevents, aio_context(), 2L, 1L, buffer, NULL))
E(io_getevents_efault_time, EFAULT, S(io_getevents, aio_context(), 0L, 1L, buffer, NOWHERE))
E(io_pgetevents_einval_context, EINVAL, S(io_pgetevents, 4096, 0L, 1L, buffer, NULL, NULL))
E(io_pgetevents_efault_mask, EFAULT, S(io_pgetevents, aio_context(), 0L, 1L, buffer, NULL, NOWHERE))

/* ---- io_uring; io_uring.c has the rest ---- */
static int ring_fd(void) {
  struct io_uring_params parameters = {0};
  int fd = syscall(SYS_io_uring_setup, 1, &parameters);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) SKIP("io_uring is off");
  return OK(fd);
}
static struct io_uring_params ring_params(unsigned flags, unsigned results) { return ring_fd(), (struct io_uring_params){.flags = flags, .cq_entries = results}; }

E(io_uring_setup_einval_none, EINVAL, S(io_uring_setup, 0, &(struct io_uring_params){.flags = ring_params(0, 0).flags}))
E(io_uring_setup_einval_many, EINVAL, S(io_uring_setup, 32769, &(struct io_uring_params){.flags = ring_params(0, 0).flags}))
E(io_uring_setup_einval_flags, EINVAL, S(io_uring_setup, 1, &(struct io_uring_params){.flags = ring_params(1u << 31, 0).flags}))
E(io_uring_setup_einval_reserved, EINVAL, S(io_uring_setup, 1, &(struct io_uring_params){.resv = {0, 0, ring_fd()}}))
E(io_uring_setup_einval_results, EINVAL, S(io_uring_setup, 8, &(struct io_uring_params){.flags = ring_params(IORING_SETUP_CQSIZE, 0).flags, .cq_entries = 4}))
E(io_uring_setup_efault, EFAULT, (ring_fd(), S(io_uring_setup, 1, NOWHERE)))
E(io_uring_enter_ebadf, EBADF, (ring_fd(), S(io_uring_enter, 500, 0, 0, 0, NULL, 0)))
E(io_uring_enter_eopnotsupp, EOPNOTSUPP, (ring_fd(), S(io_uring_enter, readable, 0, 0, 0, NULL, 0)))
E(io_uring_enter_einval_flags, EINVAL, S(io_uring_enter, ring_fd(), 0, 0, 1u << 31, NULL, 0))
E(io_uring_enter_einval_argument, EINVAL, S(io_uring_enter, ring_fd(), 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, buffer, 5))
E(io_uring_enter_efault_argument, EFAULT, S(io_uring_enter, ring_fd(), 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, NOWHERE, 24))
E(io_uring_register_ebadf, EBADF, (ring_fd(), S(io_uring_register, 500, IORING_REGISTER_PROBE, buffer, 1)))
E(io_uring_register_eopnotsupp, EOPNOTSUPP, (ring_fd(), S(io_uring_register, readable, IORING_REGISTER_PROBE, buffer, 1)))
E(io_uring_register_einval_what, EINVAL, S(io_uring_register, ring_fd(), 9999, NULL, 0))
E(io_uring_register_enxio, ENXIO, S(io_uring_register, ring_fd(), IORING_UNREGISTER_FILES, NULL, 0))
E(io_uring_register_efault_buffers, EFAULT, S(io_uring_register, ring_fd(), IORING_REGISTER_BUFFERS, NOWHERE, 1))
E(io_uring_register_efault_files, EFAULT, S(io_uring_register, ring_fd(), IORING_REGISTER_FILES, NOWHERE, 1))
E(io_uring_register_ebadf_files, EBADF, S(io_uring_register, ring_fd(), IORING_REGISTER_FILES, ((int[]){500}), 1))
E(io_uring_register_efault_eventfd, EFAULT, S(io_uring_register, ring_fd(), IORING_REGISTER_EVENTFD, NOWHERE, 1))

/* The newer mount calls; mount_calls.c has the rest. */
E_USER(open_tree_eperm, EPERM, S(open_tree, AT_FDCWD, "dir", 1))
E(open_tree_einval, EINVAL, S(open_tree, AT_FDCWD, "dir", 0x40000000))
E(open_tree_ebadf, EBADF, S(open_tree, 77, "dir", 0))
E_USER(move_mount_eperm, EPERM, S(move_mount, AT_FDCWD, "dir", AT_FDCWD, "dir", 0))
E_USER(fsopen_eperm, EPERM, S(fsopen, "tmpfs", 0))
E(fsconfig_einval, EINVAL, S(fsconfig, -1, 6, NULL, NULL, 0))
E(fsconfig_ebadf, EBADF, S(fsconfig, 77, 6, NULL, NULL, 0))
E_USER(fsmount_eperm, EPERM, S(fsmount, 0, 0, 0))
E_USER(fspick_eperm, EPERM, S(fspick, AT_FDCWD, "/", 0))
E(mount_setattr_einval_flags, EINVAL, S(mount_setattr, AT_FDCWD, "dir", 0x40000000, NULL, 32))
E(mount_setattr_e2big, E2BIG, S(mount_setattr, AT_FDCWD, "dir", 0, NULL, 5000))
E(statmount_einval_flags, EINVAL, syscall(457, NULL, NULL, 0, 1))
E(statmount_efault, EFAULT, syscall(457, NOWHERE, NULL, 0, 0))
E(listmount_efault, EFAULT, syscall(458, NOWHERE, NULL, 0, 0))
