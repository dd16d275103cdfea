/** Which packages were really used, from the run to the scan. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { caisson } from '../cli/caisson.ts';
import { Root } from './testing.ts';

const root = new Root();
after(() => root.remove());

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root.root, path)), { recursive: true });
  writeFileSync(join(root.root, path), text);
}

/** Name and the files that dpkg says are its own. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  ran: ['/bin/busybox'], read: ['/usr/share/read/data'], still: ['/usr/share/still/data'], later: ['/usr/share/later/data'],
};

interface Listed {
  readonly packages: readonly { readonly name: string; readonly used: string }[];
  readonly notes: readonly string[];
}

test('each package is marked as executed, opened or untouched, and npm\'s by what is in their directories', async () => {
  write('etc/os-release', 'ID=debian\nVERSION_ID="12"\n');
  write('var/lib/dpkg/status', Object.keys(PACKAGES).map((name) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n`).join('\n'));
  for (const [name, files] of Object.entries(PACKAGES)) write(`var/lib/dpkg/info/${name}.list`, ['/.', '/usr', ...files].join('\n'));
  for (const name of ['read', 'still', 'later']) write(`usr/share/${name}/data`, 'data\n');
  for (const name of ['one', 'two']) {
    write(`srv/node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0' }));
    write(`srv/node_modules/${name}/index.js`, '');
  }
  // One package at two places: the second one is used.
  for (const place of ['a', 'b']) {
    write(`srv/${place}/node_modules/twice/package.json`, JSON.stringify({ name: 'twice', version: '1.0.0' }));
    write(`srv/${place}/node_modules/twice/lib/index.js`, '');
  }
  const use = root.file('use.json');
  // What a program writes into the lists later moves no file to another package.
  const script = 'cat /usr/share/read/data srv/node_modules/one/index.js srv/b/node_modules/twice/lib/index.js; echo /usr/share/still/data >> /var/lib/dpkg/info/read.list; test -e /usr/share/still/data; ls -l /usr/share/still > /dev/null';
  const ran = await caisson(root.shell(script, ['--record-use', use]));
  assert.equal(ran.status, 0, ran.stderr);
  const { stdout, stderr } = await caisson(['scan', '--scanners', 'vuln', '--packages', '-f', 'json', '--used', use, root.root]);
  const { packages, notes } = (JSON.parse(stdout) as { readonly data: Listed }).data ?? (JSON.parse(stdout) as Listed);
  assert.deepEqual(Object.fromEntries(packages.map(({ name, used }) => [name, used])), { later: 'untouched', one: 'opened', ran: 'executed', read: 'opened', still: 'untouched', twice: 'opened', two: 'untouched' }, stderr);
  assert.ok(notes.some((note) => note.includes('untouched: 3')));
});

test('while the run goes on, nothing is said of what it used', async () => {
  const use = root.file('use.json', 'of the run before');
  const ran = await caisson(root.shell('cat /mnt/use', ['-v', `${use}:/mnt/use`, '--record-use', use]));
  assert.deepEqual([ran.stdout, ran.status], ['', 0], ran.stderr);
});

test('what is no record of a use is refused', async () => {
  const file = root.file('use.json', '{}');
  const { stderr, status } = await caisson(['scan', '--used', file, root.root]);
  assert.ok(stderr.startsWith(`caisson: cannot use --used ${file}: it is not what "caisson run --record-use" has written`), stderr);
  assert.equal(status, 2);
});
