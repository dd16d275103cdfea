/** `stats`: what containers take, in Docker's columns. */
import type { Containers, KeptContainer } from '../../lifecycle/index.ts';
import { shortId } from '../../lifecycle/index.ts';
import { readCommand } from '../command.ts';
import { STATS } from './container-live-specs.ts';
import { withContainers } from './container-store.ts';
import { ask } from './control-client.ts';
import type { UsageSample } from './control-protocol.ts';
import type { FlagValues } from '../flags.ts';
import { binarySize, formatTable, humanSize } from '../table.ts';
import { formatRows } from '../template.ts';
import type { TemplateValue } from '../template.ts';

/** Between the two looks that a share of the processor is made of. */
const INTERVAL_MS = 1000;
const FIRST_INTERVAL_MS = 300;
/** To the top of the screen, and nothing below. */
const CLEAR = '\x1b[H\x1b[2J';

const COLUMNS: readonly (readonly [field: string, title: string])[] = [
  ['ID', 'CONTAINER ID'], ['Name', 'NAME'], ['CPUPerc', 'CPU %'], ['MemUsage', 'MEM USAGE / LIMIT'], ['MemPerc', 'MEM %'], ['NetIO', 'NET I/O'], ['BlockIO', 'BLOCK I/O'], ['PIDs', 'PIDS'],
];

/** Undefined: it does not run, or cannot be asked. */
async function sampleOf(containers: Containers, container: KeptContainer): Promise<UsageSample | undefined> {
  if (container.state.status !== 'running' || container.state.restarting === true) return undefined;
  // One that ends meanwhile, or has just been begun, takes nothing.
  return (await ask(containers, container, { op: 'stats' }).catch(() => undefined))?.usage;
}

function row(container: KeptContainer, before: UsageSample | undefined, now: UsageSample | undefined, whole: boolean): { readonly [key: string]: TemplateValue } {
  const percent = (share: number): string => `${(share * 100).toFixed(2)}%`;
  const spent = before === undefined || now === undefined || now.atMs <= before.atMs ? 0 : Math.max(0, now.cpuMs - before.cpuMs) / (now.atMs - before.atMs);
  const used = now ?? { memoryBytes: 0, memoryLimit: 0, residentBytes: 0, received: 0, sent: 0, refused: 0, blockRead: 0, blockWritten: 0, tasks: 0 };
  return {
    Container: whole ? container.id : shortId(container.id), ID: whole ? container.id : shortId(container.id), Name: container.name, CPUPerc: percent(spent),
    MemUsage: `${binarySize(used.memoryBytes)} / ${binarySize(used.memoryLimit)}`, MemPerc: percent(used.memoryLimit === 0 ? 0 : used.memoryBytes / used.memoryLimit),
    NetIO: `${humanSize(used.received)} / ${humanSize(used.sent)}`, BlockIO: `${humanSize(used.blockRead)} / ${humanSize(used.blockWritten)}`, PIDs: String(used.tasks), ProcessMem: binarySize(used.residentBytes), NetRefused: String(used.refused),
  };
}

function shown(values: FlagValues, rows: readonly { readonly [key: string]: TemplateValue }[]): string {
  const format = values.last('format');
  if (format !== undefined) return formatRows(format, rows, Object.fromEntries(COLUMNS));
  return formatTable([COLUMNS.map(([, title]) => title), ...rows.map((item) => COLUMNS.map(([field]) => String(item[field])))]);
}

/** Those that were named, or all. */
function chosen(values: FlagValues, containers: Containers): readonly KeptContainer[] {
  if (values.command.length > 0) return values.command.map((text) => containers.find(text));
  return containers.list().filter(({ state }) => values.has('all') || state.status === 'running');
}

export async function statsCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(STATS, args);
  if (values === undefined) return 0;
  const isOnce = values.has('no-stream');
  return withContainers('show what containers take', async (containers) => {
    const last = new Map<string, UsageSample>();
    const look = (all: readonly KeptContainer[]): Promise<readonly (UsageSample | undefined)[]> => Promise.all(all.map((container) => sampleOf(containers, container)));
    for (let isFirst = true; ; isFirst = false) {
      const all = chosen(values, containers);
      if (isFirst) (await look(all)).forEach((sample, index) => sample !== undefined && last.set(all[index]!.id, sample));
      await new Promise((resolve) => setTimeout(resolve, isFirst ? FIRST_INTERVAL_MS : INTERVAL_MS));
      const samples = await look(all);
      const rows = all.map((container, index) => row(container, last.get(container.id), samples[index], values.has('no-trunc')));
      process.stdout.write(`${!isOnce && process.stdout.isTTY ? CLEAR : ''}${shown(values, rows)}`);
      if (isOnce) return 0;
      last.clear();
      samples.forEach((sample, index) => sample !== undefined && last.set(all[index]!.id, sample));
    }
  });
}
