/** PR_SET_MM of prctl(2): what /proc says of a process's memory, for checkpoints and for who writes over its arguments (kernel/sys.c: prctl_set_mm). */
import { EFAULT, EINVAL, EPERM } from '../../abi/errno.ts';
import { CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import {
  PR_SET_MM_ARG_END, PR_SET_MM_ARG_START, PR_SET_MM_AUXV, PR_SET_MM_END_CODE, PR_SET_MM_ENV_END, PR_SET_MM_ENV_START, PR_SET_MM_MAP_SIZE, PR_SET_MM_START_CODE,
  PRCTL_MM_MAP_SIZE,
} from '../../abi/prctl.ts';
import type { Mm } from '../mm/mm.ts';
import type { KernelTask } from '../task/task.ts';

/** Below it nothing may be (mmap_min_addr). */
const LOWEST = 0x1_0000;
/** Words of AT_VECTOR_SIZE: what fits into the process's own copy. */
const MOST_AUXV_BYTES = 8 * 50;

type Field = 'codeStart' | 'codeEnd' | 'argStart' | 'argEnd' | 'envStart' | 'envEnd';

const FIELDS: ReadonlyMap<number, Field> = new Map<number, Field>([
  [PR_SET_MM_START_CODE, 'codeStart'], [PR_SET_MM_END_CODE, 'codeEnd'], [PR_SET_MM_ARG_START, 'argStart'], [PR_SET_MM_ARG_END, 'argEnd'],
  [PR_SET_MM_ENV_START, 'envStart'], [PR_SET_MM_ENV_END, 'envEnd'],
]);

function inOrder(mm: Mm): boolean {
  return mm.codeStart < mm.codeEnd && mm.argStart <= mm.argEnd && mm.envStart <= mm.envEnd;
}

/** A vector that the caller has; its last pair is AT_NULL whatever it says. */
function setAuxv(task: KernelTask, address: number, size: number): number {
  if (size < 0 || size > MOST_AUXV_BYTES) return -EINVAL;
  const given = task.memory.copyIn(address, size);
  if (given === undefined) return -EFAULT;
  const auxv = new Uint8Array(Math.max(16, Math.ceil(size / 16) * 16));
  auxv.set(given);
  auxv.fill(0, auxv.length - 16);
  task.mm.auxv = auxv;
  return 0;
}

export function setMm(task: KernelTask, what: number, value: number, size: number, rest: number): number {
  if (rest !== 0 || (size !== 0 && what !== PR_SET_MM_AUXV && what !== PR_SET_MM_MAP_SIZE)) return -EINVAL;
  if (what === PR_SET_MM_MAP_SIZE) return task.memory.writeU32(value, PRCTL_MM_MAP_SIZE);
  if (!task.capable(CAP_SYS_RESOURCE)) return -EPERM;
  if (what === PR_SET_MM_AUXV) return setAuxv(task, value, size);
  const field = FIELDS.get(what);
  const { mm } = task;
  if (field === undefined || value < LOWEST || value >= 2 ** 47 - 4096) return -EINVAL;
  if (field !== 'codeStart' && field !== 'codeEnd' && mm.vmas.find(value) === undefined) return -EFAULT;
  const before = mm[field];
  mm[field] = value;
  if (inOrder(mm)) return 0;
  mm[field] = before;
  return -EINVAL;
}
