/** Starts a configured container with the caller's streams: what `do` and `run` have in common. */
import { ERRNO_NAMES } from '../../abi/errno.ts';
import { Container, ContainerError, NetworkRuleError, PortError, UnknownFilterError } from '../../container/index.ts';
import type { ContainerConfig, ExitStatus, Membership, RegionCompiler } from '../../container/index.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { readMachineImage } from '../../host/node/image.ts';
import type { HostMachineImage } from '../../host/node/image.ts';
import { keepsMachineCode } from '../../host/node/native-code.ts';
import { isTerminal } from '../../host/node/stdio.ts';
import type { Host } from '../../host/types.ts';
import { mayLeaveProcesses } from '../processes/background.ts';
import { toText } from '../bytes.ts';
import type { NetworkCounters } from '../counted-network.ts';
import type { NetLog } from '../networks/net-log.ts';
import { EXIT_SIGNAL_BASE, EXIT_TIMEOUT, UserError } from '../errors.ts';
import type { TerminalFacts } from '../option-values.ts';
import type { Session } from '../session.ts';

export async function terminalFacts(): Promise<TerminalFacts | undefined> {
  if (!(await isTerminal(0)) || !(await isTerminal(1))) return undefined;
  return { rows: process.stdout.rows, columns: process.stdout.columns };
}

export function exitCode(status: ExitStatus, timedOut: boolean): number {
  if (timedOut) return EXIT_TIMEOUT;
  return status.signal === undefined ? status.code : EXIT_SIGNAL_BASE + status.signal;
}

/** Bytes through the edge of the containers of this process. */
export const networkCounters: NetworkCounters = { received: 0, sent: 0 };

/** Of the one container that this process runs. */
let image: HostMachineImage<RegionCompiler> | undefined;

function openContainer(host: Host, config: ContainerConfig, memberships: readonly Membership[]): Container {
  try {
    image = readMachineImage<RegionCompiler>({ optimizesLater: mayLeaveProcesses() });
    return Container.create(host, config, { image, memberships });
  } catch (error) {
    if (error instanceof NetworkRuleError) throw new UserError(error.message, 'such as example.com:443 or 10.0.0.0/8', undefined, { cause: error });
    if (!(error instanceof ContainerError)) throw error;
    throw new UserError(`cannot use "${toText(error.path)}": ${ERRNO_NAMES.get(error.errno) ?? `error ${error.errno}`}`, 'check --root, --volume, --rw and --tmpfs', undefined, { cause: error });
  }
}

export interface CreateOptions {
  readonly memberships?: readonly Membership[];
  /** What it is called in the log of its refusals. Default: by its hostname. */
  readonly called?: string;
}

/** Its ports are listened on already, and the others on its network reach it. @throws UserError */
export async function createContainer(config: ContainerConfig, { memberships = [], called = toText(config.hostname) }: CreateOptions = {}): Promise<Container> {
  const { mode, ports = [] } = config.network;
  if (config.limits.cpuShares !== undefined) (await import('../processes/host-priority.ts')).weighProcess(config.limits.cpuShares);
  if (mode === 'none' && ports.length === 0 && memberships.length === 0 && !config.mounts.some(({ kind }) => kind === 'socket')) return openContainer(createNodeHost(), config, []);
  const { nodeNetwork } = await import('../../host/node/network.ts');
  const { countedNetwork } = await import('../counted-network.ts');
  const injection = config.network.headers === undefined ? undefined : await (await import('../networks/injecting.ts')).injecting(nodeNetwork, config.network.headers);
  const container = openContainer(createNodeHost({ network: countedNetwork(injection?.network ?? nodeNetwork, networkCounters) }), config, memberships);
  injection?.prepare(container);
  if (config.network.log !== undefined) await keepNetLog(container, config.network.log, called);
  try {
    await container.publish();
  } catch (error) {
    throw error instanceof PortError ? (await import('../networks/published-ports.ts')).publishError(error) : error;
  }
  const joined = await container.join();
  if (joined < 0) throw new UserError(`cannot join the networks ${memberships.map(({ network }) => network).join(', ')}: ${ERRNO_NAMES.get(-joined) ?? `error ${-joined}`}`, 'can the store be written?');
  return container;
}

/** Of the one container that this process runs, however often it is started. */
let netLog: NetLog | undefined;

/** What it is refused is written down for as long as this process lives. @throws UserError */
async function keepNetLog(container: Container, path: string, called: string): Promise<void> {
  const { NetLog } = await import('../networks/net-log.ts');
  if (netLog === undefined) {
    const log = new NetLog(path, called);
    process.once('exit', () => log.end());
    netLog = log;
  }
  const log = netLog;
  container.onRefusal((refusal) => log.write(refusal));
}

/** Keeps translations for the next run. Their machine code is made by a process of its own, where it may be left behind. */
export async function keepTranslations(container: Container): Promise<void> {
  const programs = container.keepTranslations();
  const withMachine = image?.wasCompiled() === true;
  if ((withMachine || programs.length > 0) && mayLeaveProcesses() && keepsMachineCode()) (await import('../processes/optimize-later.ts')).optimizeLater(programs, withMachine);
}

/** `--strace`. Undefined: it was not given. */
export function traceCalls(container: Container, session: Session, strace: readonly string[] | undefined): void {
  if (strace === undefined) return;
  try {
    container.trace(strace, (line) => session.writeTrace(line));
  } catch (error) {
    if (!(error instanceof UnknownFilterError)) throw error;
    throw new UserError(`cannot use --strace=${strace.join(',')}: ${error.message}`, 'names with commas between, or %file, %desc, %process, %network, %signal, %memory, %ipc', undefined, { cause: error });
  }
}
