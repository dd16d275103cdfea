/** `caisson compose` from `up` to `down`, with redis-server and nginx, by the built command. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { caisson, spawnCaisson } from '../cli/caisson.ts';
import type { RunResult } from '../cli/caisson.ts';
import { buildServices } from '../containers/services.ts';
import { testStore, until } from '../containers/testing.ts';

const store = testStore();
const { scratch, env, mustRun } = store;

/** A directory with these files, and the command in it. */
function project(name: string, files: Readonly<Record<string, string>>): { readonly directory: string; compose(...args: readonly string[]): Promise<RunResult>; must(...args: readonly string[]): Promise<string>; write(file: string, text: string): void } {
  const directory = join(scratch, name);
  mkdirSync(directory);
  const write = (file: string, text: string): void => writeFileSync(join(directory, file), text);
  for (const [file, text] of Object.entries(files)) write(file, text);
  const compose = (...args: readonly string[]): Promise<RunResult> => caisson(['compose', ...args], { cwd: directory, env: { ...env, TOKEN: 's3cret' }, timeoutMs: 120_000 });
  return {
    directory, write, compose,
    must: async (...args) => {
      const { stdout, stderr, status } = await compose(...args);
      assert.equal(status, 0, `compose ${args.join(' ')}: ${stderr}`);
      return stdout;
    },
  };
}

async function idsOf(prefix: string): Promise<Readonly<Record<string, string>>> {
  const lines = (await mustRun(['ps', '-a', '--no-trunc', '--format', '{{.Names}} {{.ID}}', '--filter', `name=^${prefix}-`])).split('\n').filter((line) => line !== '');
  return Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
}

before(() => buildServices(store));
after(() => store.remove());

const PAIR = `services:
  web:
    image: services
    command: sh -c 'mkdir -p /www && redis-cli -h db get word > /www/index.html && exec busybox httpd -f -h /www'
    ports: ["127.0.0.1::80"]
    environment: {GREETING: "\${GREETING:-hello}"}
    depends_on:
      db: {condition: service_healthy}
      seed: {condition: service_completed_successfully}
  seed:
    image: services
    command: redis-cli -h db set word found
    depends_on: {db: {condition: service_healthy}}
  db:
    image: services
    command: redis-server --protected-mode no --save ""
    healthcheck: {test: ["CMD", "redis-cli", "ping"], interval: 200ms, retries: 50}
    volumes: [data:/data, /anonymous]
volumes: {data: }
`;

