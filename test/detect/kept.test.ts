/** Containers that are kept are watched as well: at each start, in the background, and where "caisson events" looks. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { testStore, until } from '../containers/testing.ts';
import { jsonLines, type JsonAlert } from './testing.ts';

const store = testStore();
const { mustRun, run, scratch } = store;
before(() => store.load());
after(() => store.remove());

const RULES = join(scratch, 'rules.yaml');
writeFileSync(RULES, '- rule: Secret\n  desc: A secret was read.\n  condition: evt.type in (open, openat) and fd.name = /tmp/secret and evt.is_open_read = true\n  output: "%proc.name of %container.name read %fd.name"\n  priority: ERROR\n');

test('alerts of a container in the background are in its file and among the events, also when it is started again', async () => {
  const alerts = join(scratch, 'alerts.json');
  await mustRun(['run', '-d', '--name', 'watched', '--rules', RULES, '--alerts', alerts, 'busybox:1', 'sh', '-c', 'echo x > /tmp/secret; cat /tmp/secret']);
  await mustRun(['wait', 'watched']);
  await mustRun(['start', 'watched']);
  await mustRun(['wait', 'watched']);
  assert.deepEqual(jsonLines<JsonAlert>(alerts).map(({ rule, output }) => [rule, output]), [['Secret', 'cat of watched read /tmp/secret'], ['Secret', 'cat of watched read /tmp/secret']]);
  const events = await mustRun(['events', '--since', '1h', '--until', '0s', '--filter', 'event=alert', '--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.rule}} {{.Actor.Attributes.priority}} {{.Actor.Attributes.name}}']);
  assert.equal(events, 'container alert Secret Error watched\ncontainer alert Secret Error watched\n');
});

test('a rule that pauses stops the container before the call, and it goes on when it is let', async () => {
  await mustRun(['run', '-d', '--name', 'held', '--rules', RULES, '--on-rule', 'Secret=pause', 'busybox:1', 'sh', '-c', 'echo x > /tmp/secret; cat /tmp/secret; echo done']);
  await until(async () => (await mustRun(['ps', '-a', '--filter', 'name=held', '--format', '{{.Status}}'])).includes('Paused'), 'it is paused');
  assert.equal(await mustRun(['logs', 'held']), '');
  await mustRun(['unpause', 'held']);
  await mustRun(['wait', 'held']);
  assert.equal(await mustRun(['logs', 'held']), 'x\ndone\n');
});

for (const [what, calls, field, command] of [
  ['its path leads', 'open, openat', 'fd.name', 'cat /shared/link/file'], ['its second path leads', 'rename, renameat, renameat2', 'fs.path.target', 'busybox mv /shared/file /shared/link/file'],
] as const) {
  test(`a call that a rule has paused is judged again where ${what} elsewhere by then`, async () => {
    const shared = join(scratch, field);
    for (const name of ['plain', 'secret']) mkdirSync(join(shared, name), { recursive: true });
    for (const name of ['', 'plain', 'secret']) if (field === 'fd.name' || name === '') writeFileSync(join(shared, name, 'file'), name);
    symlinkSync('plain', join(shared, 'link'));
    const rules = join(scratch, `${field}.yaml`);
    writeFileSync(rules, ['plain', 'secret'].map((name) => `- rule: ${name}\n  desc: x\n  condition: evt.type in (${calls}) and ${field} startswith /shared/${name}/\n  output: x\n  priority: ERROR\n`).join(''));
    await mustRun(['run', '-d', '--name', field, '-v', `${shared}:/shared`, '--rules', rules, '--on-rule', 'plain=pause', '--on-rule', 'secret=deny', 'busybox:1', ...command.split(' ')]);
    await until(async () => (await mustRun(['ps', '-a', '--filter', `name=${field}`, '--format', '{{.Status}}'])).includes('Paused'), 'it is paused');
    rmSync(join(shared, 'link'));
    symlinkSync('secret', join(shared, 'link'));
    await mustRun(['unpause', field]);
    assert.equal((await mustRun(['wait', field])).trim(), '1');
    assert.doesNotMatch(await mustRun(['logs', field]), /secret$/m);
    assert.ok(existsSync(join(shared, 'file')));
  });
}

test('a command that is started in a running container is seen and can be kept from running', async () => {
  writeFileSync(join(scratch, 'exec.yaml'), '- rule: No cat\n  desc: x\n  condition: evt.type = execve and proc.name = cat and not proc.pname exists\n  output: x\n  priority: ERROR\n');
  await mustRun(['run', '-d', '--name', 'asked', '--rules', join(scratch, 'exec.yaml'), '--on-rule', 'deny', 'busybox:1', 'sleep', '1000']);
  assert.equal((await run(['exec', 'asked', 'cat', '/etc/hostname'])).status, 137);
  assert.equal(await mustRun(['exec', 'asked', 'echo', 'fine']), 'fine\n');
  await mustRun(['rm', '-f', 'asked']);
});

test('nobody can read standard error of a container in the background, and rules are checked before it is made', async () => {
  const first = await run(['run', '-d', '--events', '-', 'busybox:1', 'true']);
  assert.match(first.stderr, /cannot use --events - with --detach: nobody is there to read it \(name a file\)/);
  writeFileSync(join(scratch, 'wrong.yaml'), '- rule: x\n');
  const second = await run(['create', '--name', 'never', '--rules', join(scratch, 'wrong.yaml'), 'busybox:1', 'true']);
  assert.match(second.stderr, /cannot use the rules: .*wrong\.yaml:1:3: the rule "x" has no condition/);
  assert.equal((await run(['inspect', 'never'])).status, 1);
});
