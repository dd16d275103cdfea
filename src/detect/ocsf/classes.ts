/** Which of OCSF's classes a system call is an event of, and what it does there (schema.ocsf.io, 1.3.0). */

/** A class, and an activity of it: `type_uid` is `class * 100 + activity`. */
export interface OcsfActivity {
  readonly classUid: number;
  readonly className: string;
  readonly categoryUid: number;
  readonly categoryName: string;
  readonly activityId: number;
  readonly activityName: string;
}

interface OcsfClass {
  readonly uid: number;
  readonly name: string;
  readonly category: readonly [uid: number, name: string];
  readonly activities: Readonly<Record<number, string>>;
}

const SYSTEM = [1, 'System Activity'] as const;
const FINDINGS = [2, 'Findings'] as const;
const NETWORK = [4, 'Network Activity'] as const;

const FILE: OcsfClass = {
  uid: 1001, name: 'File System Activity', category: SYSTEM,
  activities: { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete', 5: 'Rename', 6: 'Set Attributes', 7: 'Set Security', 12: 'Mount', 13: 'Unmount', 14: 'Open' },
};
const KERNEL: OcsfClass = { uid: 1003, name: 'Kernel Activity', category: SYSTEM, activities: { 4: 'Invoke' } };
const MODULE: OcsfClass = { uid: 1005, name: 'Module Activity', category: SYSTEM, activities: { 1: 'Load', 2: 'Unload' } };
const PROCESS: OcsfClass = { uid: 1007, name: 'Process Activity', category: SYSTEM, activities: { 1: 'Launch', 4: 'Inject', 5: 'Set User ID' } };
const CONNECTION: OcsfClass = { uid: 4001, name: 'Network Activity', category: NETWORK, activities: { 1: 'Open', 4: 'Fail', 5: 'Refuse', 7: 'Listen' } };
const DETECTION: OcsfClass = { uid: 2004, name: 'Detection Finding', category: FINDINGS, activities: { 1: 'Create' } };

function of({ uid, name, category: [categoryUid, categoryName], activities }: OcsfClass, activityId: number): OcsfActivity {
  return { classUid: uid, className: name, categoryUid, categoryName, activityId, activityName: activities[activityId]! };
}

const ACTIVITIES: ReadonlyMap<string, OcsfActivity> = new Map<string, OcsfActivity>([
  ...['execve', 'execveat'].map((name) => [name, of(PROCESS, 1)] as const),
  ...['ptrace', 'process_vm_readv', 'process_vm_writev'].map((name) => [name, of(PROCESS, 4)] as const),
  ...['setuid', 'setreuid', 'setresuid', 'setfsuid'].map((name) => [name, of(PROCESS, 5)] as const),
  ...['open', 'openat', 'openat2', 'open_by_handle_at'].map((name) => [name, of(FILE, 14)] as const),
  ...['creat', 'mkdir', 'mkdirat', 'mknod', 'mknodat', 'link', 'linkat', 'symlink', 'symlinkat', 'memfd_create'].map((name) => [name, of(FILE, 1)] as const),
  ['truncate', of(FILE, 3)],
  ...['unlink', 'unlinkat', 'rmdir'].map((name) => [name, of(FILE, 4)] as const),
  ...['rename', 'renameat', 'renameat2'].map((name) => [name, of(FILE, 5)] as const),
  ...['chmod', 'fchmod', 'fchmodat', 'chown', 'lchown', 'fchown', 'fchownat'].map((name) => [name, of(FILE, 7)] as const),
  ...['mount', 'move_mount'].map((name) => [name, of(FILE, 12)] as const),
  ['umount2', of(FILE, 13)],
  ...['init_module', 'finit_module'].map((name) => [name, of(MODULE, 1)] as const),
  ['delete_module', of(MODULE, 2)],
  ...['connect', 'accept', 'accept4', 'sendto'].map((name) => [name, of(CONNECTION, 1)] as const),
  ...['bind', 'listen'].map((name) => [name, of(CONNECTION, 7)] as const),
]);

/** A call that is none of these is a call of the kernel. */
const INVOKED = of(KERNEL, 4);
export const CREATED_FINDING = of(DETECTION, 1);

export const FILE_CLASS = FILE.uid;
export const KERNEL_CLASS = KERNEL.uid;
export const MODULE_CLASS = MODULE.uid;
export const PROCESS_CLASS = PROCESS.uid;
export const NETWORK_CLASS = CONNECTION.uid;

/** `isRefused`: nobody listens there, or it is not allowed; `isFailed`: it did not come about for another reason. Only connections tell these apart. */
export function activityOf(call: string, isFailed: boolean, isRefused: boolean): OcsfActivity {
  const found = ACTIVITIES.get(call) ?? INVOKED;
  if (found.classUid !== CONNECTION.uid || !isFailed || found.activityId !== 1) return found;
  return of(CONNECTION, isRefused ? 5 : 4);
}

/** What is no file, or no address, is a call of the kernel as well. */
export const invoked = (): OcsfActivity => INVOKED;
