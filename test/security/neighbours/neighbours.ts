/** A container that has something to lose, one beside it on the same network that wants it, one on another network, and one that is to be deceived. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';
import { spawnCaisson } from '../../cli/caisson.ts';
import { peer } from '../../images/fixtures.ts';
import { until } from '../../containers/testing.ts';
import type { TestStore } from '../../containers/testing.ts';

/** What nobody else is to see. */
export const MARKER = `marker-${randomBytes(8).toString('hex')}`;

/** Where `neighbour keep` serves. */
export const PORT = 7000;

export interface Neighbours {
  /** The container's first address. */
  addressOf(name: string): Promise<string>;
  /** Both streams of a shell in a container that runs, whatever its status. */
  inside(name: string, script: string): Promise<string>;
  /** The same, as soon as it has printed a line that matches; it goes on until `end`. */
  begun(name: string, args: readonly string[], line: RegExp): Promise<{ readonly output: string; end(): void }>;
  /** What the victim says that has come. */
  seen(): Promise<string>;
}

/** An image `neighbours` with `neighbour.c` and busybox. */
export async function buildNeighbours({ scratch, load, mustRun }: TestStore): Promise<void> {
  await load();
  const context = join(scratch, 'neighbours');
  mkdirSync(context);
  peer('gcc', ['-static', '-O2', '-o', join(context, 'neighbour'), fileURLToPath(new URL('neighbour.c', import.meta.url))]);
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox:1\nCOPY neighbour /bin/\n');
  await mustRun(['build', '-q', '-t', 'neighbours', context]);
}

/** `victim`, `near` and `witness` on one network, `far` on another; those that are hostile have every capability. */
export async function startNeighbours({ env, run, mustRun }: TestStore): Promise<Neighbours> {
  for (const network of ['shared', 'other']) await mustRun(['network', 'create', network]);
  const start = (name: string, ...words: readonly string[]): Promise<string> => mustRun(['run', '-d', '--name', name, ...words]);
  const wait = 'while :; do sleep 1000; done';
  await start('victim', '--network', 'shared', '-v', 'private:/private', '-p', String(PORT), '-e', `SECRET=${MARKER}`, 'neighbours', 'sh', '-c', `echo ${MARKER} > /private/note; exec neighbour keep ${MARKER}`);
  await start('witness', '--network', 'shared', 'neighbours', 'neighbour', 'keep', 'witness');
  for (const [name, network] of [['near', 'shared'], ['far', 'other']] as const) await start(name, '--network', network, '--cap-add', 'ALL', 'neighbours', 'sh', '-c', wait);
  const seen = (): Promise<string> => mustRun(['logs', 'victim']);
  for (const name of ['victim', 'witness']) await until(async () => (await mustRun(['logs', name])).startsWith('ready\n'), `${name} is ready`);
  return {
    addressOf: async (name) => (await mustRun(['inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', name])).trim(),
    inside: async (name, script) => {
      const { stdout, stderr } = await run(['exec', name, 'sh', '-c', script]);
      return stdout + stderr;
    },
    begun: (name, args, line) => new Promise((resolve, reject) => {
      const child = spawnCaisson(['exec', name, ...args], { env });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
          if (line.test(output)) resolve({ output, end: () => void child.kill() });
        });
      }
      child.once('close', () => reject(new Error(`it has ended: ${output}`)));
    }),
    seen,
  };
}