test('a server finds its database by its name, once that is healthy; down leaves nothing', async () => {
  const { compose, must, write } = project('pair', { 'compose.yaml': PAIR });
  const { stderr, status } = await compose('up', '-d', '--wait');
  assert.deepEqual([status, stderr.split('\n').filter((line) => /Network|Volume|Healthy|pair-\w+-1 +Started/.test(line))], [0, [' Network pair_default  Created', ' Volume pair_data  Created', ' Container pair-db-1  Started', ' Container pair-db-1  Healthy', ' Container pair-seed-1  Started', ' Container pair-db-1  Healthy', ' Container pair-web-1  Started', ' Container pair-db-1  Healthy']], stderr);
  const address = (await must('port', 'web', '80')).trim();
  assert.match(address, /^127\.0\.0\.1:\d+$/);
  await until(async () => (await fetch(`http://${address}/`).then((response) => response.text(), () => '')) === 'found\n', 'the page is served');
  assert.match(await must('ps'), /^NAME +IMAGE +COMMAND +SERVICE +CREATED +STATUS +PORTS\npair-db-1 +services +"redis-server .*" +db +.* +Up .* \(healthy\) .*\npair-web-1 +services +"sh -c .*" +web +.* +Up .*127\.0\.0\.1:\d+->80\/tcp\n$/);
  assert.match(await must('ps', '-a', '--format', '{{.Service}} {{.State}} {{.ExitCode}}'), /^db running 0\nseed exited 0\nweb running 0\n$/);
  assert.equal(await must('exec', '-T', 'db', 'redis-cli', 'get', 'word'), 'found\n');
  assert.equal(await must('exec', '-T', '-e', 'A=b', 'web', 'sh', '-c', 'echo $GREETING $A'), 'hello b\n');
  assert.match(await must('logs', 'seed'), /^seed-1 {2}\| OK\n$/);
  assert.match(await must('logs', '--tail', '1', '--no-log-prefix', '-t', 'seed'), /^\d{4}-\d\d-\d\dT\S+Z OK\n$/);
  assert.match(await must('top', 'db'), /^pair-db-1\nUID +PID .*\n.*redis-server/);
  assert.equal(await must('ls', '--format', 'json'), `[{"Name":"pair","Status":"running(2)","ConfigFiles":"${join(scratch, 'pair/compose.yaml')}"}]\n`);

  const before = await idsOf('pair');
  await must('exec', '-T', 'db', 'sh', '-c', 'echo kept > /anonymous/file');
  assert.match((await compose('up', '-d')).stderr, / Container pair-db-1 {2}Running\n/);
  assert.deepEqual(await idsOf('pair'), before);
  write('compose.yaml', PAIR.replace('GREETING:-hello', 'GREETING:-goodbye'));
  await must('up', '-d');
  const changed = await idsOf('pair');
  assert.deepEqual([changed['pair-db-1'] === before['pair-db-1'], changed['pair-seed-1'] === before['pair-seed-1'], changed['pair-web-1'] === before['pair-web-1']], [true, true, false]);
  assert.equal(await must('exec', '-T', 'web', 'sh', '-c', 'echo $GREETING'), 'goodbye\n');
  await must('up', '-d', '--force-recreate', '--no-deps', 'db');
  assert.equal(await must('exec', '-T', 'db', 'cat', '/anonymous/file'), 'kept\n');
  assert.notEqual((await idsOf('pair'))['pair-db-1'], before['pair-db-1']);

  assert.match((await compose('down', '-v', '-t', '2')).stderr, / Volume pair_data {2}Removed\n Network pair_default {2}Removed\n$/);
  assert.deepEqual([await idsOf('pair'), await mustRun(['network', 'ls', '-q']), await mustRun(['volume', 'ls', '-q'])], [{}, '', '']);
});

