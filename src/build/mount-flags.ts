/** `RUN --mount=...`: what each kind takes (Dockerfile reference "RUN --mount"). */
import { nearest } from '../image/nearest.ts';
import { BuildError } from './errors.ts';
import { toText } from './text.ts';

export type RunMount =
  | { readonly kind: 'bind'; readonly from: string | undefined; readonly source: string; readonly target: string; readonly readWrite: boolean }
  | {
    readonly kind: 'cache'; readonly id: string; readonly target: string; readonly readOnly: boolean; readonly sharing: 'shared' | 'private' | 'locked';
    readonly from: string | undefined; readonly source: string; readonly mode: number; readonly uid: number; readonly gid: number;
  }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly size: number | undefined }
  | { readonly kind: 'secret'; readonly id: string; readonly target: string | undefined; readonly env: string | undefined; readonly required: boolean; readonly mode: number; readonly uid: number; readonly gid: number }
  | { readonly kind: 'ssh'; readonly id: string; readonly target: string | undefined; readonly required: boolean; readonly mode: number; readonly uid: number; readonly gid: number };

const NAMES: ReadonlyMap<string, string> = new Map([['src', 'source'], ['dst', 'target'], ['destination', 'target'], ['ro', 'readonly'], ['rw', 'readwrite']]);
const KEYS: Readonly<Record<RunMount['kind'], readonly string[]>> = {
  bind: ['type', 'target', 'source', 'from', 'readwrite', 'readonly'],
  cache: ['type', 'id', 'target', 'readonly', 'readwrite', 'sharing', 'from', 'source', 'mode', 'uid', 'gid'],
  tmpfs: ['type', 'target', 'size'],
  secret: ['type', 'id', 'target', 'env', 'required', 'mode', 'uid', 'gid', 'source'],
  ssh: ['type', 'id', 'target', 'required', 'mode', 'uid', 'gid'],
};

function readKeys(text: string): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    const word = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
    keys.set(NAMES.get(word) ?? word, equals < 0 ? 'true' : field.slice(equals + 1));
  }
  return keys;
}

function size(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)([kmgt]?)b?$/i.exec(text);
  if (match === null) throw new BuildError(`cannot use --mount: size=${text} is no size`, { advice: 'such as 64m' });
  return Number(match[1]) * 1024 ** ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase());
}

/** `target` may be relative to `workingDirectory`. @throws BuildError */
export function parseRunMount(text: string, workingDirectory: string): RunMount {
  const keys = readKeys(text);
  const kind = (keys.get('type') ?? 'bind') as RunMount['kind'];
  if (!Object.hasOwn(KEYS, kind)) throw new BuildError(`cannot use --mount=${toText(text)}: there is no type "${kind}"`, { advice: `there are ${Object.keys(KEYS).join(', ')}` });
  for (const key of keys.keys()) {
    if (KEYS[kind].includes(key)) continue;
    const guess = nearest(key, KEYS[kind]);
    throw new BuildError(`cannot use --mount=${toText(text)}: a ${kind} mount has no "${toText(key)}"`, { advice: guess === undefined ? `there are ${KEYS[kind].join(', ')}` : `did you mean ${guess}?` });
  }
  const flag = (name: string): boolean => ['true', '1'].includes(keys.get(name) ?? 'false');
  const number = (name: string, fallback: number, base: number): number => {
    const value = keys.get(name);
    const parsed = value === undefined ? fallback : /^\d+$/.test(value) ? Number.parseInt(value, base) : NaN;
    if (Number.isNaN(parsed)) throw new BuildError(`cannot use --mount=${toText(text)}: ${name} is no number`);
    return parsed;
  };
  const absolute = (path: string): string => (path.startsWith('/') ? path : `${workingDirectory === '/' ? '' : workingDirectory}/${path}`);
  const target = keys.get('target');
  const place = (): string => {
    if (target === undefined || target === '') throw new BuildError(`cannot use --mount=${toText(text)}: target= is missing`);
    return absolute(target).replace(/(.)\/+$/, '$1');
  };
  const owner = { uid: number('uid', 0, 10), gid: number('gid', 0, 10) };
  switch (kind) {
    case 'bind':
      return { kind, from: keys.get('from'), source: keys.get('source') ?? '/', target: place(), readWrite: flag('readwrite') };
    case 'cache': {
      const sharing = keys.get('sharing') ?? 'shared';
      if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked') throw new BuildError(`cannot use --mount=${toText(text)}: sharing is shared, private or locked`);
      return { kind, id: keys.get('id') ?? place(), target: place(), readOnly: flag('readonly'), sharing, from: keys.get('from'), source: keys.get('source') ?? '/', mode: number('mode', 0o755, 8), ...owner };
    }
    case 'tmpfs':
      return { kind, target: place(), size: size(keys.get('size')) };
    case 'secret': {
      const id = keys.get('id') ?? keys.get('source') ?? target?.split('/').at(-1);
      if (id === undefined) throw new BuildError(`cannot use --mount=${toText(text)}: a secret needs id= or target=`);
      const env = keys.get('env');
      return { kind, id, target: target === undefined ? (env === undefined ? `/run/secrets/${id}` : undefined) : absolute(target), env, required: flag('required'), mode: number('mode', 0o400, 8), ...owner };
    }
    default:
      return { kind, id: keys.get('id') ?? 'default', target: target === undefined ? undefined : absolute(target), required: flag('required'), mode: number('mode', 0o600, 8), ...owner };
  }
}
