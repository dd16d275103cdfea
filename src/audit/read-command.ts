/** `docker run`, `podman run`, `caisson run`, and `exec` beside them: a command line, or a script with several. */
import type { Change } from './change.ts';
import { commandLines } from './command-line.ts';
import type { CommandLine, GivenFlag } from './command-line.ts';
import { AuditInputError } from './errors.ts';
import type { AuditInput, RefusedChange, Rewritten } from './input.ts';
import { MOST_CONTAINERS } from './limits.ts';
import { PLAIN } from './model.ts';
import type { Configuration, ExecUse, Mount } from './model.ts';
import { quoteWord, shellCommands } from './shell-words.ts';
import { atLoopback, capabilityList, environmentOf, isTrue, namespaceUse, parseBytes, parseDevice, parseMount, parsePort, parseRestart, parseSecurityOptions, parseVolume } from './values.ts';
import { flagEdits } from './write-command.ts';

/** The flags of a command line by name. */
export class Flags {
  readonly #flags: readonly GivenFlag[];

  constructor(flags: readonly GivenFlag[]) {
    this.#flags = flags;
  }
  all(...names: readonly string[]): readonly string[] {
    return this.#flags.filter(({ name }) => names.includes(name)).map(({ value }) => value);
  }
  last(name: string): string | undefined {
    return this.#flags.findLast((flag) => flag.name === name)?.value;
  }
  isOn(name: string): boolean {
    const value = this.last(name);
    return value !== undefined && isTrue(value);
  }
}

function mountsOf(flags: Flags): readonly Mount[] {
  const tmpfs = flags.all('tmpfs').map((text): Mount => ({ kind: 'tmpfs', source: '', destination: text.split(':')[0] ?? '', readOnly: false, propagation: '', volumeType: '' }));
  return [...flags.all('volume').map(parseVolume), ...flags.all('mount').map(parseMount), ...tmpfs];
}

function namespacesOf(flags: Flags): Configuration['namespaces'] {
  const use = (name: string): ReturnType<typeof namespaceUse> => namespaceUse(flags.last(name) ?? '');
  const users = flags.last('userns') ?? '';
  // Podman maps users where it is told how, or rootless; Docker's daemon does it for all containers or none.
  const mapped = /^(?:auto|keep-id|nomap|private)/.test(users) || flags.all('uidmap', 'subuidname').length > 0;
  return { pid: use('pid'), network: use('network'), ipc: use('ipc'), uts: use('uts'), cgroup: flags.last('cgroupns') === undefined ? 'unshown' : use('cgroupns'), user: mapped ? 'own' : users.startsWith('container:') ? 'shared' : users === 'host' ? 'host' : PLAIN.namespaces.user };
}

function resourcesOf(flags: Flags): Pick<Configuration, 'memory' | 'cpuBounded' | 'pids' | 'ulimits' | 'restart' | 'cgroupParent'> {
  const memory = flags.last('memory');
  const pids = flags.last('pids-limit');
  return {
    memory: memory === undefined ? 0 : parseBytes(memory) ?? 0, cpuBounded: flags.all('cpus', 'cpu-shares', 'cpu-quota', 'cpuset-cpus').some((value) => value !== '0' && value !== ''),
    pids: pids === undefined ? 0 : Number.parseInt(pids, 10) || 0, ulimits: flags.all('ulimit'), restart: parseRestart(flags.last('restart') ?? 'no'), cgroupParent: flags.last('cgroup-parent') || undefined,
  };
}

function healthOf(flags: Flags): Configuration['healthCheck'] {
  const command = flags.last('health-cmd');
  if (flags.isOn('no-healthcheck') || command === 'none') return 'off';
  return command === undefined || command === '' ? 'image' : 'on';
}

/** Podman bounds processes by default; Caisson everything, and it has no host namespaces to give. */
function engineDefaults({ engine }: CommandLine, flags: Flags): Partial<Configuration> {
  if (engine === 'podman') return { capabilities: { base: 'podman', add: capabilityList(flags.all('cap-add')), drop: capabilityList(flags.all('cap-drop')) }, pids: flags.last('pids-limit') === undefined ? 2048 : resourcesOf(flags).pids };
  if (engine !== 'caisson') return {};
  const isOpen = flags.all('network').includes('outbound') || flags.all('allow-net').length > 0;
  return { reach: isOpen ? 'outbound' : 'none', ports: flags.all('publish').map(parsePort).map(atLoopback), defaultBridge: false, pids: flags.last('pids-limit') === undefined ? 4096 : resourcesOf(flags).pids };
}

function configurationOf(line: CommandLine, index: number): Configuration {
  const flags = new Flags(line.flags);
  const [image = '', ...command] = line.words;
  const entrypoint = flags.last('entrypoint');
  const network = flags.last('network') ?? 'bridge';
  const trust = flags.last('disable-content-trust');
  return {
    ...PLAIN, kind: line.engine === 'caisson' ? 'caisson' : 'command', engine: line.engine, name: flags.last('name') ?? (image === '' ? `command ${index + 1}` : image), image,
    privileged: flags.isOn('privileged'), capabilities: { base: 'docker', add: capabilityList(flags.all('cap-add')), drop: capabilityList(flags.all('cap-drop')) },
    user: flags.last('user') ?? '', namespaces: namespacesOf(flags), mounts: mountsOf(flags),
    devices: flags.all('device').map(parseDevice), deviceRules: flags.all('device-cgroup-rule'), gpus: flags.last('gpus') !== undefined || flags.last('runtime') === 'nvidia',
    ...parseSecurityOptions(flags.all('security-opt')), readOnlyRoot: flags.isOn('read-only'), ...resourcesOf(flags), healthCheck: healthOf(flags),
    ports: flags.all('publish').map(parsePort), publishAll: flags.isOn('publish-all'), defaultBridge: ['bridge', 'default', ''].includes(network),
    sysctls: environmentOf(flags.all('sysctl')), environment: environmentOf(flags.all('env')), command: [...(entrypoint === undefined || entrypoint === '' ? [] : [entrypoint]), ...command],
    workingDirectory: flags.last('workdir') ?? '', runtime: flags.last('runtime') ?? '', contentTrust: trust === undefined ? undefined : !isTrue(trust),
    ...engineDefaults(line, flags),
  };
}

