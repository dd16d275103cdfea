/** Dockerfiles of Python programs: with a package of Debian by dpkg, and by apt-get from the network. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commandIn, debianTar, peer } from '../images/fixtures.ts';
import { makeContext, openStore } from './harness.ts';
import { debianPackage, mirrorAnswers, pythonTar } from './programs.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-python-'));
const home = join(scratch, 'store');
const { mustRun } = commandIn({ CAISSON_HOME: home });
const TIMEOUT_MS = 10 * 60_000;

after(() => rmSync(scratch, { recursive: true, force: true }));

test('a Python program: dpkg installs a package of Debian with its scripts, and the program uses it', async () => {
  const { file, bytes } = debianPackage('python3-six');
  await mustRun(['import', pythonTar(), 'python:debian']);
  const directory = makeContext(scratch, {
    dockerfile: `FROM python:debian\nRUN --mount=target=/ctx dpkg --install /ctx/${file}\nWORKDIR /app\nCOPY app.py .\nCMD ["python3", "app.py"]\n`, files: { 'app.py': 'import six\nprint(six.__file__, six.text_type("used"))\n' },
  });
  writeFileSync(join(directory, file), bytes);
  await mustRun(['build', '-t', 'python:app', directory], { timeoutMs: TIMEOUT_MS });
  assert.equal(await mustRun(['run', 'python:app']), '/usr/lib/python3/dist-packages/six.py used\n');
  assert.match(await mustRun(['run', 'python:app', 'dpkg', '-s', 'python3-six']), /^Status: install ok installed$/m);
  // Its script has compiled it.
  assert.match(await mustRun(['run', 'python:app', 'ls', '/usr/lib/python3/dist-packages/__pycache__']), /^six\.cpython-311\.pyc$/m);
  const files = (await mustRun(['run', 'python:app', 'dpkg', '-L', 'python3-six'])).trim().split('\n');
  const expected = peer('sh', ['-c', `dpkg-deb --fsys-tarfile ${join(directory, file)} | tar -t`]).stdout.trim().split('\n').map((name) => name.replace(/^\./, '').replace(/\/$/, '') || '/.');
  assert.deepEqual([...files].sort(), [...expected].sort());
});

// As an ordinary user nothing here makes a whole Debian.
if (process.getuid?.() === 0 && (await mirrorAnswers())) {
  test('a Python program: apt-get update and install in a Debian of mmdebstrap, from the network', async () => {
    await mustRun(['import', debianTar(), 'debian:12']);
    const directory = makeContext(scratch, { dockerfile: 'FROM debian:12 AS base\nENV DEBIAN_FRONTEND=noninteractive\nRUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get update -q && apt-get install -y -q --no-install-recommends python3-six && rm -rf /var/lib/apt/lists/*\nFROM base\nCMD ["python3", "-c", "import six; print(six.__version__)"]\n' });
    await mustRun(['build', '-t', 'apt:1', directory], { timeoutMs: TIMEOUT_MS });
    assert.match(await mustRun(['run', 'apt:1']), /^1\.\d+\.\d+\n$/);
    assert.equal(openStore(home).find('apt:1').config.diffIds.length, 2);
  });
}
