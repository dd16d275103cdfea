/**
 * Commands on a store that are killed (SIGKILL) at random points. After each: the store is clean, the images that were whole are, and the
 * command succeeds when it is run again.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createImageHost } from '../../src/host/node/image-host.ts';
import { checkStore } from '../../src/image/check.ts';
import { ImageStore } from '../../src/image/store.ts';
import { spawnCaisson } from '../cli/caisson.ts';
import { busyboxLayout, commandIn, kindsLayout, peer } from './fixtures.ts';

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly ms: number;
  readonly stderr: string;
}

/** Runs the built command, and kills it after so many milliseconds. */
export function runKilled(args: readonly string[], env: Readonly<Record<string, string>>, afterMs: number): Promise<Outcome> {
  const started = performance.now();
  const child = spawnCaisson(args, { env });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.resume();
  child.stdin.on('error', () => {});
  child.stdin.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, ms: performance.now() - started, stderr });
    });
  });
}

/** Longer than anything takes, also where the machine has other things to do. */
const LONGEST_MS = 600_000;

interface Start {
  readonly home: string;
  /** Its images. */
  readonly images: ReadonlySet<string>;
}

interface Scenario {
  readonly name: string;
  /** RANDOM stands for a word that is new each time, HOME for the store and NAME for its name. */
  readonly args: readonly string[];
  /** The store that the command starts from. */
  readonly start: Start;
  /** Images that are there when the command has succeeded. */
  readonly leaves: ReadonlySet<string>;
  /** Looks at what it has written elsewhere: after the kill, or when it has succeeded (`isWhole`). */
  readonly check?: (home: string, what: string, isWhole: boolean) => Promise<void>;
}

export interface Trials {
  readonly scenarios: readonly Scenario[];
  /** One kill; `fraction` of the time that the command takes. Answers whether it was killed while it ran. */
  readonly trial: (scenario: Scenario, fraction: number) => Promise<boolean>;
}

/** The digests of the images in a store, each shown to be whole. @throws AssertionError */
export async function mustBeClean(home: string, what: string): Promise<ReadonlySet<string>> {
  const store = ImageStore.open(createImageHost(), home);
  const { problems } = await checkStore(store, { repair: false, force: false, quick: false });
  assert.deepEqual(problems.map(({ problem }) => problem), [], what);
  for (const image of store.list()) assert.equal((await store.mountable(image)).length, image.config.diffIds.length, what);
  return new Set(store.list().map(({ id }) => id));
}

/** Layers of every origin: the context, commands in two threads, a cache mount, an archive; and something about the image. */
const DOCKERFILE = `FROM busybox:1 AS one
COPY . /context
RUN --mount=type=cache,target=/cache /bin/busybox cp -r /context /one; echo x >> /cache/log
FROM busybox:1 AS two
WORKDIR /two/deep
ADD context.tar /two/
RUN /bin/busybox dd if=/dev/zero of=zeros bs=65536 count=32 2>/dev/null; echo two > two
FROM one
COPY --from=two /two /two
RUN /bin/busybox rm -r /context; /bin/busybox mkdir /made; echo made > /made/f
CMD ["cat", "/made/f"]
`;

function makeContext(directory: string): string {
  mkdirSync(join(directory, 'files'), { recursive: true });
  writeFileSync(join(directory, 'Dockerfile'), DOCKERFILE);
  for (let number = 0; number < 50; number++) writeFileSync(join(directory, 'files', `f${number}`), `${number}\n`.repeat(1000));
  peer('tar', ['-C', directory, '-cf', join(directory, 'context.tar'), 'files']);
  return directory;
}

/** An image whose layer is so large that a pull leaves it to another process, at a registry and in a store. */
async function makeLarge(mustRun: (args: readonly string[]) => Promise<string>, directory: string, image: string): Promise<void> {
  mkdirSync(directory);
  writeFileSync(join(directory, 'noise'), randomBytes(24 * 2 ** 20));
  peer('tar', ['-C', directory, '-czf', `${directory}.tar.gz`, 'noise']);
  await mustRun(['import', `${directory}.tar.gz`, image]);
  await mustRun(['push', '-q', image]);
}

