/** From the flags of `caisson do` to a container's configuration and a process's. Every mistake a user can make in a flag is found here. */
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { ContainerConfig, MountConfig, NetworkConfig, ProcessConfig } from '../../container/index.ts';
import { currentUser, readAccounts, resolveUser } from '../accounts.ts';
import { rawArguments, rawEnvironment, rawWorkingDirectory, toByteString, toText } from '../bytes.ts';
import { mergeEnvironment, visibleEnvironment } from '../environment.ts';
import { watchRecord } from '../detect/watch-flags.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import type { WatchRecord } from '../../lifecycle/index.ts';
import { hiddenPaths } from '../../sandbox/hidden-paths.ts';
import { parseLimits, writableCgroups } from '../containers/limit-options.ts';
import { capabilityNames, hostPath, need, oneOf, parseCapabilities, parseNet, parseRlimit, parseTmpfs, parseVolume, terminalConfig, securityOptions } from '../option-values.ts';
import type { TerminalFacts } from '../option-values.ts';
import { headerRulesIn, secretPlaces } from '../networks/header-injection.ts';
import { trustVariables } from '../networks/trust.ts';
import { publishedPorts } from '../networks/published-ports.ts';
import { parseCount, parseDuration } from '../quantities.ts';

export interface DoOptions {
  readonly container: ContainerConfig;
  readonly process: ProcessConfig;
  readonly timeoutMs: number | undefined;
  readonly watch: WatchRecord | undefined;
  readonly strace: readonly string[] | undefined;
  readonly stats: boolean;
  readonly changes: boolean;
  readonly exportChanges: string | undefined;
  readonly apply: boolean;
  readonly yes: boolean;
}

/** Accounts of people, as login.defs has them; the others have no credentials of their own. */
const FIRST_PERSON = 1000;
const NOBODY = 65_534;

/** uname(2)'s `nodename`; loading `node:os` for it costs 2 ms. */
function hostName(): string {
  try {
    return readFileSync('/proc/sys/kernel/hostname', 'utf8').trimEnd();
  } catch {
    return (createRequire(import.meta.url)('node:os') as { hostname(): string }).hostname();
  }
}

function parseRw(text: string): MountConfig {
  const source = hostPath('rw', text);
  if (!statSync(Buffer.from(source, 'latin1')).isDirectory()) throw new UserError(`cannot use --rw ${text}: it is not a directory`, 'give its directory, or use --volume FILE:FILE:rw');
  if (source === '/') throw new UserError('cannot use --rw /: nothing would be left that is protected', 'give the directories that the command needs');
  return { kind: 'bind', source, destination: source, writable: true };
}

/** Where to start: the current directory if it is inside the root, else `/`. */
function workingDirectory(values: FlagValues, root: string): string {
  const given = values.last('workdir');
  const current = rawWorkingDirectory();
  const inside = root === '/' ? current : current === root ? '/' : current.startsWith(`${root}/`) ? current.slice(root.length) : '/';
  return given === undefined ? inside : toByteString(resolve(toText(inside), given));
}

function networkConfig(values: FlagValues): NetworkConfig {
  const ports = publishedPorts(values, []);
  const nowhere = ports.find(({ hostPorts }) => hostPorts[0] === 0);
  if (nowhere !== undefined) throw new UserError(`cannot publish port ${nowhere.port} at any free one: nobody could tell which it is`, `name it: -p ${nowhere.port}:${nowhere.port}`);
  if (ports.length > 0 && values.last('net') === 'none') throw new UserError('cannot publish ports with --net none', 'leave --net out: connections come in by the ports, and none goes out');
  return { ...parseNet(values), ...(ports.length === 0 ? {} : { ports }) };
}

function containerConfig(values: FlagValues, root: string): ContainerConfig {
  const seed = values.last('seed');
  const cpu = oneOf(values, 'cpu', ['v2', 'v3'] as const);
  const tier = oneOf(values, 'tier', ['both', 'interpreter', 'translator'] as const);
  const people = readAccounts(root === '/' ? '' : root).filter(({ uid }) => uid === 0 || (uid >= FIRST_PERSON && uid < NOBODY));
  const homes = [...new Set([...people.map((account) => account.home), ...(process.env['HOME'] === undefined ? [] : [toByteString(process.env['HOME'])])])];
  const absolute = (path: string): string => toByteString(resolve(path.startsWith('~/') ? `${process.env['HOME'] ?? ''}${path.slice(1)}` : path));
  // Paths that are hidden are named as they are seen inside.
  const secrets = secretPlaces(headerRulesIn(values)).files.map((path) => (root !== '/' && path.startsWith(`${root}/`) ? path.slice(root.length) : path));
  const hide = hiddenPaths(root, homes, [...values.all('hide').map(absolute), ...secrets], values.all('show').map(absolute));
  return {
    root,
    mounts: [...values.all('volume').map((text) => parseVolume(text, 'ro')), ...values.all('rw').map(parseRw), ...values.all('tmpfs').map(parseTmpfs)],
    hide,
    readOnly: values.has('read-only'),
    hostname: toByteString(values.last('hostname') ?? hostName()),
    limits: parseLimits(values),
    ...writableCgroups(capabilityNames(values, 'cap-add')), ...securityOptions(values),
    network: networkConfig(values),
    ...(seed === undefined ? {} : { seed: need(parseCount(seed), 'seed', seed, 'it is not a number') }),
    ...(tier === undefined ? {} : { tier }),
    ...(cpu === undefined ? {} : { cpu }),
  };
}

function processConfig(values: FlagValues, root: string, facts: TerminalFacts | undefined): ProcessConfig {
  const given = values.last('user');
  const { user, account } = given === undefined ? { user: currentUser(), account: undefined } : resolveUser(root === '/' ? '' : root, given);
  const identity = account === undefined ? [] : [`HOME=${account.home}`, `USER=${account.name}`, `LOGNAME=${account.name}`].map(toText);
  const host = rawEnvironment(process.env);
  const rules = headerRulesIn(values);
  const { variables } = secretPlaces(rules);
  const visible = visibleEnvironment(host).filter((entry) => !variables.has(entry.split('=', 1)[0] ?? ''));
  const env = mergeEnvironment([...visible, ...trustVariables(rules)], host, { env: [...identity, ...values.all('env')], envFiles: values.all('env-file') });
  return {
    argv: rawArguments(values.command),
    env,
    cwd: workingDirectory(values, root),
    user,
    capabilities: parseCapabilities(values, user),
    rlimits: values.all('ulimit').map(parseRlimit),
    umask: process.umask(),
    ...terminalConfig(values, facts),
  };
}

/**
 * `facts`: present if standard input and output are a terminal.
 *
 * @throws UserError for everything that a user can get wrong.
 */
export function readDoOptions(values: FlagValues, facts?: TerminalFacts): DoOptions {
  if (values.command.length === 0) throw new UserError('cannot do nothing: no command was given', 'such as "caisson do -- bash"');
  const timeout = values.last('timeout');
  const root = values.last('root') === undefined ? '/' : hostPath('root', values.last('root') ?? '/');
  return {
    container: containerConfig(values, root),
    process: processConfig(values, root, facts),
    timeoutMs: timeout === undefined ? undefined : need(parseDuration(timeout), 'timeout', timeout, 'it is not a time such as 30s'),
    strace: values.has('strace') ? values.all('strace').filter((filter) => filter !== '') : undefined,
    watch: watchRecord(values),
    stats: values.has('stats'),
    changes: values.has('changes'),
    exportChanges: values.last('export-changes'),
    apply: values.has('apply'),
    yes: values.has('yes'),
  };
}
