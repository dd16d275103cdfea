/** landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2) (security/landlock/syscalls.c). */
import { E2BIG, EBADF, EBADFD, EFAULT, EINVAL, ENOMSG, EPERM } from '../../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import {
  LANDLOCK_ABI, LANDLOCK_CREATE_RULESET_VERSION, LANDLOCK_MAX_NUM_LAYERS, LANDLOCK_RULE_NET_PORT,
  LANDLOCK_RULE_PATH_BENEATH, NET_PORT_ATTR_SIZE, PATH_BENEATH_ATTR_SIZE, RULESET_ATTR_SIZE, RULESET_ATTR_SIZE_VER0,
} from '../../abi/landlock.ts';
import { S_IFDIR, S_IFMT } from '../../abi/stat.ts';
import { LANDLOCK_ACCESS_FILE, LANDLOCK_ACCESS_FS, LANDLOCK_ACCESS_NET } from '../../fs/landlock-rights.ts';
import { isAnonymous, locationOf } from '../../fs/open.ts';
import { Restriction, Ruleset } from '../../fs/restriction.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import type { Inode } from '../../fs/types.ts';
import { specialFilesOf } from '../files/special-files.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

const PAGE_SIZE = 4096;
const O_RDWR = 2;
const MAX_PORT = 65_535;
/** Rules of a ruleset: E2BIG beyond. Linux has 2^32 - 1. */
const MOST_RULES = 16_384;

class RulesetFile extends StreamFile {
  readonly ruleset: Ruleset;

  constructor(inode: Inode, ruleset: Ruleset) {
    super(inode, 'anon_inode:[landlock-ruleset]', O_RDWR);
    this.ruleset = ruleset;
  }

  poll(): number {
    return 0;
  }
}

function word(bytes: Uint8Array, offset: number): bigint {
  return offset + 8 <= bytes.length ? new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(offset, true) : 0n;
}

/** True if no bit is outside of `known`. */
function isKnown(access: bigint, known: number): boolean {
  return (access & ~BigInt(known)) === 0n;
}

function createRuleset(task: KernelTask, address: number, size: number, flags: number): number {
  if (flags !== 0) return flags === LANDLOCK_CREATE_RULESET_VERSION && address === 0 && size === 0 ? LANDLOCK_ABI : -EINVAL;
  if (size < RULESET_ATTR_SIZE_VER0) return address === 0 ? -EFAULT : -EINVAL;
  if (size > PAGE_SIZE) return -E2BIG;
  const bytes = task.memory.copyIn(address, size);
  if (bytes === undefined) return -EFAULT;
  if (bytes.subarray(RULESET_ATTR_SIZE).some((byte) => byte !== 0)) return -E2BIG;
  const paths = word(bytes, 0);
  const ports = word(bytes, 8);
  if (!isKnown(paths, LANDLOCK_ACCESS_FS) || !isKnown(ports, LANDLOCK_ACCESS_NET)) return -EINVAL;
  if (paths === 0n && ports === 0n) return -ENOMSG;
  const file = new RulesetFile(specialFilesOf(task.kernel).anonymousInode, new Ruleset(Number(paths), Number(ports)));
  return task.files.install(file, true);
}

/** The ruleset of a descriptor, or -EBADF, -EBADFD. */
function rulesetOf(task: KernelTask, fd: number): Ruleset | number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  return file instanceof RulesetFile ? file.ruleset : -EBADFD;
}

function addPath(task: KernelTask, ruleset: Ruleset, address: number): number {
  const bytes = task.memory.copyIn(address, PATH_BENEATH_ATTR_SIZE);
  if (bytes === undefined) return -EFAULT;
  const access = word(bytes, 0);
  if (access === 0n) return -ENOMSG;
  if (!isKnown(access, ruleset.handledPaths)) return -EINVAL;
  const file = task.files.get(new DataView(bytes.buffer, bytes.byteOffset).getInt32(8, true));
  if (file === undefined) return -EBADF;
  if (file instanceof RulesetFile || isAnonymous(locationOf(file))) return -EBADFD;
  const { inode } = locationOf(file).dentry;
  if ((inode.mode & S_IFMT) !== S_IFDIR && !isKnown(access, LANDLOCK_ACCESS_FILE)) return -EINVAL;
  ruleset.allowBeneath(inode, Number(access));
  return 0;
}

function addPort(task: KernelTask, ruleset: Ruleset, address: number): number {
  const bytes = task.memory.copyIn(address, NET_PORT_ATTR_SIZE);
  if (bytes === undefined) return -EFAULT;
  const access = word(bytes, 0);
  const port = word(bytes, 8);
  if (access === 0n) return -ENOMSG;
  if (!isKnown(access, ruleset.handledPorts) || port > MAX_PORT) return -EINVAL;
  ruleset.allowPort(Number(port), Number(access));
  return 0;
}

function addRule(task: KernelTask, fd: number, type: number, address: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const ruleset = rulesetOf(task, fd);
  if (typeof ruleset === 'number') return ruleset;
  if (ruleset.rules >= MOST_RULES) return -E2BIG;
  if (type === LANDLOCK_RULE_PATH_BENEATH) return addPath(task, ruleset, address);
  return type === LANDLOCK_RULE_NET_PORT ? addPort(task, ruleset, address) : -EINVAL;
}

function restrictSelf(task: KernelTask, fd: number, flags: number): number {
  const { credentials } = task;
  if (!credentials.noNewPrivileges && !task.capableIn(credentials.user, CAP_SYS_ADMIN)) return -EPERM;
  if (flags !== 0) return -EINVAL;
  const ruleset = rulesetOf(task, fd);
  if (typeof ruleset === 'number') return ruleset;
  const before = credentials.restriction ?? new Restriction([]);
  if (before.layers.length >= LANDLOCK_MAX_NUM_LAYERS) return -E2BIG;
  task.credentials = { ...credentials, restriction: before.with(ruleset) };
  return 0;
}

/** Who is restricted does not change what is mounted (security/landlock/fs.c: hook_sb_mount and its kin). */
const MOUNTING = new Set(['mount', 'umount2', 'pivot_root', 'move_mount']);

/** The same rows; those that change what is mounted answer EPERM to restricted tasks. */
export function withoutMounting(rows: readonly SyscallRow[]): SyscallRow[] {
  return rows.map((one) => {
    const { handler } = one;
    if (handler === undefined || !MOUNTING.has(one.name)) return one;
    return { ...one, handler: (task, ...args) => (task.credentials.restriction?.handlesPaths === true ? -EPERM : handler(task, ...args)) };
  });
}

export const landlockRows: readonly SyscallRow[] = [
  row(444, 'landlock_create_ruleset', ['pointer', 'size', 'flags'], createRuleset, { support: 'partial', note: 'ABI 4: no ioctl and no scopes.' }),
  row(445, 'landlock_add_rule', ['fd', 'int', 'pointer', 'flags'], addRule),
  row(446, 'landlock_restrict_self', ['fd', 'flags'], restrictSelf),
];
