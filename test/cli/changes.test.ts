/** What did it change: --changes, --export-changes, --apply. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inSandbox } from './caisson.ts';

const scratch = (): string => fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'caisson-changes-')));

const SCRIPT = 'echo new > added; echo more >> changed; rm deleted; mkdir -p tree/deep; echo x > tree/deep/file; ln -s added link; chmod 4755 mode';

function prepare(): string {
  const directory = scratch();
  for (const name of ['changed', 'deleted', 'mode', 'same']) fs.writeFileSync(join(directory, name), `${name}\n`);
  return directory;
}

test('--changes lists A, C and D, and nothing happened', async () => {
  const cwd = prepare();
  const { stdout } = await inSandbox(SCRIPT, ['--changes'], { cwd });
  const lines = stdout.split('\n').filter((line) => line.includes(`${cwd}/`)).map((line) => line.replace(`${cwd}/`, ''));
  assert.deepEqual(lines.sort(), ['A added', 'A link', 'A tree', 'A tree/deep', 'A tree/deep/file', 'C changed', 'C mode', 'D deleted'].sort());
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['changed', 'deleted', 'mode', 'same']);
  fs.rmSync(cwd, { recursive: true });
});

test('--export-changes writes a layer that tar understands', async () => {
  const cwd = prepare();
  const layer = join(scratch(), 'layer.tar');
  const { status, stderr } = await inSandbox(`${SCRIPT}; head -c 2500000 /dev/zero > big`, ['--export-changes', layer], { cwd });
  assert.equal(status, 0, stderr);
  const names = execFileSync('tar', ['tf', layer], { encoding: 'utf8' }).split('\n');
  for (const name of ['added', 'changed', '.wh.deleted', 'tree/deep/file', 'link', 'big']) assert.ok(names.includes(`${cwd.slice(1)}/${name}`), name);
  assert.equal(execFileSync('tar', ['xOf', layer, `${cwd.slice(1)}/big`], { maxBuffer: 1 << 24 }).length, 2_500_000);
  const odd = join(scratch(), 'odd.tar');
  // Names that are no UTF-8, hard links, times to the nanosecond, attributes.
  const script = "printf x > \"$(printf 'n\\377')\"; touch -d '2001-02-03 04:05:06.789 UTC' old; ln old hard; python3 -c 'import os; os.setxattr(\"old\", \"user.note\", b\"\\xff\\x00\")'";
  assert.equal((await inSandbox(script, ['--export-changes', odd], { cwd })).stderr, '');
  const listed = JSON.parse(execFileSync('python3', ['-c', `import tarfile, json
print(json.dumps([[m.name.encode('utf8', 'surrogateescape').decode('latin1').split('/')[-1], m.type.decode(), m.linkname.split('/')[-1], float(m.mtime), m.pax_headers.get('SCHILY.xattr.user.note', '').encode('utf8', 'surrogateescape').hex()] for m in tarfile.open('${odd}')]))`], { encoding: 'utf8' })) as [string, string, string, number, string][];
  const inside = listed.filter(([name]) => ['n\xff', 'old', 'hard'].includes(name));
  assert.deepEqual(inside.map(([name, type, link]) => [name, type, link]), [['hard', '0', ''], ['n\xff', '0', ''], ['old', '1', 'hard']]);
  assert.deepEqual([inside[0]?.[3], inside[0]?.[4]], [981_173_106.789, 'ff00']);
  const failed = await inSandbox('echo x > y', ['--export-changes', '/nope/layer.tar'], { cwd });
  assert.equal(failed.status, 125);
  assert.match(failed.stderr, /^caisson: cannot write the changes to "\/nope\/layer.tar"/);
  fs.rmSync(cwd, { recursive: true });
});

test('--apply --yes makes the host as the command left it', async () => {
  const cwd = prepare();
  const { status, stderr } = await inSandbox(SCRIPT, ['--apply', '--yes'], { cwd });
  assert.equal(status, 0, stderr);
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['added', 'changed', 'link', 'mode', 'same', 'tree']);
  assert.equal(fs.readFileSync(join(cwd, 'changed'), 'utf8'), 'changed\nmore\n');
  assert.equal(fs.readFileSync(join(cwd, 'tree/deep/file'), 'utf8'), 'x\n');
  assert.equal(fs.readlinkSync(join(cwd, 'link')), 'added');
  assert.equal(fs.statSync(join(cwd, 'mode')).mode & 0o7777, 0o4755);
  fs.rmSync(cwd, { recursive: true });
});

test('--apply without a terminal and without --yes applies nothing', async () => {
  const cwd = prepare();
  const layer = await inSandbox(`exec setsid -w true; ${SCRIPT}`, ['--apply'], { cwd });
  assert.ok(layer.status === 0 || layer.status === 125);
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['changed', 'deleted', 'mode', 'same']);
  fs.rmSync(cwd, { recursive: true });
});

test('--apply leaves hidden places alone', async () => {
  const home = scratch();
  fs.mkdirSync(join(home, '.ssh'));
  fs.writeFileSync(join(home, '.ssh/authorized_keys'), 'mine\n');
  const { stderr } = await inSandbox('mkdir -p "$HOME/.ssh"; echo theirs > "$HOME/.ssh/authorized_keys"; echo ok > "$HOME/plain"', ['--apply', '--yes'], { cwd: home, env: { HOME: home } });
  assert.equal(fs.readFileSync(join(home, '.ssh/authorized_keys'), 'utf8'), 'mine\n');
  assert.match(stderr, /it was hidden from the command/);
  assert.equal(fs.readFileSync(join(home, 'plain'), 'utf8'), 'ok\n');
  fs.rmSync(home, { recursive: true });
});

test('--apply follows no link that appeared meanwhile', async () => {
  const cwd = scratch();
  const outside = scratch();
  fs.mkdirSync(join(cwd, 'd'));
  // The command makes d/file; before it is applied, d is a link on the host.
  const { stderr } = await inSandbox('echo x > d/file; rm -rf /nothing', ['--apply', '--yes', '-v', `${outside}:/mnt:rw`], { cwd });
  assert.equal(stderr.includes('cannot apply'), false);
  assert.equal(fs.readFileSync(join(cwd, 'd/file'), 'utf8'), 'x\n');
  assert.deepEqual(fs.readdirSync(outside), []);
  fs.rmSync(cwd, { recursive: true });
  fs.rmSync(outside, { recursive: true });
});
