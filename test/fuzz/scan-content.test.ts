/** What an image's files may say to the analysers of content: anything. Bounded time, no exception, nothing kept that is large; and rules in YARA's language that are refused in one line. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contentAnalysers, misspellingOf, parseDigestList, parseMd5sums } from '../../src/scan/content/index.ts';
import { ScanInputError } from '../../src/scan/errors.ts';
import { readElf } from '../../src/scan/content/malware/elf.ts';
import { readPe } from '../../src/scan/content/malware/pe.ts';
import { YaraError, compileYara } from '../../src/scan/content/malware/yara/index.ts';
import { judgePam, judgeSudoers } from '../../src/scan/content/settings/login-files.ts';
import { capabilitiesOf } from '../../src/scan/content/settings/permissions.ts';
import { readSshdConfig } from '../../src/scan/content/settings/sshd-config.ts';
import { isPassword } from '../../src/scan/content/settings/crypt/index.ts';
import { judge, randomNumbers } from '../scan-content/testing.ts';

/** A case that takes longer is one that somebody could use; the machine may be busy. */
const MOST_MS = 4000;
const random = randomNumbers(20_261_201);
const pick = <Element>(list: readonly Element[]): Element => list[random(list.length)]!;
/** Without passwords, whose trying takes the time that it is given. */
const analysers = contentAnalysers({ passwordMilliseconds: 0 });

const WORDS = ['password', 'token=', 'secret: ', '"api_key": "', 'AKIA', 'ABCDEFGHIJKLMNOP', 'ghp_', 'eyJ', '.', 'eyJhbGciOiJIUzI1NiJ9', '-----BEGIN ', 'RSA ', 'PRIVATE KEY-----', '-----END ', 'PuTTY-User-Key-File-2: ', 'Encryption: none', '://', 'user:', 'pass@host', 'machine ', 'login ', ' ', '  ', '\t', '\n', '\n\n', '\r\n', '\0', '=', ':', ':=', '=>', '"', '\'', '\\', '\\"', '<', '>', '</password>', '{', '}', '[', ']', '(', ')', ',', ';', '#', '# ', '!', '$', '${', '$6$', '$y$j9T$', 'rounds=1000$', '*', 'root', 'ALL', 'ALL=(ALL) NOPASSWD: ALL', '%', 'Defaults ', 'env_keep', 'Match ', 'Include ', '/etc/ssh/*', 'PermitRootLogin yes', 'User a*,!b', 'auth sufficient ', 'pam_permit.so', 'nullok', 'host all all 0.0.0.0/0 trust', 'bind 0.0.0.0', 'requirepass ', 'net:\n  bindIp: ', 'loopback_users', '<user username="a" password="', 'bash -i >& /dev/tcp/', 'exec(', 'eval(', 'base64 -d', '|', 'sh', 'curl http://x', 'stratum+tcp://', 'xmrig', '<?php ', '$_POST[', '{"scripts": {"postinstall": "', '{"auths": {"a": {"auth": "', 'dXNlcjpwYXNz', '\x7fELF', 'MZ', '\xff', '\x80', 'é', '\u202e', '\x1b[31m', '1', '99999999999999999999', '-1', '0x', 'AAAA', 'ssh-rsa '];
const PATHS = ['app/x.py', 'app/.env', 'app/a.yml', 'app/a.json', 'root/.netrc', 'root/.pgpass', 'root/.aws/credentials', 'root/.npmrc', 'root/.docker/config.json', 'root/.kube/config', 'a.tfstate', 'etc/shadow', 'etc/passwd', 'etc/sudoers', 'etc/sudoers.d/x', 'etc/pam.d/x', 'etc/ssh/sshd_config', 'etc/ssh/sshd_config.d/a.conf', 'root/.ssh/authorized_keys', 'etc/redis.conf', 'a/pg_hba.conf', 'etc/mongod.conf', 'etc/rabbitmq/rabbitmq.conf', 'a/elasticsearch.yml', 'a/docker/daemon.json', 'a/tomcat-users.xml', 'a/jupyter_server_config.py', 'a/grafana.ini', 'a/wp-config.php', 'etc/cron.d/x', 'a/node_modules/b/package.json', 'a/setup.py', 'a/x.pth', 'a/extconf.rb', 'etc/ld.so.preload', 'usr/bin/x', 'tmp/x', 'x/site-packages/a-1.dist-info/METADATA'];
const YARA_WORDS = ['rule a ', 'rule b : tag ', '{', '}', 'meta:', 'strings:', 'condition:', ' x = "y" ', '$a', ' = ', '"text"', '"\\x00\\n"', '/re(g|x)+/', '/[a-z]{1,9}.*b/is', '{ 4D 5A ?? [1-4] ( 90 | 91 ) }', '{ 00 ?? ?? }', ' nocase', ' wide ascii', ' fullword', ' xor(1-9)', ' base64', ' private', 'any of them', 'all of ($a*)', '2 of them', '#a > 1', '@a[1]', '!a[2]', 'for any i in (1..9) : ( ', 'for all of them : ( $ )', 'for any s in elf.sections : ( ', 'filesize', ' == ', ' + ', ' \\ ', ' % ', ' << ', '0x10', '1KB', ' and ', ' or ', ' not ', '(', ')', 'uint32(', 'uint16be(0)', 'import "elf"\n', 'import "pe"\n', 'import "math"\n', 'elf.type', 'pe.sections[0].name', 'math.entropy(0, filesize)', 'true', 'entrypoint', 'include "x"', '/*', '*/', '// x\n', '"', '/', '$', '#', '@', 'defined ', 'global ', 'private ', '..', ',', ' in ', ' at ', ' contains ', ' matches /x/'];