function execOf(line: CommandLine): { readonly container: string; readonly use: ExecUse } {
  const flags = new Flags(line.flags);
  return { container: line.words[0] ?? '', use: { privileged: flags.isOn('privileged'), user: flags.last('user') ?? '' } };
}

/** Lines of offsets, from 1 on. */
function linesAt(text: string, offsets: readonly number[]): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return offsets.map((offset) => {
    let [low, high] = [0, starts.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  });
}

interface Run {
  readonly line: CommandLine;
  readonly execs: readonly CommandLine[];
}

function readRuns(text: string): { readonly runs: readonly Run[]; readonly strays: readonly CommandLine[] } {
  const lines = commandLines(shellCommands(text));
  const runs = lines.filter(({ verb }) => verb === 'run');
  const nameOf = (line: CommandLine): string | undefined => new Flags(line.flags).last('name');
  const execs = lines.filter(({ verb }) => verb === 'exec');
  // An exec belongs to the run that has its name, or to the only one there is.
  const ownerOf = (exec: CommandLine): CommandLine | undefined => runs.find((run) => nameOf(run) === execOf(exec).container) ?? (runs.length === 1 ? runs[0] : undefined);
  return { runs: runs.map((line) => ({ line, execs: execs.filter((exec) => ownerOf(exec) === line) })), strays: execs.filter((exec) => ownerOf(exec) === undefined) };
}

/** With a flag go the blanks before it; with one that has a line to itself, the line. */
function withBlanks(text: string, from: number, end: number): { readonly start: number; readonly end: number } {
  let start = from;
  while (start > 0 && /[ \t]/.test(text[start - 1] ?? '')) start--;
  const continued = /^[ \t]*\\\r?\n/.exec(text.slice(end, end + 200))?.[0];
  if (continued !== undefined && text[start - 1] === '\n') return { start, end: end + continued.length };
  return { start, end };
}

function rewrite(text: string, runs: readonly Run[], configurations: readonly Configuration[], changes: readonly (readonly Change[])[]): Rewritten {
  const refused: RefusedChange[] = [];
  const edits = runs.flatMap(({ line, execs }, index) => {
    const configuration = configurations[index];
    if (configuration === undefined) return [];
    const result = flagEdits(line, execs, configuration, changes[index] ?? []);
    refused.push(...result.refused);
    return result.edits;
  });
  const parts: string[] = [];
  let done = 0;
  for (const edit of edits.sort((one, other) => one.start - other.start || one.end - other.end)) {
    const { start, end } = edit.insert === '' ? withBlanks(text, edit.start, edit.end) : edit;
    parts.push(text.slice(done, start), edit.insert);
    done = Math.max(done, end);
  }
  return { text: `${parts.join('')}${text.slice(done)}`, refused };
}

/** @throws AuditInputError where there is no such command, or one that cannot be understood. */
export function readCommands(text: string): AuditInput {
  const { runs, strays } = readRuns(text);
  if (runs.length + strays.length === 0) throw new AuditInputError('there is no "docker run", "podman run" or "caisson run" in it', 'give a command line, a script, or one of the kinds that "caisson help audit" lists');
  if (runs.length > MOST_CONTAINERS) throw new AuditInputError(`cannot read the script: it has more than ${MOST_CONTAINERS} containers`, 'split it');
  // What is run in a container that was made elsewhere is all that is known of it.
  const all: readonly Run[] = [...runs, ...strays.map((exec) => ({ line: { ...exec, verb: 'run' as const, flags: [] }, execs: [exec] }))];
  const configurations = all.map(({ line, execs }, index) => {
    const plain = configurationOf(line, index);
    return { ...plain, ...(index < runs.length ? {} : { image: undefined, name: line.words[0] ?? '', command: [], memory: undefined, cpuBounded: undefined, pids: undefined, ulimits: undefined, restart: undefined, healthCheck: undefined, noNewPrivileges: true, readOnlyRoot: true, user: '65532', capabilities: { base: 'none' as const, add: [], drop: [] }, defaultBridge: false }), execs: execs.map((exec) => execOf(exec).use) };
  });
  const notes = all.flatMap(({ line, execs }) => [line, ...execs]).flatMap(({ engine, verb, unknown }) => [...new Set(unknown)].map((word) => `the value of ${word} in "${engine} ${verb}" is not known, and was not judged`));
  return {
    kind: 'command', configurations, lines: linesAt(text, all.map(({ line }) => line.flagsAt)), notes,
    rewrite: (changes) => rewrite(text, all, configurations, changes),
  };
}

/** Words as they came from a command line of ours, as text that reads back. */
export function commandText(words: readonly string[]): string {
  return `${words.map(quoteWord).join(' ')}\n`;
}
