import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DO_FLAGS } from './do-flags.ts';
import { readDoOptions } from './do-options.ts';
import type { DoOptions } from './do-options.ts';
import { mergeEnvironment, visibleEnvironment } from '../environment.ts';
import type { EnvironmentFlags } from '../environment.ts';
import { UserError } from '../errors.ts';
import { parseFlags } from '../flags.ts';
import { hiddenPaths } from '../../sandbox/hidden-paths.ts';
import { formatSize, parseDuration, parseSize } from '../quantities.ts';

const buildEnvironment = (host: readonly string[], flags: EnvironmentFlags): readonly string[] => mergeEnvironment(visibleEnvironment(host), host, flags);

const read = (...words: string[]): DoOptions => readDoOptions(parseFlags(words, DO_FLAGS, 'do'));
const message = (...words: string[]): string => {
  try {
    read(...words);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message;
  }
  return '';
};

test('readDoOptions() keeps the directory and the user, and grants nothing', () => {
  const { container, process: spec } = read('--', 'true');
  assert.equal(spec.cwd, process.cwd());
  assert.equal(spec.user.uid, process.getuid?.());
  assert.deepEqual(container.mounts, []);
  assert.deepEqual(container.network, { mode: 'none', allow: [] });
  assert.ok(container.hide.includes('/etc/shadow'));
});

test('readDoOptions() reads mounts', () => {
  const directory = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'caisson-do-')));
  const { container } = read('-v', `${directory}:/data`, '-v', `${directory}:/out:rw`, '--rw', directory, '--tmpfs', '/scratch:size=1m', 'true');
  assert.deepEqual(container.mounts, [
    { kind: 'bind', source: directory, destination: '/data', writable: false },
    { kind: 'bind', source: directory, destination: '/out', writable: true },
    { kind: 'bind', source: directory, destination: directory, writable: true },
    { kind: 'tmpfs', destination: '/scratch', sizeBytes: 2 ** 20 },
  ]);
  fs.rmSync(directory, { recursive: true });
});

test('readDoOptions() explains each mistake', () => {
  assert.match(message(), /no command/);
  assert.match(message('-v', '/nope-nope:/x', 'true'), /cannot use --volume .*no such file/);
  assert.match(message('-v', '/tmp:relative', 'true'), /DST absolute/);
  assert.match(message('-m', 'lots', 'true'), /not a size/);
  assert.match(message('--pids-limit', 'x', 'true'), /not a number/);
  assert.match(message('--timeout', 'soon', 'true'), /not a time/);
  assert.match(message('--ulimit', 'nofiles=10', 'true'), /no limit is called nofiles/);
  assert.match(message('--ulimit', 'nofile=10:5', 'true'), /above the hard/);
  assert.match(message('--cap-add', 'net_amdin', 'true'), /no capability/);
  assert.match(message('--net', 'inbound', 'true'), /one of none, outbound/);
  assert.match(message('--net', 'none', '--allow-net', 'a.example', 'true'), /leave|--net none/);
  assert.match(message('-u', 'nobody-at-all', 'true'), /no such name/);
  assert.match(message('--rw', '/', 'true'), /nothing would be left/);
  assert.match(message('--root', '/nope-nope', 'true'), /no such file/);
});

test('readDoOptions() reads rights and limits', () => {
  const { container, process: spec, timeoutMs } = read('-m', '512m', '--pids-limit', '7', '--ulimit', 'nofile=10:unlimited', '--cap-add', 'CAP_NET_ADMIN', '--cap-drop', 'all', '--timeout', '1m', 'true');
  assert.deepEqual(container.limits, { memoryBytes: 512 * 2 ** 20, tasks: 7 });
  assert.deepEqual(spec.rlimits, [{ name: 'nofile', soft: 10, hard: Infinity }]);
  assert.deepEqual(spec.capabilities, ['net_admin']);
  assert.equal(timeoutMs, 60_000);
});

test('readDoOptions() finds users in the root directory\'s passwd', () => {
  const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'caisson-root-')));
  fs.mkdirSync(join(root, 'etc'));
  fs.writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nana:x:1234:1235::/home/ana:/bin/sh\n');
  fs.writeFileSync(join(root, 'etc/group'), 'ana:x:1235:\nwork:x:1300:ana,bo\n');
  const { container, process: spec } = read('--root', root, '-u', 'ana', 'true');
  assert.deepEqual(spec.user, { uid: 1234, gid: 1235, groups: [1235, 1300] });
  assert.ok(spec.env.includes('HOME=/home/ana'));
  assert.equal(spec.cwd, '/');
  assert.ok(container.hide.includes(`${root}/home/ana/.ssh`));
  assert.deepEqual(read('--root', root, '-u', '77:work', 'true').process.user, { uid: 77, gid: 1300, groups: [1300] });
  fs.rmSync(root, { recursive: true });
});

test('buildEnvironment() drops what looks like a credential and gives it back when named', () => {
  const host = ['PATH=/bin', 'GITHUB_TOKEN=x', 'AWS_REGION=y', 'http_proxy=http://me:pw@proxy:80', 'https_proxy=http://proxy:80', 'MY_API_KEY=z', 'KEYBOARD=de', 'SSH_AUTH_SOCK=/s'];
  assert.deepEqual(buildEnvironment(host, { env: [], envFiles: [] }), ['PATH=/bin', 'https_proxy=http://proxy:80', 'KEYBOARD=de']);
  assert.ok(buildEnvironment(host, { env: ['GITHUB_TOKEN', 'A=\u00e4', 'NOT_THERE'], envFiles: [] }).includes('GITHUB_TOKEN=x'));
  assert.ok(buildEnvironment(host, { env: ['A=\u00e4'], envFiles: [] }).includes('A=\xc3\xa4'));
});

test('hiddenPaths() hides below each home, and show gives one back', () => {
  const paths = hiddenPaths('/', ['/root', '/home/ana', '/'], ['/srv/secret'], ['/home/ana/.ssh']);
  assert.ok(paths.includes('/root/.ssh') && paths.includes('/srv/secret') && !paths.includes('/home/ana/.ssh'));
  assert.ok(!hiddenPaths('/', ['/root'], [], ['/root']).includes('/root/.aws'));
});

test('parseSize() and parseDuration() read what people type', () => {
  assert.equal(parseSize('1.5g'), 1.5 * 2 ** 30);
  assert.equal(parseSize('10 KB'), 10240);
  assert.equal(parseSize('10q'), undefined);
  assert.equal(parseDuration('500ms'), 500);
  assert.equal(parseDuration('2'), 2000);
  assert.equal(formatSize(12.34 * 2 ** 20), '12.3 MiB');
});