const text = (words: readonly string[], most: number): string => Array.from({ length: 1 + random(most) }, () => pick(words)).join('');

/** Runs a case, and holds its time against the bound. */
function timed(name: string, run: () => void): void {
  const started = performance.now();
  run();
  const took = performance.now() - started;
  assert.ok(took < MOST_MS, `${name}: ${Math.round(took)} ms`);
}

test('analysers of content take any file', () => {
  for (let count = 0; count < 20_000; count++) {
    const [path, content] = [pick(PATHS), text(WORDS, 24)];
    timed(JSON.stringify({ path, content }), () => {
      for (const { finding } of judge([{ path, content: Buffer.from(content, random(2) === 0 ? 'latin1' : 'utf8') }], undefined, analysers)) assert.ok(finding.message.length < 600, finding.message);
    });
  }
});

test('readers of settings take any text', () => {
  for (let count = 0; count < 30_000; count++) {
    const content = text(WORDS, 16);
    timed(JSON.stringify(content), () => {
      judgeSudoers(content);
      judgePam(content, count % 2 === 0);
      const files = new Map([['/etc/ssh/sshd_config', content], ['/etc/ssh/a', content]]);
      readSshdConfig('/etc/ssh/sshd_config', { paths: [...files.keys()], text: (each) => files.get(each)! });
      capabilitiesOf(content);
      parseMd5sums(content, 'x');
      try {
        parseDigestList(content);
      } catch (error) {
        assert.ok(error instanceof ScanInputError);
      }
      parseDigestList(`${content}\n${'0'.repeat(64)}`);
      misspellingOf(pick(['npm', 'pypi', 'gem']), content);
    });
  }
});

test('isPassword() takes any hash', () => {
  const characters = './0123456789ABCDEFXYZabcdefxyz$,=_*!:\n';
  for (let count = 0; count < 8_000; count++) {
    const tail = Array.from({ length: random(30) }, () => characters[random(characters.length)]!).join('');
    const hash = `${pick(['', '$1$', '$5$rounds=1000$', '$6$rounds=1001$', '$y$', '$y$j/', '$y$j/../', '$2b$04$', '$2y$31$', '$gy$', '$7$', '_', 'ab'])}${tail}`;
    // A real hash of a thousand rounds takes its time: those that can be none are asked for often, the others now and then.
    if (/^\$[56]\$/.test(hash) && random(20) > 0) continue;
    if (/^\$(?:1|2b)\$/.test(hash) && random(10) > 0) continue;
    timed(hash, () => isPassword('password', hash));
  }
});

test('compileYara() takes any rules, or refuses them in one line', () => {
  let taken = 0;
  for (let count = 0; count < 25_000; count++) {
    const strings = text(YARA_WORDS, 5);
    const source = random(2) === 0 ? text(YARA_WORDS, 20) : `import "elf" import "pe" import "math" rule a { strings: $a = ${pick(['"x"', '/a+b/', '{ 41 ?? 42 }'])} $b = "yy" condition: ${random(3) === 0 ? strings : pick(['$a', '#a > 1', 'any of them', 'filesize > 2 and $a', 'for any i in (1..3) : ( @a[i] > 0 )'])} }`;
    timed(source, () => {
      try {
        compileYara(source).scan(Buffer.from(text(WORDS, 10), 'latin1'));
        taken++;
      } catch (error) {
        assert.ok(error instanceof YaraError && !error.message.includes('\n') && error.message.length < 500, `${source}\n${(error as Error).stack ?? ''}`);
      }
    });
  }
  assert.ok(taken > 5000, `${taken} were taken`);
});

