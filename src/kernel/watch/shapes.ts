/** How the arguments of watched calls are called, and which of them is the file that the call is about. The kinds of the arguments are those of the rows. */

export interface Shape {
  /** In the order of the row. */
  readonly names: readonly string[];
  /** Symbolic links in the last part are not followed, whatever the flags. */
  readonly keepsLink?: boolean;
  /** Flags say whether they are: AT_SYMLINK_NOFOLLOW, or AT_SYMLINK_FOLLOW where that is the exception. */
  readonly linkFlags?: 'nofollow' | 'follow';
  /** What paths there are, beside where descriptors lead. Default: one, which is the file. `from-to`: two, source and target. `text-to`: the first is only a text. */
  readonly paths?: 'from-to' | 'text-to';
  /** It makes a descriptor, or opens one: the result is the file's. */
  readonly opens?: boolean;
}

const IDS3 = (letter: string): readonly string[] => [`r${letter}id`, `e${letter}id`, `s${letter}id`];

export const SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['execve', { names: ['filename', 'argv', 'envp'] }],
  ['execveat', { names: ['dirfd', 'filename', 'argv', 'envp', 'flags'], linkFlags: 'nofollow' }],
  ['open', { names: ['name', 'flags', 'mode'], opens: true }],
  ['openat', { names: ['dirfd', 'name', 'flags', 'mode'], opens: true }],
  ['openat2', { names: ['dirfd', 'name', 'flags', 'size'], opens: true }],
  ['creat', { names: ['name', 'mode'], opens: true }],
  ['open_by_handle_at', { names: ['mountfd', 'handle', 'flags'], opens: true }],
  ['memfd_create', { names: ['name', 'flags'] }],
  ['socket', { names: ['domain', 'type', 'proto'] }],
  ['connect', { names: ['fd', 'addr', 'size'] }],
  ['bind', { names: ['fd', 'addr', 'size'] }],
  ['listen', { names: ['fd', 'backlog'] }],
  ['accept', { names: ['fd', 'addr', 'size'] }],
  ['accept4', { names: ['fd', 'addr', 'size', 'flags'] }],
  ['sendto', { names: ['fd', 'data', 'size', 'flags', 'tuple', 'length'] }],
  ['sendmsg', { names: ['fd', 'msg', 'flags'] }],
  ['sendmmsg', { names: ['fd', 'msgs', 'count', 'flags'] }],
  ['dup', { names: ['fd'] }],
  ['dup2', { names: ['oldfd', 'newfd'] }],
  ['dup3', { names: ['oldfd', 'newfd', 'flags'] }],
  ['mount', { names: ['dev', 'dir', 'type', 'flags', 'data'], paths: 'text-to' }],
  ['umount2', { names: ['name', 'flags'] }],
  ['move_mount', { names: ['fromdirfd', 'from', 'todirfd', 'to', 'flags'], paths: 'from-to' }],
  ['open_tree', { names: ['dirfd', 'name', 'flags'] }],
  ['fsopen', { names: ['type', 'flags'], paths: 'text-to' }],
  ['pivot_root', { names: ['new_root', 'put_old'], paths: 'from-to' }],
  ['chroot', { names: ['path'] }],
  ['setns', { names: ['fd', 'nstype'] }],
  ['unshare', { names: ['flags'] }],
  ['clone', { names: ['flags', 'stack', 'parent_tid', 'child_tid', 'tls'] }],
  ['setuid', { names: ['uid'] }],
  ['setgid', { names: ['gid'] }],
  ['setreuid', { names: ['ruid', 'euid'] }],
  ['setregid', { names: ['rgid', 'egid'] }],
  ['setresuid', { names: IDS3('u') }],
  ['setresgid', { names: IDS3('g') }],
  ['setfsuid', { names: ['uid'] }],
  ['ptrace', { names: ['request', 'pid', 'addr', 'data'] }],
  ['process_vm_readv', { names: ['pid'] }],
  ['process_vm_writev', { names: ['pid'] }],
  ['init_module', { names: ['img', 'length', 'uargs'] }],
  ['finit_module', { names: ['fd', 'uargs', 'flags'] }],
  ['delete_module', { names: ['name', 'flags'] }],
  ['kexec_load', { names: ['entry', 'nr_segments', 'segments', 'flags'] }],
  ['kexec_file_load', { names: ['kernel_fd', 'initrd_fd', 'cmdline_len', 'cmdline', 'flags'] }],
  ['bpf', { names: ['cmd', 'attr', 'size'] }],
  ['perf_event_open', { names: ['attr', 'pid', 'cpu', 'group_fd', 'flags'] }],
  ['userfaultfd', { names: ['flags'] }],
  ['keyctl', { names: ['option'] }],
  ['prctl', { names: ['option', 'arg2'] }],
  ['capset', { names: ['header', 'data'] }],
  ['kill', { names: ['pid', 'sig'] }],
  ['unlink', { names: ['path'], keepsLink: true }],
  ['unlinkat', { names: ['dirfd', 'name', 'flags'], keepsLink: true }],
  ['rmdir', { names: ['path'], keepsLink: true }],
  ['mkdir', { names: ['path', 'mode'], keepsLink: true }],
  ['mkdirat', { names: ['dirfd', 'path', 'mode'], keepsLink: true }],
  ['mknod', { names: ['path', 'mode', 'dev'], keepsLink: true }],
  ['mknodat', { names: ['dirfd', 'path', 'mode', 'dev'], keepsLink: true }],
  ['rename', { names: ['oldpath', 'newpath'], paths: 'from-to', keepsLink: true }],
  ['renameat', { names: ['olddirfd', 'oldpath', 'newdirfd', 'newpath'], paths: 'from-to', keepsLink: true }],
  ['renameat2', { names: ['olddirfd', 'oldpath', 'newdirfd', 'newpath', 'flags'], paths: 'from-to', keepsLink: true }],
  ['link', { names: ['oldpath', 'newpath'], paths: 'from-to', keepsLink: true }],
  ['linkat', { names: ['olddir', 'oldpath', 'newdir', 'newpath', 'flags'], paths: 'from-to', keepsLink: true, linkFlags: 'follow' }],
  ['symlink', { names: ['target', 'linkpath'], paths: 'text-to', keepsLink: true }],
  ['symlinkat', { names: ['target', 'linkdirfd', 'linkpath'], paths: 'text-to', keepsLink: true }],
  ['chmod', { names: ['filename', 'mode'] }],
  ['fchmod', { names: ['fd', 'mode'] }],
  ['fchmodat', { names: ['dirfd', 'filename', 'mode'] }],
  ['chown', { names: ['path', 'uid', 'gid'] }],
  ['lchown', { names: ['path', 'uid', 'gid'], keepsLink: true }],
  ['fchown', { names: ['fd', 'uid', 'gid'] }],
  ['fchownat', { names: ['dirfd', 'pathname', 'uid', 'gid', 'flags'], linkFlags: 'nofollow' }],
  ['truncate', { names: ['path', 'length'] }],
  ['mprotect', { names: ['addr', 'length', 'prot'] }],
  ['mmap', { names: ['addr', 'length', 'prot', 'flags', 'fd', 'offset'] }],
  ['swapon', { names: ['path', 'flags'] }],
  ['acct', { names: ['path'] }],
  ['reboot', { names: ['magic', 'magic2', 'cmd'] }],
  ['sethostname', { names: ['name', 'length'] }],
  ['iopl', { names: ['level'] }],
  ['ioperm', { names: ['from', 'num', 'turn_on'] }],
]);

/** Made so often that the stream has them only for who asks by name. */
export const QUIET_CALLS: ReadonlySet<string> = new Set(['mmap', 'mprotect', 'prctl', 'sendto', 'sendmsg', 'sendmmsg', 'kill', 'clone', 'keyctl']);