/** The steps of a build, by its plain output, that were not in a cache. */
function madeAnew(output: string): readonly string[] {
  const steps = [...output.matchAll(/^#(\d+) (\[.*\] (?:COPY|ADD|RUN|WORKDIR).*)$/gm)];
  assert.ok(steps.length > 5, output);
  return steps.flatMap(([, number = '', name = '']) => (new RegExp(`^#${number} CACHED$`, 'm').test(output) ? [] : [name]));
}

/** `registry`: Debian's docker-registry, which gets the image. */
export async function prepareTrials(scratch: string, registry: string): Promise<Trials> {
  const image = `${registry}/trial/kinds:30`;
  const env = (home: string): Record<string, string> => ({ CAISSON_HOME: home, CAISSON_BACKGROUND: '', DOCKER_CONFIG: join(scratch, 'docker') });
  const empty = join(scratch, 'empty');
  const full = join(scratch, 'full');
  const archive = join(scratch, 'trial.tar');
  mkdirSync(scratch, { recursive: true });
  const { mustRun } = commandIn({ ...env(empty) });
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
  cpSync(empty, full, { recursive: true });
  const inFull = commandIn(env(full)).mustRun;
  await inFull(['load', '-q', '-i', kindsLayout(), '-t', image]);
  await inFull(['push', '-q', image]);
  await inFull(['save', '-o', archive, image]);
  peer('sh', ['-c', `test -s ${archive}`]);
  const large = `${registry}/trial/large:1`;
  const withLarge = join(scratch, 'large');
  await makeLarge(commandIn(env(withLarge)).mustRun, join(scratch, 'noise'), large);
  const context = makeContext(join(scratch, 'context'));
  const build = ['build', '-q', '--jobs', '2', '--provenance', '-t', 'built:1', context];
  const builtHome = join(scratch, 'built');
  cpSync(empty, builtHome, { recursive: true });
  await commandIn(env(builtHome)).mustRun(build);
  const startOf = async (home: string): Promise<Start> => ({ home, images: await mustBeClean(home, 'at the beginning') });
  const [none, filled, built, single] = [await startOf(empty), await startOf(full), await startOf(builtHome), await startOf(withLarge)];
  const local = (home: string): string => `${home}-cache`;
  const inRegistry = (home: string): string => `type=registry,ref=${registry}/trial/cache:${basename(home)}`;
  /** Builds from the caches on a store that has made nothing: what they have is right, and they have all if they are whole. */
  const checkCaches = async (home: string, what: string, isWhole: boolean): Promise<void> => {
    for (const cache of [`type=local,src=${local(home)}`, inRegistry(home)]) {
      const own = mkdtempSync(join(scratch, 'store-'));
      cpSync(none.home, own, { recursive: true });
      const { status, stderr } = await runKilled([...build.filter((word) => word !== '-q'), '--progress', 'plain', '--cache-from', cache], env(own), LONGEST_MS);
      assert.equal(status, 0, `${what}: a build from ${cache}: ${stderr}`);
      assert.deepEqual(await mustBeClean(own, what), built.images, `${what}: a build from ${cache} makes something else`);
      if (isWhole) assert.deepEqual(madeAnew(stderr), [], `${what}: ${cache} lacks something: ${stderr}`);
      rmSync(own, { recursive: true });
    }
  };
  const scenarios: readonly Scenario[] = [
    { name: 'pull', args: ['pull', '-q', image], start: none, leaves: filled.images }, { name: 'pull-large', args: ['pull', '-q', large], start: none, leaves: single.images },
    { name: 'load', args: ['load', '-q', '-i', archive], start: none, leaves: filled.images },
    { name: 'push', args: ['push', '-q', image, `${registry}/trial/RANDOM:1`], start: filled, leaves: filled.images }, { name: 'rmi', args: ['rmi', image], start: filled, leaves: none.images },
    { name: 'prune', args: ['image', 'prune', '-af', '--filter', 'label!=maker'], start: filled, leaves: none.images }, { name: 'tag', args: ['tag', 'busybox:1', image], start: filled, leaves: filled.images },
    { name: 'build', args: build, start: none, leaves: built.images }, { name: 'rebuild', args: [...build, '--no-cache'], start: built, leaves: built.images },
    { name: 'cache-to', args: [...build, '--cache-to', 'type=local,dest=HOME-cache', '--cache-to', `type=registry,ref=${registry}/trial/cache:NAME`], start: built, leaves: built.images, check: checkCaches },
  ];
  const durations = new Map<Scenario, number>();
  let count = 0;
  // What a command takes that does nothing with the store: nothing can go wrong before.
  const startMs = 0.9 * Math.min(...await Promise.all([1, 2, 3].map(async () => (await runKilled(['--version'], env(empty), LONGEST_MS)).ms)));
  const run = async (scenario: Scenario, home: string, afterMs: number): Promise<Outcome> => runKilled(scenario.args.map((word) => word.replace('RANDOM', `t${count++}`).replace('HOME', home).replace('NAME', basename(home))), env(home), afterMs);
  const freshStore = ({ start }: Scenario): string => {
    const home = mkdtempSync(join(scratch, 'store-'));
    cpSync(start.home, home, { recursive: true });
    return home;
  };
  /** Milliseconds of the command when nobody kills it. */
  const measure = async (scenario: Scenario): Promise<number> => {
    const home = freshStore(scenario);
    const { ms, status, stderr } = await run(scenario, home, LONGEST_MS);
    assert.equal(status, 0, `${scenario.name}: ${stderr}`);
    // What goes on in the background ends before that.
    await mustBeClean(home, scenario.name);
    rmSync(home, { recursive: true });
    rmSync(local(home), { recursive: true, force: true });
    return ms;
  };
  const trial = async (scenario: Scenario, fraction: number): Promise<boolean> => {
    for (let times = 0; !durations.has(scenario) || times === 1; times++) durations.set(scenario, Math.min(durations.get(scenario) ?? Infinity, await measure(scenario)));
    const home = freshStore(scenario);
    const afterMs = startMs + fraction * (durations.get(scenario)! - startMs);
    const what = `${scenario.name}, killed after ${afterMs.toFixed(1)} ms`;
    const { signal, ms } = await run(scenario, home, afterMs);
    // It was faster than ever before: what it takes is that.
    if (signal === null) durations.set(scenario, Math.min(durations.get(scenario)!, ms));
    const found = await mustBeClean(home, what);
    await scenario.check?.(home, what, false);
    for (const id of scenario.start.images) if (scenario.leaves.has(id)) assert.ok(found.has(id), `${what}: an image is gone`);
    const again = await run(scenario, home, LONGEST_MS);
    // The name went before the kill came.
    const takes = scenario.leaves.size < scenario.start.images.size;
    const isDone = takes && /there is no image/.test(again.stderr);
    assert.ok(again.status === 0 || isDone, `${what}, run again: ${again.status ?? again.signal} after ${again.ms.toFixed(0)} ms: ${again.stderr}`);
    const left = await mustBeClean(home, `${what}, run again`);
    await scenario.check?.(home, `${what}, run again`, true);
    for (const id of scenario.leaves) assert.ok(left.has(id), `${what}, run again: an image is missing`);
    if (!isDone && takes) assert.equal(left.size, scenario.leaves.size, `${what}, run again`);
    // What the killed command left goes with the next one that writes, or with a prune.
    await commandIn(env(home)).mustRun(['system', 'prune', '-f']);
    assert.deepEqual(readdirSync(join(home, 'tmp')), [], what);
    rmSync(home, { recursive: true });
    rmSync(local(home), { recursive: true, force: true });
    return signal === 'SIGKILL';
  };
  return { scenarios, trial };
}