test('readers of programs take any bytes', () => {
  const seed = readFileSync('/bin/true');
  const rules = compileYara('import "elf" import "pe" rule a { condition: elf.number_of_sections > 3 and for any s in elf.sections : ( s.name == ".text" ) } rule b { condition: pe.number_of_sections > 0 and pe.imports("a.dll", "b") or for any s in pe.sections : ( s.raw_data_size > 0 ) } rule c { condition: entrypoint > 0 and uint32(filesize - 4) > 0 and math.entropy(0, filesize) > 1 }'.replace('import "elf"', 'import "math" import "elf"'));
  for (let count = 0; count < 20_000; count++) {
    const bytes = Buffer.from(seed.subarray(0, 64 + random(1024)));
    if (count % 2 === 0) {
      bytes.write('MZ', 0, 'latin1');
      bytes.writeUInt32LE(random(8) === 0 ? random(0xffff_ffff) : 64, 60);
      if (bytes.length > 68) bytes.write('PE\0\0', 64, 'latin1');
    }
    for (let changes = random(12); changes > 0; changes--) bytes[random(Math.min(bytes.length, 400))] = random(4) === 0 ? 0xff : random(256);
    if (count % 2 !== 0) bytes.write('\x7fELF', 0, 'latin1');
    timed(bytes.toString('base64'), () => {
      readElf(bytes);
      readPe(bytes);
      if (count % 4 === 0) rules.scan(bytes);
    });
  }
});

test('large files that were made to hurt take bounded time', () => {
  const many = (word: string, size = 1 << 18): string => word.repeat(Math.ceil(size / word.length));
  const cases: readonly (readonly [string, string])[] = [
    ...['password=', 'pwd', '://', 'a://b:', 'eyJ', 'eyJa.eyJb.', '-----BEGIN PRIVATE KEY-----\n', 'AKIA', 'ghp_', '" \'', '\n', ' ', '\t\n', '{', '[', '\\', 'a'].map((word) => ['app/x.env', many(word)] as const),
    ...['/', ':', '\\:', ' '].map((word) => ['root/.pgpass', many(word)] as const),
    ['root/.netrc', many('password a ')], ['a.tfstate', `{"resources": ${'['.repeat(200_000)}`], ['a.tfstate', `{"resources": [${many('{"password":"aaaaaaa1"},')}1]}`], ['root/.docker/config.json', `{"auths": {${many('"a":{"auth":"eA=="},')}"b":1}}`],
    ['root/.kube/config', many('\n ')], ['etc/redis.conf', many('\n')], ['etc/redis.conf', many('user  ')], ['etc/mongod.conf', many(' ')], ['etc/mongod.conf', many(`${' '.repeat(4000)}#x\n`)], ['etc/mongod.conf', many('a:\n ')],
    ['etc/ssh/sshd_config', many(`${' '.repeat(60_000)}x\n`)], ['etc/ssh/sshd_config', many('Match User a\n')], ['etc/sudoers', many('a ALL=ALL,')], ['etc/sudoers', many('a ALL = \\\n')], ['etc/pam.d/x', many('auth [a=b ')], ['etc/shadow', many('a::\n')], ['etc/shadow', many('a:$1$a$aaaaaaaaaaaaaaaaaaaaaa:\n')], ['etc/passwd', many('a:x:0:0::/:/\n')], ['root/.ssh/authorized_keys', many('ssh-rsa AAAA')],
    ['a/tomcat-users.xml', many('<user ')], ['a/tomcat-users.xml', many('<!--')], ['etc/rabbitmq/rabbitmq.config', many('{loopback_users,')],
    ['app/x.sh', many('bash -i ')], ['app/x.sh', many('nc -e ')], ['app/x.sh', many('curl http://')], ['app/x.sh', many('echo aaaa')], ['app/x.sh', many('mkfifo a;')], ['app/x.php', many('<?eval(')], ['app/x.php', many('<?php eval(base64_decode("aaaa')], ['app/x.js', many('child_process ')], ['app/setup.py', many('setup( exec( urlopen(')], ['a/node_modules/b/package.json', many('"install": "curl ')], ['etc/cron.d/x', many('wget http://a ')], ['app/x.rb', many('TCPSocket.open(')], ['app/c.json', many('4A11')],
  ];
  for (const [path, content] of cases) timed(`${path} of ${JSON.stringify(content.slice(0, 40))}`, () => judge([{ path, content }], undefined, analysers));
});