test('up in the foreground: lines with names; ctrl-c stops all, in their order, with 130', async () => {
  const { directory, must } = project('front', {
    'compose.yaml': `services:
  one:
    image: services
    command: sh -c 'trap "echo one ends; exit 0" TERM; echo one begins; while :; do sleep 0.1; done'
  another:
    image: services
    command: sh -c 'trap "echo two ends; exit 3" TERM; echo two begins; while :; do sleep 0.1; done'
    depends_on: [one]
`,
  });
  const child = spawnCaisson(['compose', 'up'], { cwd: directory, env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => void child.on('close', resolve));
  await until(() => stdout.includes('two begins') && stdout.includes('one begins'), 'both have begun');
  child.kill('SIGINT');
  assert.equal(await ended, 130, stderr);
  assert.match(stdout, /^one-1 {6}\| one begins\nanother-1 {2}\| two begins\nanother-1 {2}\| two ends\nanother-1 exited with code 3\none-1 {6}\| one ends\none-1 exited with code 0\n$/);
  assert.match(stderr, /Gracefully stopping\.\.\. \(press Ctrl\+C again to force\)\n Container front-another-1 {2}Stopped\n Container front-one-1 {2}Stopped\n$/);
  assert.equal(await must('ps', '-q'), '');
  assert.match(await must('logs', 'one'), /^one-1 {2}\| one begins\none-1 {2}\| one ends\n$/);
  await must('down');
});

test('--abort-on-container-exit, --exit-code-from, and a dependency that fails', async () => {
  const { compose, must } = project('ends', {
    'compose.yaml': `services:
  job: {image: services, command: sh -c 'sleep 0.5; echo done; exit 7'}
  rest: {image: services, command: sleep 1000, stop_grace_period: 0s}
  late: {image: services, command: echo never, profiles: [late], depends_on: {job: {condition: service_completed_successfully}}}
`,
  });
  const aborted = await compose('up', '--abort-on-container-exit');
  assert.deepEqual([aborted.status, aborted.stdout.includes('job-1   | done\njob-1 exited with code 7\n')], [7, true], aborted.stdout);
  assert.equal((await compose('up', '--exit-code-from', 'rest')).status, 143);
  await must('up', '-d', 'job');
  assert.equal(await must('logs', '-f', 'job'), 'job-1  | done\n'.repeat(3));
  const failed = await compose('up', '-d', 'late');
  assert.deepEqual([failed.status, failed.stderr.split('\n').at(-2)], [1, 'caisson: dependency failed to start: container ends-job-1 exited (7) (see "caisson compose logs job")']);
  await must('--profile', '*', 'down');
  assert.deepEqual(await idsOf('ends'), {});
});

test('builds, secrets, configs, hosts, limits: what is said in the file is so inside', async () => {
  const { directory, must } = project('inside', {
    'compose.yaml': `services:
  app:
    build:
      context: .
      dockerfile_inline: |
        FROM services AS base
        ARG WORD
        RUN --mount=type=secret,id=token echo "$\${WORD} $$(busybox wc -c < /run/secrets/token)" > /word
        FROM base AS last
        RUN exit 1
      target: base
      args: {WORD: built}
      secrets: [token]
    command: [sleep, "1000"]
    stop_grace_period: 0s
    hostname: box
    user: "33:33"
    working_dir: /tmp
    read_only: true
    tmpfs: [/scratch]
    volumes: ["./made/here:/made", {type: bind, source: ./file.txt, target: /etc/file.txt, read_only: true}]
    secrets: [token, {source: plain, target: /etc/plain}]
    configs: [{source: settings, target: /etc/settings, mode: 0440, uid: "33"}]
    extra_hosts: ["elsewhere.example:192.0.2.7"]
    ulimits: {nofile: {soft: 123, hard: 456}}
    mem_limit: 128m
    pids_limit: 50
    cap_drop: [ALL]
    labels: {own: label}
    dns: 1.1.1.1
secrets: {token: {environment: TOKEN}, plain: {file: ./file.txt}}
configs: {settings: {content: "a \${TOKEN}"}}
`, 'file.txt': 'from a file\n',
  });
  await must('up', '-d');
  const ask = (script: string): Promise<string> => must('exec', '-T', 'app', 'sh', '-c', script);
  assert.equal(await ask('cat /word /run/secrets/token /etc/plain /etc/settings /etc/file.txt'), 'built 6\ns3cretfrom a file\na s3cretfrom a file\n');
  assert.equal(await ask('hostname; pwd; busybox id -u; ulimit -n; busybox grep elsewhere /etc/hosts; busybox stat -c "%a %u" /etc/settings; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; busybox touch /x 2>&1; busybox grep CapEff /proc/self/status'), 'box\n/tmp\n33\n123\n192.0.2.7\telsewhere.example\n440 33\n134217728\n50\ntouch: /x: Read-only file system\nCapEff:\t0000000000000000\n');
  assert.equal(await mustRun(['inspect', '-f', '{{index .Config.Labels "com.docker.compose.project"}} {{index .Config.Labels "com.docker.compose.service"}} {{index .Config.Labels "own"}}', 'inside-app-1']), 'inside app label\n');
  assert.match(await must('images'), /^CONTAINER +REPOSITORY +TAG +IMAGE ID +SIZE\ninside-app-1 +inside-app +latest +[0-9a-f]{12} +\d/);
  const oneOff = await caisson(['compose', 'run', '--rm', '-e', 'A=1', 'app', 'sh', '-c', 'cat; echo $A; exit 4'], { cwd: directory, env: { ...env, TOKEN: 's3cret' }, input: 'typed\n' });
  assert.deepEqual([oneOff.stdout, oneOff.status], ['typed\n1\n', 4], oneOff.stderr);
  assert.match(oneOff.stderr, /warning: services\.app\.dns has no effect: nothing goes out/);
  assert.deepEqual(Object.keys(await idsOf('inside')), ['inside-app-1']);
  await must('down', '--rmi', 'local');
  assert.equal(await mustRun(['images', '-q', 'inside-app']), '');
});

test('--scale, orphans, stop, start, restart, kill, rm, cp, and a project without its files', async () => {
  const { compose, must, write } = project('many', { 'compose.yaml': 'services:\n  a: {image: services, command: sleep 1000, stop_grace_period: 0s}\n  b: {image: services, command: sleep 1000, stop_grace_period: 0s}\n' });
  await must('up', '-d', '--scale', 'a=3');
  assert.deepEqual(Object.keys(await idsOf('many')).sort(), ['many-a-1', 'many-a-2', 'many-a-3', 'many-b-1']);
  assert.equal(await must('exec', '-T', '--index', '2', 'a', 'hostname'), 'many-a-2\n');
  write('compose.yaml', 'services:\n  a: {image: services, command: sleep 1000, stop_grace_period: 0s}\n');
  assert.match((await compose('up', '-d')).stderr, /Found orphan containers \(many-b-1\) for this project\./);
  assert.deepEqual(Object.keys(await idsOf('many')).sort(), ['many-a-1', 'many-b-1']);
  await must('up', '-d', '--remove-orphans');
  assert.deepEqual(Object.keys(await idsOf('many')), ['many-a-1']);
  write('note', 'copied\n');
  await must('cp', 'note', 'a:/note');
  assert.equal(await must('exec', '-T', 'a', 'cat', '/note'), 'copied\n');
  await must('stop');
  assert.equal(await must('ps', '-q'), '');
  await must('start');
  await must('restart', '-t', '0', 'a');
  assert.equal(await must('exec', '-T', 'a', 'cat', '/note'), 'copied\n');
  await must('kill', '-s', 'KILL');
  assert.match(await must('ps', '-a', '--format', '{{.Status}}'), /^Exited \(137\)/);
  await must('rm', '-f');
  assert.deepEqual(await idsOf('many'), {});
  await must('up', '-d');
  const elsewhere = await caisson(['compose', '-p', 'many', 'down'], { cwd: '/', env });
  assert.deepEqual([elsewhere.status, await idsOf('many')], [0, {}], elsewhere.stderr);
});

test('mistakes end with one line that says what to do, before anything is made', async () => {
  const { compose, write } = project('wrong', { 'compose.yaml': '' });
  for (const [text, args, message] of [
    ['services: {web: {image: services, port: [80]}}', ['up'], /^caisson: services\.web: there is no "port" in the Compose specification \(did you mean "ports"\?\)\n$/],
    ['services: {web: {image: services, privileged: true}}', ['up', '-d'], /^caisson: services\.web\.privileged cannot be had: .* \(take it out, or override it with !reset in a second file\)\n$/],
    ['services: {web: {image: services, cap_add: [NET_ADMN]}}', ['up', '-d'], /caisson: service "web": cannot use --cap-add NET_ADMN: no capability is called that \(did you mean net_admin\?\)\n$/],
    ['services: {web: {image: services}}', ['up', '-d', 'webb'], /^caisson: no such service: webb \(did you mean "web"\?\)\n$/], ['services: {web: {image: services}}', ['exec', 'web', 'true'], /^caisson: service "web" is not running \(start it with "caisson compose up -d"\)\n$/],
    ['services: {web: {image: services, extra_hosts: ["a:host-gateway"]}}', ['up', '-d'], /caisson: services\.web\.extra_hosts: cannot use "a=host-gateway": this machine has no address inside .*\n$/],
    ['services: {web: {image: services, secrets: [s]}}\nsecrets: {s: {file: ./gone}}', ['up', '-d'], /caisson: services\.web\.secrets: cannot read ".*gone" for "s": no such file \(make it\)\n$/],
    ['services: {web: {image: services, networks: [other]}}\nnetworks: {other: {external: true}}', ['up', '-d'], /caisson: network other declared as external, but could not be found \(make it with "caisson network create other"\)\n$/],
    ['services: {web: {image: services, env_file: /dev/zero}}', ['up', '-d'], /^caisson: cannot read "\/dev\/zero": it is longer than 4 MiB \(is it the right file\?\)\n$/],
    ['services: {web: {image: services, secrets: [s]}}\nsecrets: {s: {environment: NOT_SET}}', ['up', '-d'], /^caisson: secrets\.s: the variable NOT_SET is not set \(set it in the environment, or in \.env\)\n$/],
    ['services: {web: {image: services}}', ['upp'], /^caisson: cannot compose upp: no such command \(did you mean "caisson compose up"\?\)\n$/], ['services: {web: {image: services}}', ['watch'], /^caisson: cannot compose watch: it is not there yet/], ['services: {web: {image: services}}', ['up', '-d', '--abort-on-container-exit'], /^caisson: --detach and --abort-on-container-exit cannot be combined/],
  ] as const) {
    write('compose.yaml', text);
    const { stderr, status } = await compose(...args);
    assert.match(stderr, message);
    assert.notEqual(status, 0);
    assert.deepEqual(await idsOf('wrong'), {}, text);
  }
  await compose('down');
});
