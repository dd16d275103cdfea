/** From the flags of `run` and `create` to what is kept of a container. Every mistake that a user can make in one is found here. */
import { readFileSync } from 'node:fs';
import { SIGNAL_NAMES } from '../../abi/signal.ts';
import type { MountConfig, NetworkConfig } from '../../container/index.ts';
import type { StoredImage } from '../../image/index.ts';
import { DEFAULT_LOG, MOST_VOLUMES, checkName, checkVolumeName, shortId } from '../../lifecycle/index.ts';
import type { ContainerRecord, RestartPolicy } from '../../lifecycle/index.ts';
import { hiddenPaths } from '../../sandbox/hidden-paths.ts';
import { readAccounts } from '../accounts.ts';
import { rawArguments, rawEnvironment, toByteString } from '../bytes.ts';
import { mergeEnvironment } from '../environment.ts';
import { EXIT_NOT_FOUND, UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { healthOf } from './health-option.ts';
import { parseMount } from './mount-option.ts';
import { headerRulesIn, secretPlaces } from '../networks/header-injection.ts';
import { networkOf } from '../networks/network-options.ts';
import type { KnownNetworks } from '../networks/network-options.ts';
import { parseLimits, writableCgroups } from './limit-options.ts';
import { capabilityNames, guestPath, need, oneOf, parseRlimit, parseTmpfs, securityOptions } from '../option-values.ts';
import type { TerminalFacts } from '../option-values.ts';
import { exposedPorts } from '../networks/published-ports.ts';
import { parseCount, parseDuration, parseSize } from '../quantities.ts';
import { parseRestart } from './restart-option.ts';
import { watchRecord } from '../detect/watch-flags.ts';
import { parseVolumeFlag } from '../volumes/volume-option.ts';
import type { WantedVolume } from '../volumes/volume-option.ts';

interface WantedMounts {
  readonly mounts: readonly MountConfig[];
  readonly volumes: readonly WantedVolume[];
}

/** `imageVolumes`: paths at which the image wants one of its own. @throws UserError */
function mountsOf(values: FlagValues, imageVolumes: readonly string[]): WantedMounts {
  const wanted = [...values.all('volume').map(parseVolumeFlag), ...values.all('mount').map(parseMount)];
  const mounts = [...wanted.flatMap((one) => (one.kind === 'mount' ? [one.mount] : [])), ...values.all('tmpfs').map(parseTmpfs)];
  const volumes = wanted.flatMap((one) => (one.kind === 'volume' ? [one.volume] : []));
  const taken = [...mounts, ...volumes].map(({ destination }) => destination);
  const twice = taken.find((destination, index) => taken.indexOf(destination) !== index);
  if (twice !== undefined) throw new UserError(`cannot mount two things at ${twice}: Duplicate mount point: ${twice}`, 'leave one of them out');
  for (const { name } of volumes) if (name !== undefined) checkedVolumeName(name);
  if (volumes.length + imageVolumes.length > MOST_VOLUMES) throw new UserError(`cannot make the container: ${volumes.length + imageVolumes.length} volumes, of which ${imageVolumes.length} are the image's own, and at most ${MOST_VOLUMES} can be`, 'look at the image\'s VOLUME instructions: caisson inspect -f "{{json .Config.Volumes}}" IMAGE');
  const own = imageVolumes.map((path) => guestPath(path)).filter((path, index, all) => path !== '/' && !taken.includes(path) && all.indexOf(path) === index);
  return { mounts, volumes: [...volumes, ...own.map((destination): WantedVolume => ({ name: undefined, destination, writable: true, copies: true }))] };
}

function checkedVolumeName(name: string): void {
  try {
    checkVolumeName(name);
  } catch (error) {
    throw new UserError((error as Error).message, 'a host directory is given by a path with a slash', undefined, { cause: error });
  }
}

/** `--name`. @throws UserError */
export function nameOf(values: FlagValues): string | undefined {
  const name = values.last('name');
  if (name === undefined) return undefined;
  try {
    return checkName(name);
  } catch (error) {
    throw new UserError(`cannot name the container "${name}": ${(error as Error).message}`, 'names are letters, digits, _ . and -, two at least', undefined, { cause: error });
  }
}

/** Each is `KEY=VALUE`. @throws UserError */
export function labelsIn(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.map((text) => {
    const equals = text.indexOf('=');
    if (text === '' || equals === 0) throw new UserError(`cannot use --label ${text}: it has no key`, 'write KEY=VALUE');
    return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  }));
}

