/** Other engines, as commands of the host: `runc`, `crun`, `bwrap`, `unshare`, or any that is told where the root directory is. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bundleConfig } from '../../drill/index.ts';
import type { Field, Grants, Run, Technique } from '../../drill/index.ts';
import { UserError } from '../errors.ts';
import type { Target } from './targets.ts';
import { runCommand } from './targets.ts';

/** Engines that take a bundle of OCI. */
const OCI_ENGINES = ['runc', 'crun', 'runsc', 'youki', 'kata-runtime'];
const PROGRAM = '/drill-program';
const ROOT_WORD = '{root}';
const NOBODY = '65534';

type CommandOf = (root: string, technique: Technique, grants: Grants) => readonly string[] | undefined;

/** What bubblewrap is told when only its name is given. */
const bubblewrap: CommandOf = (root, { as }, { mounts = [] }) => [
  '--unshare-all', '--die-with-parent', '--new-session', '--bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp',
  ...mounts.flatMap(({ source, destination, writable }) => [writable === true ? '--bind' : '--ro-bind', source, destination]),
  ...(as === 'user' ? ['--uid', NOBODY, '--gid', NOBODY] : ['--uid', '0', '--gid', '0', '--cap-add', 'ALL']), '--chdir', '/', PROGRAM,
];

/** The same for unshare(1), which mounts nothing else. */
const unshareAll: CommandOf = (root, { as }, { mounts = [] }) => (as === 'user' || mounts.length > 0 ? undefined : ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--ipc', '--uts', '--net', '--kill-child', `--root=${root}`, '--mount-proc=/proc', PROGRAM]);

const WITH_DEFAULTS: ReadonlyMap<string, CommandOf> = new Map([['bwrap', bubblewrap], ['unshare', unshareAll]]);

export interface Runtime {
  /** `runc` */
  readonly name: string;
  readonly target: (field: Field) => Target;
  /** False: it cannot be given what the technique needs, or could do harm. */
  readonly takes: (technique: Technique, field: Field) => boolean;
}

/** A root directory of its own with the program. */
function withRoot<Result>({ granted }: Field, elf: Uint8Array, body: (directory: string, root: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(granted, 'engine-'));
  const root = join(directory, 'rootfs');
  for (const name of ['', 'dev', 'etc', 'mnt', 'proc', 'sys', 'tmp', 'var']) mkdirSync(join(root, name), { recursive: true });
  for (const path of [directory, root]) chmodSync(path, 0o755);
  writeFileSync(join(root, PROGRAM), elf);
  chmodSync(join(root, PROGRAM), 0o755);
  return body(directory, root).finally(() => rmSync(directory, { recursive: true, force: true }));
}

/** @throws UserError where there is no such engine, or it cannot be started. */
async function runEngine(words: readonly string[], options: Parameters<typeof runCommand>[1]): Promise<Run> {
  try {
    return await runCommand(words, options);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(`cannot use --runtime ${words[0] ?? ''}: ${code === 'ENOENT' ? 'there is no such program' : message}`, 'check its path', undefined, { cause: error });
  }
}

function ociTarget(words: readonly string[], field: Field): Target {
  return {
    run: ({ as, timeoutMs }, elf, grants) => withRoot(field, elf, async (directory) => {
      const config = bundleConfig({ root: 'rootfs', program: PROGRAM, grants, as, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
      writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
      const id = basename(directory);
      return runEngine([...words, 'run', '--bundle', directory, id], { cwd: directory, timeoutMs, undo: [...words, 'delete', '--force', id] });
    }),
  };
}

function commandTarget(words: readonly string[], commandOf: CommandOf, field: Field): Target {
  return {
    run: (technique, elf, grants) => withRoot(field, elf, (directory, root) => runEngine([...words, ...commandOf(root, technique, grants) ?? []], { cwd: directory, timeoutMs: technique.timeoutMs })),
  };
}

/** @throws UserError */
export function readRuntime(text: string): Runtime {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const name = basename(words[0] ?? '');
  if (name === '') throw new UserError('cannot use --runtime "": it is empty', 'name an engine, such as runc');
  if (OCI_ENGINES.includes(name)) return { name, target: (field) => ociTarget(words, field), takes: ({ isHarmless }) => isHarmless };
  const hasRoot = words.some((word) => word.includes(ROOT_WORD));
  const commandOf = hasRoot ? undefined : WITH_DEFAULTS.get(name);
  if (!hasRoot && (commandOf === undefined || words.length > 1)) throw new UserError(`cannot use --runtime ${text}: it is not known how it takes a root directory`, `write ${ROOT_WORD} where that goes; the program follows at the end`);
  const grantsOf = ({ grants }: Technique, field: Field): Grants => grants?.(field) ?? {};
  if (commandOf !== undefined) return { name, target: (field) => commandTarget(words, commandOf, field), takes: (technique, field) => technique.isHarmless && commandOf('/', technique, grantsOf(technique, field)) !== undefined };
  const own: CommandOf = (root) => [...words.slice(1).map((word) => word.replaceAll(ROOT_WORD, root)), PROGRAM];
  return { name, target: (field) => commandTarget(words.slice(0, 1), own, field), takes: (technique, field) => technique.isHarmless && technique.as !== 'user' && (grantsOf(technique, field).mounts ?? []).length === 0 };
}
