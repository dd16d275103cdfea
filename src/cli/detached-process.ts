/** The process of a container in the background: nobody's terminal, its output goes to the log, and who wants something of it connects to its socket. */
import { closeSync, writeSync } from 'node:fs';
import type { Container, RunningProcess } from '../container/index.ts';
import { Containers, Life } from '../lifecycle/index.ts';
import type { WholeContainer } from '../lifecycle/index.ts';
import { mountedLayers } from '../lifecycle/own-layers.ts';
import { toText } from './bytes.ts';
import { openControl } from './control-server.ts';
import { REPORT_FD } from './detached.ts';
import type { StartReport } from './detached.ts';
import { UserError, exitCodeOf, formatError } from './errors.ts';
import { openStore, toUserError } from './image-store.ts';
import { openContainer } from './kept-container.ts';
import { exitCode, keepTranslations } from './launch.ts';
import { joinNetwork } from './membership.ts';
import type { Joined } from './membership.ts';
import { startError } from './session.ts';
import { stopSignalOf } from './stop-signal.ts';

/** Asked to end itself (a shutdown, a service manager), it asks its command, as `stop` does. */
const OWN_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];

function report(text: StartReport): void {
  writeSync(REPORT_FD, JSON.stringify(text));
  closeSync(REPORT_FD);
}

function start(life: Life, container: Container, spec: Parameters<Container['start']>[0]): RunningProcess {
  const { log } = life;
  const started = container.start(spec, {
    onOutput: (fd, bytes) => {
      log.write(fd, bytes);
      return true;
    },
    onInputWanted: () => {},
    onInputRoom: () => {},
  });
  if (typeof started === 'number') throw startError(toText(spec.argv[0] ?? ''), -started);
  return started;
}

async function live(containers: Containers, kept: WholeContainer, life: Life, joined: Joined | undefined): Promise<void> {
  const { container, spec } = await openContainer(kept.record, await mountedLayers(containers, kept), undefined, joined?.membership);
  life.connected({ ports: container.ports, network: joined?.network });
  const process_ = start(life, container, spec);
  if (spec.terminal === undefined && !kept.record.process.input) process_.endInput();
  const control = await openControl({ containers, kept, container, process: process_ });
  for (const name of OWN_SIGNALS) process.on(name, () => process_.signal(stopSignalOf(kept.record)));
  process.on('SIGHUP', () => {});
  const { timeoutMs } = kept.record;
  let timedOut = false;
  if (timeoutMs !== undefined) {
    setTimeout(() => {
      timedOut = true;
      container.kill();
    }, timeoutMs).unref();
  }
  report({});
  const status = await process_.ended;
  control.close();
  joined?.leave();
  const code = exitCode(status, timedOut);
  await life.ended(code, () => container.changes(), container.oomKilled);
  await keepTranslations(container);
  await control.announce(code);
}

/** Ends the process. */
export async function runDetached(id: string): Promise<void> {
  let life: Life | undefined;
  let joined: Joined | undefined;
  try {
    const store = openStore();
    const containers = new Containers(store);
    const kept = containers.findWhole(id);
    life = Life.begin(containers, kept, process.pid);
    const use = store.claims.use(kept.record.image.manifest);
    joined = joinNetwork(store, kept);
    await live(containers, life.container, life, joined);
    use.end();
    process.exit(0);
  } catch (error) {
    joined?.leave();
    const known = toUserError(error, 'start the container');
    const code = exitCodeOf(known);
    const message = known instanceof UserError ? known.message : formatError(known);
    life?.failed(code, message);
    report({ error: message, advice: known instanceof UserError ? known.advice : undefined, code });
    process.exit(code);
  }
}