/** Also from files with a line each. */
function labelsOf(values: FlagValues): Readonly<Record<string, string>> {
  const lines = values.all('label-file').flatMap((file) => {
    try {
      return readFileSync(file, 'utf8').split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
    } catch (error) {
      throw new UserError(`cannot read the labels in "${file}": ${(error as Error).message}`, 'check --label-file', undefined, { cause: error });
    }
  });
  return labelsIn([...lines, ...values.all('label')]);
}

/** A number or a name, with or without SIG. @throws UserError */
export function parseSignal(text: string, flag: string): number {
  const upper = text.toUpperCase();
  const named = SIGNAL_NAMES.indexOf(upper.startsWith('SIG') ? upper : `SIG${upper}`);
  const number = /^\d{1,2}$/.test(text) ? Number(text) : named;
  if (number < 1 || number > 64) throw new UserError(`cannot use --${flag} ${text}: Invalid signal: ${text}`, 'such as SIGTERM, HUP or 9');
  return number;
}

/** `--log-opt`: how much of its output is kept. */
function logOf(values: FlagValues): ContainerRecord['log'] {
  const log = { ...DEFAULT_LOG } as { maxBytes: number; maxFiles: number };
  for (const text of values.all('log-opt')) {
    const [, key, value = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (key === 'max-size') log.maxBytes = need(parseSize(value) || undefined, 'log-opt', text, 'it is not a size such as 10m');
    else if (key === 'max-file') log.maxFiles = need(parseCount(value) || undefined, 'log-opt', text, 'it is not a number');
    else throw new UserError(`cannot use --log-opt ${text}: it is max-size=SIZE or max-file=N`, 'such as max-size=10m');
  }
  return log;
}

function containerOf(values: FlagValues, hostname: string, network: NetworkConfig, mounts: readonly MountConfig[]): ContainerRecord['container'] {
  const seed = values.last('seed');
  const cpu = oneOf(values, 'cpu', ['v2', 'v3'] as const);
  const tier = oneOf(values, 'tier', ['both', 'interpreter', 'translator'] as const);
  const homes = readAccounts('').map((account) => account.home).filter((home) => home !== '');
  return {
    root: '/', mounts,
    // A directory of the host that is shown has no more of its credentials than `do` would show.
    hide: values.has('volume') || values.has('mount') ? hiddenPaths('/', [...new Set(homes)], secretPlaces(headerRulesIn(values)).files, []) : [],
    readOnly: values.has('read-only'), hostname: toByteString(hostname), limits: parseLimits(values), network, ...writableCgroups(capabilityNames(values, 'cap-add')), ...securityOptions(values),
    ...(seed === undefined ? {} : { seed: need(parseCount(seed), 'seed', seed, 'it is not a number') }),
    ...(tier === undefined ? {} : { tier }),
    ...(cpu === undefined ? {} : { cpu }),
  };
}

function processInputs(values: FlagValues, facts: TerminalFacts | undefined): ContainerRecord['process'] {
  const entrypoint = values.last('entrypoint');
  const workdir = values.last('workdir');
  const user = values.last('user');
  if (workdir !== undefined && !workdir.startsWith('/')) throw new UserError(`cannot use --workdir ${workdir}: it is not absolute`, 'begin it with /');
  const terminal = !values.has('no-tty') && (values.has('tty') || (!values.has('interactive') && !values.has('detach') && facts !== undefined));
  return {
    command: rawArguments(values.command).slice(1), user, workingDirectory: workdir === undefined ? undefined : toByteString(workdir),
    entrypoint: entrypoint === undefined ? undefined : entrypoint === '' ? [] : [toByteString(entrypoint)],
    env: mergeEnvironment([], rawEnvironment(process.env), { env: values.all('env'), envFiles: values.all('env-file') }),
    addCapabilities: capabilityNames(values, 'cap-add'), dropCapabilities: capabilityNames(values, 'cap-drop'), rlimits: values.all('ulimit').map(parseRlimit),
    terminal, input: values.has('interactive') || (terminal && !values.has('detach')),
  };
}

/** Absent: it stays ended. @throws UserError */
function restartOf(values: FlagValues): RestartPolicy | undefined {
  const text = values.last('restart');
  const policy = text === undefined || text === '' ? undefined : parseRestart(text);
  if (policy !== undefined && policy.name !== 'no' && values.has('rm')) throw new UserError('conflicting options: cannot specify both --restart and --rm', 'leave one of them out');
  return policy;
}

function checkCommand(values: FlagValues, image: StoredImage, inputs: ContainerRecord['process']): void {
  const { entrypoint, cmd } = image.config.defaults;
  const hasEntrypoint = (inputs.entrypoint ?? entrypoint).length > 0;
  if (hasEntrypoint || inputs.command.length > 0 || (inputs.entrypoint === undefined && cmd.length > 0)) return;
  throw new UserError(`cannot run "${values.command[0] ?? ''}": the image does not say what to run`, `give a command, such as "caisson run ${values.command[0] ?? ''} /bin/sh"`, EXIT_NOT_FOUND);
}

export interface RecordFacts {
  readonly id: string;
  readonly nowMs: number;
  /** Present if standard input and output are a terminal. */
  readonly terminal: TerminalFacts | undefined;
  readonly networks: KnownNetworks;
  /** Of a new volume. */
  randomName(): string;
}

export interface MadeRecord {
  readonly record: ContainerRecord;
  /** Those of `record.volumes` into which what the image has is put, if they are empty: names. */
  readonly copied: ReadonlySet<string>;
}

/** @throws UserError, LifecycleError */
export function recordOf(values: FlagValues, image: StoredImage, { id, nowMs, terminal, networks, randomName }: RecordFacts): MadeRecord {
  const restart = restartOf(values);
  const health = healthOf(values, image.config.document);
  const name = nameOf(values);
  const hostname = values.last('hostname') ?? name ?? shortId(id);
  const inputs = processInputs(values, terminal);
  checkCommand(values, image, inputs);
  const watch = watchRecord(values);
  const exposed = exposedPorts(values, image.config.defaults.exposedPorts);
  const timeout = values.last('timeout');
  const stopTimeout = values.last('stop-timeout');
  const stopSignal = values.last('stop-signal');
  if (stopSignal !== undefined) parseSignal(stopSignal, 'stop-signal');
  const { mounts, volumes: wanted } = mountsOf(values, image.config.defaults.volumes);
  const named = wanted.map((volume) => ({ ...volume, use: { name: volume.name ?? randomName(), destination: volume.destination, writable: volume.writable, isAnonymous: volume.name === undefined } }));
  const record: ContainerRecord = {
    id, createdMs: nowMs, image: { name: values.command[0] ?? '', id: image.id, manifest: image.record.manifest.digest, layers: image.config.diffIds },
    defaults: { ...image.config.defaults, exposedPorts: exposed }, process: inputs, container: containerOf(values, hostname, networkOf(values, exposed, networks), mounts), labels: { ...image.config.defaults.labels, ...labelsOf(values) },
    autoRemove: values.has('rm'), stopSignal, stopTimeoutS: stopTimeout === undefined ? undefined : need(parseCount(stopTimeout), 'stop-timeout', stopTimeout, 'it is not a number of seconds'),
    log: logOf(values), timeoutMs: timeout === undefined ? undefined : need(parseDuration(timeout), 'timeout', timeout, 'it is not a time such as 30s'),
    ...(restart === undefined ? {} : { restart }), ...(health === undefined ? {} : { health }), ...(values.has('init') ? { init: true } : {}), ...(named.length === 0 ? {} : { volumes: named.map(({ use }) => use) }), ...(watch === undefined ? {} : { watch }),
  };
  return { record, copied: new Set(named.filter(({ copies }) => copies).map(({ use }) => use.name)) };
}
