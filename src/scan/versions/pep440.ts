/** Versions of Python packages: PEP 440, "Summary of permitted suffixes and relative ordering". */
import { compareDigits, compareLists, compareText } from './order.ts';

const VERSION = /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

interface PythonVersion {
  readonly epoch: string;
  readonly release: readonly string[];
  /** -1: a development release of nothing else; 0 to 2: a, b, rc; 3: none. */
  readonly phase: number;
  readonly phaseNumber: string;
  /** Undefined: none. */
  readonly post: string | undefined;
  readonly development: string | undefined;
  readonly local: readonly string[];
}

function parse(text: string): PythonVersion | undefined {
  const [, epoch = '0', release, pre, preNumber, shortPost, postName, postNumber, developmentName, developmentNumber, local] = VERSION.exec(text.trim().toLowerCase()) ?? [];
  if (release === undefined) return undefined;
  const post = shortPost ?? (postName === undefined ? undefined : postNumber === '' || postNumber === undefined ? '0' : postNumber);
  const development = developmentName === undefined ? undefined : developmentNumber === '' || developmentNumber === undefined ? '0' : developmentNumber;
  const phase = pre === undefined ? (post === undefined && development !== undefined ? -1 : 3) : pre.startsWith('a') ? 0 : pre.startsWith('b') ? 1 : 2;
  return { epoch, release: release.split('.'), phase, phaseNumber: preNumber === undefined || preNumber === '' ? '0' : preNumber, post, development, local: local === undefined ? [] : local.split(/[-_.]/) };
}

function compareOptional(left: string | undefined, right: string | undefined, missing: -1 | 1): number {
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? missing : -missing;
  return compareDigits(left, right);
}

function compareLocal(left: readonly string[], right: readonly string[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [one, other] = [left[index], right[index]];
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    const [isNumber, isOther] = [/^\d+$/.test(one), /^\d+$/.test(other)];
    const order = isNumber && isOther ? compareDigits(one, other) : isNumber === isOther ? compareText(one, other) : isNumber ? 1 : -1;
    if (order !== 0) return order;
  }
  return 0;
}

export function comparePython(left: string, right: string): number {
  const [first, second] = [parse(left), parse(right)];
  if (first === undefined || second === undefined) return (first === undefined ? 0 : 1) - (second === undefined ? 0 : 1) || compareText(left, right);
  return compareDigits(first.epoch, second.epoch) || compareLists(first.release, second.release, '0', compareDigits)
    || first.phase - second.phase || compareDigits(first.phaseNumber, second.phaseNumber)
    || compareOptional(first.post, second.post, -1) || compareOptional(first.development, second.development, 1) || compareLocal(first.local, second.local);
}
