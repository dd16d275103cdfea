/** `caisson audit` as a user runs it: what it prints, writes, refuses, and its exit status. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { caisson, caissonPath } from '../cli/caisson.ts';
import type { RunResult } from '../cli/caisson.ts';
import { RECORDED } from './testing.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-audit-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const HOME = { CAISSON_HOME: join(scratch, 'store') };

function file(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
}

function audit(args: readonly string[], input = ''): Promise<RunResult> {
  return caisson(['audit', ...args], { env: HOME, cwd: scratch, input });
}

const BAD = 'docker run --name web -v /var/run/docker.sock:/s --memory 64m --pids-limit 50 --network mine --cap-drop NET_RAW app:1';
const GOOD = 'docker run --name web --memory 64m --pids-limit 50 --network mine --cap-drop NET_RAW app:1\n';

test('a command line: the path in full, status 1; what is left after --fix: status 0', async () => {
  const { stdout, stderr, status } = await audit(BAD.split(' '));
  assert.equal(status, 1, stderr);
  assert.match(stdout, /^web: 1 path leads out; \d+ deviations open none \(--all lists them\)\n\nCRITICAL {2}The engine's socket: another container is started, privileged\n/);
  for (const line of ['  effect      root on the host', '  to cut it   take the mount on /s away', '  is so       the socket of an engine is mounted (/var/run/docker.sock on /s)', '  Caisson     closed: sockets in a mounted directory are shown and never connected to']) assert.ok(stdout.includes(`${line}\n`), line);
  const fixed = await audit(['--fix', ...BAD.split(' ')]);
  assert.deepEqual(fixed, { stdout: GOOD, stderr: 'caisson: web: take the mount on /s away\n', status: 0, signal: null });
  assert.equal((await audit(['-'], GOOD)).status, 0);
});

test('--fix -o writes a file; --fix=all mends what can be mended; one that cannot be done is said, with status 1', async () => {
  const pod = file('pod.yml', 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: app # ours\n      image: app:1\n      securityContext:\n        privileged: true\n');
  const out = join(scratch, 'fixed.yml');
  const { stdout, status } = await audit(['--fix=all', '--output', out, pod]);
  assert.deepEqual([stdout, status], ['', 0]);
  const text = readFileSync(out, 'utf8');
  for (const line of ['- name: app # ours', 'privileged: false', 'allowPrivilegeEscalation: false', 'runAsNonRoot: true', 'readOnlyRootFilesystem: true', 'automountServiceAccountToken: false']) assert.ok(text.includes(line), line);
  assert.equal((await audit(['--standard', 'restricted', out])).status, 0);
  const left = await audit(['--fix', '--host', 'runc=1.1.11', '--host', 'kernel=5.10.1', ...GOOD.trim().split(' ')]);
  assert.equal(left.status, 1);
  assert.match(left.stderr, /still open: DirtyPipe/);
});

test('--standard shows every control with its result', async () => {
  const { stdout, status } = await audit(['--standard', 'cis', file('run.sh', `${BAD}\n`)]);
  assert.equal(status, 1);
  const row = (id: string): string => new RegExp(`^(\\w+) +CIS +${id.replace('.', '\\.')} `, 'm').exec(stdout)?.[1] ?? '';
  assert.deepEqual(['5.32', '5.5', '5.11', '5.26', '5.1', '4.8'].map(row), ['FAIL', 'PASS', 'PASS', 'FAIL', 'UNSHOWN', 'UNSHOWN']);
  assert.equal(stdout.match(/ CIS /g)?.length, 44);
});

test('formats, --fail-on, ignore files and the page', async () => {
  const script = file('web.sh', `#!/bin/sh\n\n${BAD}\n`);
  const page = join(scratch, 'report.html');
  const { stdout, status } = await audit(['--format', 'json', '--report', page, script]);
  const report = JSON.parse(stdout) as { findings: { rule: string; severity: string; place: { file: string; line: number }; steps: string[]; controls: string[]; engines: Record<string, string> }[]; containers: { controls: unknown[] }[] };
  assert.equal(status, 1);
  assert.deepEqual(report.findings.map(({ rule, severity, place }) => [rule, severity, place.line]), [['path-engine-socket', 'critical', 3]]);
  assert.equal(report.findings[0]?.steps.length, 3);
  assert.ok(report.findings[0]?.controls.includes('CIS 5.32'));
  assert.deepEqual(Object.keys(report.findings[0]?.engines ?? {}), ['docker', 'gvisor', 'caisson']);
  assert.equal(report.containers[0]?.controls.length, 62);
  assert.match(readFileSync(page, 'utf8'), /<svg[\s\S]*socket of an engine[\s\S]*5\.32/);
  const sarif = JSON.parse((await audit(['--format', 'sarif', script])).stdout) as { runs: { results: { ruleId: string; level: string }[] }[] };
  assert.deepEqual(sarif.runs[0]?.results.map(({ ruleId, level }) => [ruleId, level]), [['path-engine-socket', 'error']]);
  assert.equal((await audit(['--fail-on', 'never', script])).status, 0);
  assert.equal((await audit(['--fail-on', 'info', ...GOOD.trim().split(' ')])).status, 1);
  const ignored = await audit(['--ignore-file', file('ignore', 'path-engine-socket web until 2999-01-01 -- it is the builder\n'), script]);
  assert.equal(ignored.status, 0);
  assert.match(ignored.stdout, /1 ignored/);
  assert.ok(!ignored.stdout.includes('CRITICAL'));
});

test('--graph draws SVG and DOT', async () => {
  const [svg, dot] = [join(scratch, 'g.svg'), join(scratch, 'g.dot')];
  for (const path of [svg, dot]) assert.equal((await audit(['--graph', path, '--brief', ...BAD.split(' ')])).status, 1);
  assert.match(readFileSync(svg, 'utf8'), /^<svg [\s\S]*root on the host[\s\S]*<\/svg>\n$/);
  assert.match(readFileSync(dot, 'utf8'), /^digraph audit \{[\s\S]* -> [\s\S]*label="cut"[\s\S]*\}\n$/);
});

test('what Docker and Podman print is read from a pipe', async () => {
  for (const recorded of RECORDED.slice(1, 3)) {
    for (const value of [recorded.podmanInspect, recorded.dockerInspect, recorded.bundle]) {
      const { stdout, status } = await audit(['--brief', '-'], JSON.stringify(value));
      assert.equal(status, 1);
      assert.match(stdout, /paths lead out/);
    }
  }
});

test('what a host says of itself counts', async () => {
  const info = file('info.json', JSON.stringify({ ServerVersion: '28.2.2', KernelVersion: '6.1.0-18-amd64', CgroupVersion: '2', SecurityOptions: ['name=apparmor', 'name=seccomp,profile=builtin'], RuncCommit: { ID: 'v1.1.11' }, ContainerdCommit: { ID: '1.7.1' } }));
  const words = ['docker', 'run', '--network', 'host', '-w', '/proc/self/fd/8', '--cap-add', 'SYS_ADMIN', 'app:1'];
  const rules = async (...hosts: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await audit(['--format', 'json', '--all', ...hosts.flatMap((host) => ['--host', host]), ...words]);
    return (JSON.parse(stdout) as { findings: { rule: string }[] }).findings.map(({ rule }) => rule);
  };
  const [plain, known] = [await rules(), await rules(info)];
  assert.ok(plain.includes('path-release-agent') && !plain.includes('path-runc-leaked-descriptor'));
  assert.ok(!known.includes('path-release-agent') && known.includes('path-runc-leaked-descriptor'));
  assert.ok(!(await rules(info, 'runc=1.2.9')).includes('path-runc-leaked-descriptor'));
});

test('a container of ours is judged by its name, for Caisson or for Docker', async () => {
  const store = { env: HOME, cwd: scratch };
  copyFileSync('/bin/busybox', join(scratch, 'busybox'));
  writeFileSync(join(scratch, 'Dockerfile'), 'FROM scratch\nCOPY busybox /bin/\nCMD ["/bin/busybox", "true"]\n');
  assert.equal((await caisson(['build', '-q', '-t', 'own', '.'], store)).status, 0);
  assert.equal((await caisson(['create', '--name', 'box', '-v', '/etc:/e', 'own'], store)).status, 0);
  const own = await audit(['box']);
  assert.equal(own.status, 1, own.stderr);
  assert.match(own.stdout, /^box: .*under Caisson/);
  assert.match(own.stdout, /HIGH {2}System files of the host are written/);
  assert.doesNotMatch(own.stdout, /memory is used up/);
  const docker = await audit(['--under', 'docker', 'box']);
  assert.match(docker.stdout, /CRITICAL {2}System files of the host are written/);
  assert.match(docker.stdout, /LOW {2}The host's memory is used up/);
  writeFileSync(join(scratch, 'Dockerfile'), 'FROM own\nENV API_TOKEN=abcdefgh12345678\nADD busybox /two\n');
  assert.equal((await caisson(['build', '-q', '-t', 'image', '.'], store)).status, 0);
  const image = await audit(['--format', 'json', '--all', 'image']);
  assert.deepEqual((JSON.parse(image.stdout) as { findings: { rule: string }[] }).findings.map(({ rule }) => rule).sort(), ['add-instruction', 'no-health-check', 'path-secrets-in-environment', 'root-user', 'secret-variable']);
  const line = await audit(['caisson', 'run', '-v', '/etc:/e', 'own']);
  assert.match(line.stdout, /under Caisson/);
  assert.match(line.stdout, /HIGH {2}System files of the host are written/);
});

test('the session in docs/audit.md is what happens', () => {
  const [, block = ''] = /^```console\n([\s\S]*?)^```$/m.exec(readFileSync(new URL('../../docs/audit.md', import.meta.url), 'utf8')) ?? [];
  const steps = block.split(/^\$ /m).slice(1).map((text) => ({ command: text.slice(0, text.indexOf('\n')), output: text.slice(text.indexOf('\n') + 1) }));
  assert.equal(steps.length, 4);
  file('compose.yaml', steps[0]?.output ?? '');
  for (const { command, output } of steps) {
    const { stdout } = spawnSync('bash', ['-c', `caisson() { "${process.execPath}" "${caissonPath}" "$@"; }\nexec 2>&1\n${command}`], { encoding: 'utf8', cwd: scratch, env: { PATH: process.env['PATH'] ?? '', HOME: scratch } });
    assert.equal(stdout, output, command);
  }
});

test('mistakes are told in one line, with status 2', async () => {
  const cases: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [['nowhere.yml'], /^caisson: cannot audit "nowhere.yml": there is no such file, container or image \(/], [['.'], /^caisson: cannot read "\.": it is a directory/], [[], /a word is missing/],
    [['--host', 'runk=1.2.3', 'x'], /nothing about a host is called "runk" \(did you mean runc\?\)/], [['--host', 'cgroup=3', 'x'], /it is 1 or 2/], [['--host', 'nowhere.json', 'x'], /no such file/], [['--under', 'lxc', 'x'], /it is one of docker, gvisor, caisson/],
    [['--standard', 'iso', 'x'], /no such standard/], [['--kind', 'helm', 'x'], /it is one of command/], [['--fix=privilged', ...BAD.split(' ')], /did you mean privileged\?/], [['-o', 'x', ...BAD.split(' ')], /--output without --fix/],
    [['docker', 'run', '--privilegd', 'app'], /cannot understand --privilegd: "docker run" has no such flag \(did you mean --privileged\?\)/], [['--kind', 'oci', file('compose.yml', 'services: {a: {image: b}}\n')], /cannot audit/],
    [[file('empty', '\n')], /it is empty/],
  ];
  for (const [args, said] of cases) {
    const { stdout, stderr, status } = await audit(args);
    assert.deepEqual([stdout, status], ['', 2], args.join(' '));
    assert.match(stderr, said);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  }
});
