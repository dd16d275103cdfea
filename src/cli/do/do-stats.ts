/** `--stats`: what a run cost, on standard error. */
import type { ContainerStatistics } from '../../container/index.ts';
import { formatSize } from '../quantities.ts';

const TOP_CALLS = 12;

function row(name: string, value: string): string {
  return `  ${name.padEnd(26)}${value}\n`;
}

/** What it was refused outside, and by which rules. */
function refusalRows(refusals: ReadonlyMap<string, number>): string {
  const sorted = [...refusals].sort((left, right) => right[1] - left[1]);
  return row('network refusals', String(sorted.reduce((sum, [, count]) => sum + count, 0))) + sorted.slice(0, TOP_CALLS).map(([rule, count]) => row(`  ${rule}`, String(count))).join('');
}

export function printStatistics(statistics: ContainerStatistics): void {
  const { machine, calls } = statistics;
  const top = [...calls].sort((left, right) => right[1] - left[1]).slice(0, TOP_CALLS);
  const total = [...calls.values()].reduce((sum, count) => sum + count, 0);
  process.stderr.write(
    'caisson: statistics\n' +
      row('time', `${(statistics.elapsedNs / 1e6).toFixed(1)} ms`) +
      row('instructions decoded', String(machine.instructionsDecoded)) +
      row('units translated', `${machine.unitsTranslated} (${formatSize(machine.wasmBytes)} of WebAssembly)`) +
      row('unknown instructions', String(machine.undecodable)) +
      row('memory mapped', formatSize(statistics.mappedBytes)) +
      row('tasks', String(statistics.tasks)) +
      row('system calls', String(total)) +
      top.map(([name, count]) => row(`  ${name}`, String(count))).join(''),
  );
  if (statistics.refusals.size > 0) process.stderr.write(refusalRows(statistics.refusals));
  for (const [number, count] of statistics.unknownCalls) process.stderr.write(row(`unknown call ${number}`, String(count)));
}
