/** Configurations of sshd, as sshd itself reads them: `sshd -T` answers what holds. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readSshdConfig, wordsOf } from '../../src/scan/content/settings/sshd-config.ts';
import { randomNumbers } from './testing.ts';

const directory = mkdtempSync(join(tmpdir(), 'caisson-sshd-'));
const NOBODY = 65534;
const asRoot = process.getuid?.() === 0;
after(() => rmSync(directory, { recursive: true, force: true }));

/** sshd as root wants a directory of its own in /run; as anybody else it does not. */
before(() => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'key')]);
  mkdirSync(join(directory, 'd'));
  chmodSync(directory, 0o755);
  if (asRoot) for (const name of ['', 'd', 'key', 'key.pub']) chownSync(join(directory, name), NOBODY, NOBODY);
});

const CONNECTION = { user: 'alice', host: 'client.corp', address: '10.1.2.3' };

/** What sshd says, by keyword; undefined where it refuses the file. */
function asked(config: string, included: Readonly<Record<string, string>>): ReadonlyMap<string, string> | string {
  for (const name of readdirSync(join(directory, 'd'))) rmSync(join(directory, 'd', name));
  for (const [name, text] of Object.entries(included)) writeFileSync(join(directory, 'd', name), text);
  writeFileSync(join(directory, 'config'), config);
  const { status, stdout, stderr } = spawnSync('/usr/sbin/sshd', ['-T', '-f', join(directory, 'config'), '-C', `user=${CONNECTION.user},host=${CONNECTION.host},addr=${CONNECTION.address}`], { encoding: 'utf8', ...(asRoot && { uid: NOBODY, gid: NOBODY }) });
  if (status !== 0) return stderr;
  return new Map(stdout.split('\n').map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]));
}

function ours(config: string, included: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const files = new Map([[join(directory, 'config'), config], ...Object.entries(included).map(([name, text]) => [join(directory, 'd', name), text] as const)]);
  const { settings } = readSshdConfig(join(directory, 'config'), { paths: [...files.keys()], text: (path) => files.get(path)! }, CONNECTION);
  return new Map([...settings].map(([keyword, { value }]) => [keyword, value]));
}

const FLAGS = ['PasswordAuthentication', 'PermitEmptyPasswords', 'PubkeyAuthentication', 'X11Forwarding', 'AllowAgentForwarding', 'PermitTTY', 'KbdInteractiveAuthentication', 'PermitUserRC', 'PermitRootLogin', 'GatewayPorts', 'HostbasedAuthentication'] as const;
const GLOBAL_FLAGS = ['StrictModes', 'TCPKeepAlive', 'PrintMotd', 'UseDNS', 'IgnoreRhosts', 'PermitUserEnvironment'] as const;
const NUMBERS = ['MaxAuthTries', 'MaxSessions', 'ClientAliveInterval', 'ClientAliveCountMax'] as const;
const CRITERIA = ['User alice', 'User bob', 'user a*,!alice', 'User "alice"', 'Host *.corp', 'Host other', 'Address 10.1.*', 'Address 192.168.*', 'User alice Host client.*', 'User alice Address 11.*', 'all', 'All'];

function randomConfig(random: (below: number) => number): { readonly config: string; readonly included: Readonly<Record<string, string>> } {
  const pick = <Element>(list: readonly Element[]): Element => list[random(list.length)]!;
  const spelled = (keyword: string): string => pick([keyword, keyword.toLowerCase(), keyword.toUpperCase()]);
  const line = (inMatch: boolean): string => {
    const kind = random(10);
    const keyword = kind < 6 || inMatch ? pick(FLAGS) : kind < 8 ? pick(GLOBAL_FLAGS) : pick(NUMBERS);
    const value = (NUMBERS as readonly string[]).includes(keyword) ? String(1 + random(9)) : pick(['yes', 'no']);
    const separator = pick([' ', '\t', '  ', '=', ' = ', ' =']);
    return `${pick(['', '', ' ', '\t'])}${spelled(keyword)}${separator}${pick([value, value, `"${value}"`])}${pick(['', '', ' # comment', ' ', '\t'])}`;
  };
  const part = (depth: number): string => {
    let inMatch = false;
    return Array.from({ length: 2 + random(8) }, () => {
      const kind = random(12);
      if (kind === 0) return `# ${line(false)}`;
      if (kind === 1) return '';
      if (kind === 2 && depth === 0) return `Include ${join(directory, 'd')}/${pick(['*.conf', 'a*', '[ab].conf', 'none*.conf', 'b.conf', '?.conf'])}`;
      if (kind === 3) {
        inMatch = true;
        return `Match ${pick(CRITERIA)}`;
      }
      return line(inMatch);
    }).join('\n');
  };
  const included = Object.fromEntries(['a.conf', 'b.conf', 'ab.conf', '.hidden.conf', 'c.bak'].filter(() => random(2) === 0).map((name) => [name, `${part(1)}\n`]));
  // In an included file only what may stand in a Match, as the file may be included in one.
  const safe = Object.fromEntries(Object.entries(included).map(([name, text]) => [name, text.split('\n').filter((each) => ![...GLOBAL_FLAGS, ...NUMBERS].some((keyword) => each.toLowerCase().includes(keyword.toLowerCase()))).join('\n')]));
  return { config: `HostKey ${join(directory, 'key')}\n${part(0)}\n`, included: safe };
}

test('readSshdConfig() agrees with sshd -T on random configurations', () => {
  const random = randomNumbers(11);
  const defaults = asked(`HostKey ${join(directory, 'key')}\n`, {});
  assert.ok(typeof defaults !== 'string', String(defaults));
  let compared = 0;
  for (let count = 0; count < 150; count++) {
    const { config, included } = randomConfig(random);
    const expected = asked(config, included);
    if (typeof expected === 'string') continue;
    const found = ours(config, included);
    for (const keyword of [...FLAGS, ...GLOBAL_FLAGS, ...NUMBERS].map((name) => name.toLowerCase())) {
      assert.equal(found.get(keyword) ?? defaults.get(keyword), expected.get(keyword), `${keyword} in\n${config}\n${JSON.stringify(included, undefined, 1)}`);
    }
    compared++;
  }
  assert.ok(compared > 100, `${compared} configurations`);
});

test('readSshdConfig() reads the configuration that Debian ships', () => {
  const text = readFileSync('/usr/share/openssh/sshd_config', 'utf8').replace(/^Include.*$/m, '');
  const config = `HostKey ${join(directory, 'key')}\n${text}`;
  const [expected, found] = [asked(config, {}), ours(config, {})];
  assert.ok(typeof expected !== 'string', String(expected));
  for (const keyword of ['kbdinteractiveauthentication', 'usepam', 'x11forwarding', 'printmotd']) assert.equal(found.get(keyword), expected.get(keyword));
});

test('wordsOf() keeps what is quoted together', () => {
  assert.deepEqual(wordsOf('AllowUsers "a b" c\\"d \'e\' # f'), ['AllowUsers', 'a b', 'c"d', 'e']);
  assert.equal(wordsOf('Banner "no end'), undefined);
  assert.deepEqual(wordsOf('  # nothing'), []);
});

test('readSshdConfig() bounds files that include each other', () => {
  const files = new Map([['/etc/ssh/sshd_config', 'Include *\nPort 22\nInclude *\n'], ['/etc/ssh/other', 'Include *\nInclude *\n']]);
  const config = readSshdConfig('/etc/ssh/sshd_config', { paths: [...files.keys()], text: (path) => files.get(path)! });
  assert.equal(config.settings.get('port')?.value, '22');
});
