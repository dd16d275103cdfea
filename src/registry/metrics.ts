/** Figures for Prometheus, in its text format 0.0.4. No names of repositories or users: who may see figures need not see those. */
import type { Awaitable } from './storage.ts';

const PREFIX = 'caisson_registry_';
/** Upper bounds of a request's duration, in seconds. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 300];

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, '_')}"`);
  return texts.length === 0 ? '' : `{${texts.join(',')}}`;
}

export class Metrics {
  readonly #counters = new Map<string, { readonly help: string; readonly values: Map<string, number> }>();
  readonly #gauges: { readonly name: string; readonly help: string; readonly read: () => Awaitable<number> }[] = [];
  readonly #durations = new Map<string, Histogram>();

  count(name: string, help: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    let counter = this.#counters.get(name);
    if (counter === undefined) this.#counters.set(name, (counter = { help, values: new Map() }));
    const key = labelsOf(labels);
    counter.values.set(key, (counter.values.get(key) ?? 0) + by);
  }

  /** Read when it is asked for. */
  gauge(name: string, help: string, read: () => Awaitable<number>): void {
    this.#gauges.push({ name, help, read });
  }

  request(endpoint: string, method: string, status: number, seconds: number): void {
    this.count('requests_total', 'Requests by endpoint of the specification, method and status.', { endpoint, method, status: String(status) });
    let histogram = this.#durations.get(endpoint);
    if (histogram === undefined) this.#durations.set(endpoint, (histogram = { counts: BUCKETS.map(() => 0), sum: 0, count: 0 }));
    for (const [index, bound] of BUCKETS.entries()) if (seconds <= bound) histogram.counts[index]!++;
    histogram.sum += seconds;
    histogram.count++;
  }

  async text(): Promise<string> {
    const lines: string[] = [];
    const head = (name: string, help: string, type: string): void => void lines.push(`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} ${type}`);
    for (const [name, { help, values }] of this.#counters) {
      head(name, help, 'counter');
      for (const [labels, value] of values) lines.push(`${PREFIX}${name}${labels} ${value}`);
    }
    for (const { name, help, read } of this.#gauges) {
      head(name, help, 'gauge');
      lines.push(`${PREFIX}${name} ${await read()}`);
    }
    if (this.#durations.size > 0) head('request_seconds', 'Time until the head of the answer was ready.', 'histogram');
    for (const [endpoint, { counts, sum, count }] of this.#durations) {
      for (const [index, bound] of BUCKETS.entries()) lines.push(`${PREFIX}request_seconds_bucket${labelsOf({ endpoint, le: String(bound) })} ${counts[index]}`);
      lines.push(`${PREFIX}request_seconds_bucket${labelsOf({ endpoint, le: '+Inf' })} ${count}`, `${PREFIX}request_seconds_sum${labelsOf({ endpoint })} ${sum}`, `${PREFIX}request_seconds_count${labelsOf({ endpoint })} ${count}`);
    }
    return `${lines.join('\n')}\n`;
  }
}
