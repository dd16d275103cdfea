/** Profiles: what was learned passes, and nothing else does. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type * as Api from '../../src/sandbox/index.ts';
import { caisson } from '../cli/caisson.ts';
import { testStore, until } from '../containers/testing.ts';
import { Root, jsonLines, type JsonAlert } from './testing.ts';

const { Sandbox } = (await import(new URL('../../dist/sandbox.mjs', import.meta.url).href)) as typeof Api;

const root = new Root();
const store = testStore();
const { mustRun, scratch } = store;
before(() => store.load());
after(async () => {
  await store.remove();
  root.remove();
});

/** A page of a server, with a hole in it: what is asked for is run. */
const PAGE = '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\neval "$(busybox httpd -d "$QUERY_STRING")"\n';

class Server {
  readonly #name: string;
  #address = '';

  constructor(name: string) {
    this.#name = name;
  }

  async start(...flags: readonly string[]): Promise<void> {
    const files = ['-v', `${join(scratch, 'www')}:/www:ro`, '-v', `${join(scratch, 'shadow')}:/etc/shadow:ro`];
    await mustRun(['run', '-d', '--name', this.#name, '-p', '0:80', ...files, ...flags, 'busybox:1', 'busybox', 'httpd', '-f', '-p', '80', '-h', '/www']);
    this.#address = `http://${(await mustRun(['port', this.#name, '80'])).split('\n')[0]!}`;
    await until(async () => (await this.get('/index.html')) === 'hello\n', 'it serves');
  }

  async get(path: string): Promise<string | undefined> {
    try {
      return await (await fetch(`${this.#address}${path}`)).text();
    } catch {
      return undefined;
    }
  }

  run(script: string): Promise<string | undefined> {
    return this.get(`/cgi-bin/page?${encodeURIComponent(script)}`);
  }

  async stop(): Promise<void> {
    await mustRun(['kill', this.#name]);
    await mustRun(['wait', this.#name]);
  }
}

test('a server that was learned serves as before, and what breaks into it starts no program, reads no secret and reaches nobody', async () => {
  mkdirSync(join(scratch, 'www/cgi-bin'), { recursive: true });
  writeFileSync(join(scratch, 'www/index.html'), 'hello\n');
  writeFileSync(join(scratch, 'www/cgi-bin/page'), PAGE);
  chmodSync(join(scratch, 'www/cgi-bin/page'), 0o755);
  writeFileSync(join(scratch, 'shadow'), 'root:secret\n');
  const [profile, alerts] = [join(scratch, 'web.yaml'), join(scratch, 'web.json')];
  const learned = new Server('learned');
  await learned.start('--learn', profile);
  assert.equal(await learned.run('echo fine'), 'fine\n');
  assert.equal(await learned.run('busybox nc -w 1 127.0.0.1 81; echo $?'), '1\n', 'nobody is there');
  assert.equal(await learned.run('cat /etc/shadow; sh -c "echo broken"'), 'root:secret\nbroken\n', 'it is broken indeed');
  await learned.stop();
  // What the intruder did was learned as well: here the lines are taken out that a reader would not let pass.
  const text = readFileSync(profile, 'utf8');
  const reviewed = text.replace(/ {2}- \/etc\/shadow\n/, '').replace(/ {2}- \/bin\/sh\n/, '');
  assert.equal(reviewed.split('\n').length, text.split('\n').length - 2, text);
  writeFileSync(profile, reviewed);
  const held = new Server('held');
  await held.start('--profile', profile, '--alerts', alerts);
  assert.equal(await held.run('echo fine'), 'fine\n');
  assert.equal(await held.run('cat /etc/shadow; echo $?'), '1\n');
  assert.equal(await held.run('sh -c "echo broken"; echo $?'), '126\n');
  assert.equal(await held.run('busybox sh -c "echo broken"; echo $?'), '126\n');
  assert.equal(await held.run('busybox nc -w 1 10.9.8.7 80; echo $?'), '1\n');
  assert.equal(await held.run('echo x > /www/x; echo y > /tmp/y; ls /nothing; echo $?'), '1\n');
  assert.equal(await held.get('/index.html'), 'hello\n');
  await held.stop();
  const lines = jsonLines<JsonAlert>(alerts).map(({ rule, action, output_fields: fields }) => [rule, action, fields['profile.section'], fields['profile.line']]);
  const told = (section: string, line: string): void => assert.ok(lines.some((each) => each.join() === ['Not in the profile', 'deny', section, line].join()), `${section} ${line} of ${JSON.stringify(lines)}`);
  told('read', '/etc/shadow');
  told('programs', '/bin/sh');
  told('programs', '/bin/busybox (sh)');
  told('write', '/tmp/y');
  told('connect', 'tcp 10.9.8.7:80');
});

const profileOf = async (script: string, ...flags: readonly string[]): Promise<string> => {
  const path = root.file('profile.yaml');
  const { status, stderr } = await caisson(root.shell(script, ['--learn', path, ...flags]));
  assert.equal(status, 0, stderr);
  return path;
};

interface ShownProfile extends Readonly<Record<string, readonly string[] | undefined>> {
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly programs: readonly string[];
  readonly connect: readonly string[];
}

async function shown(path: string): Promise<ShownProfile & { readonly runs: number }> {
  return JSON.parse((await caisson(['events', '--profile', path, '--format', 'json'])).stdout) as ShownProfile & { readonly runs: number };
}

test('a profile is the same for the same run, and another run adds to it', async () => {
  const script = 'cat /etc/hostname; echo x > /tmp/a$$; cat /proc/$$/status > /dev/null';
  const path = await profileOf(script);
  const first = readFileSync(path, 'utf8');
  await caisson(root.shell(script, ['--learn', path]));
  assert.equal(readFileSync(path, 'utf8'), first.replace('runs: 1', 'runs: 2'));
  await caisson(root.shell('cat /etc/passwd', ['--learn', path]));
  const { runs, read, write } = await shown(path);
  assert.deepEqual([runs, read, write], [3, ['/dev/null', '/etc/hostname', '/etc/passwd', '/proc/@{pid}/status'].filter((line) => read.includes(line) || line !== '/dev/null'), ['/dev/null', '/tmp/**']]);
});

test('many files of a directory become a pattern, and never where secrets lie beside them', async () => {
  const many = (directory: string): string => `mkdir -p ${directory}; for name in 1 2 3 4 5 6 7 8 9; do echo x > ${directory}/$name; done; `;
  const { write } = await shown(await profileOf(`${many('/srv/data')}${many('/etc')}${many('/root/.ssh')}`));
  assert.ok(write.includes('/srv/data/*'));
  assert.ok(write.includes('/etc/9') && write.includes('/root/.ssh/9'));
  assert.ok(!write.some((line) => /^\/(?:etc|root).*\*/.test(line)));
});

test('what a file is called makes a profile neither wider nor unreadable, and no terminal sees it', async () => {
  const path = await profileOf('exec 2> /dev/null; cd /etc; for name in "*" "a\x1b[31mb" "c\nd: [" "e\u202ef" "g{{{{,,,," "h\x9bi" "@{pid}" "\\\\"; do echo x > "$name"; done; printf x > "$(printf "j\\377")"');
  const text = readFileSync(path, 'utf8');
  assert.doesNotMatch(text, /[^\n -~]/);
  const held = (name: string): Promise<{ readonly stdout: string }> => caisson(root.shell(`exec 2> /dev/null; cd /etc; for name in ${name}; do echo x > "$name" && echo made || echo refused; done; printf x > "$(printf "j\\377")" && echo made`, ['--profile', path, '--alerts', '/dev/null']));
  assert.equal((await held('"*" "a\x1b[31mb" "c\nd: [" "\\\\" "@{pid}" "other" "7" "j"')).stdout, 'made\nmade\nmade\nmade\nmade\nrefused\nrefused\nrefused\nmade\n');
});

test('links and other names lead to no file that is not in the profile, and one that is not there is not there', async () => {
  const path = await profileOf('cat /etc/hostname; echo x > /tmp/x; ln -s a /tmp/l; mv /tmp/x /tmp/y; ln /tmp/y /tmp/z; rm /tmp/y /tmp/l; cat /etc/nothing; cat /tmp/z; true');
  const script = 'cat /etc/hostname; ln -s /etc/shadow /tmp/s; cat /tmp/s; ln /etc/shadow /tmp/h; cat /tmp/h; mv /etc/shadow /tmp/m; cat /tmp/m; cat /proc/self/root/etc/shadow; cat /etc/nothing; rm /etc/passwd; echo done';
  const { stdout, stderr } = await caisson(root.shell(script, ['--profile', path, '--alerts', '/dev/null']));
  assert.equal(stdout, 'box\ndone\n', stderr);
  assert.match(stderr, /can't open '\/etc\/nothing': No such file/);
  assert.match(stderr, /refused \d+ calls/);
});

test('datagrams go where the profile says, by whichever call', async () => {
  const all = '/bin/deeds tell sendto 10.9.8.7; /bin/deeds tell sendmsg 10.9.8.7; /bin/deeds tell sendmmsg 10.9.8.7';
  const path = await profileOf(all, '--net', 'outbound', '--allow-net', '10.9.8.7:5300');
  assert.deepEqual((await shown(path)).connect, ['udp 10.9.8.7:5300']);
  const script = `${all.replaceAll('10.9.8.7', '10.9.8.8')}; /bin/deeds tell sendmmsg 10.9.8.8 10.9.8.7; ${all}`;
  const { stdout, stderr } = await caisson(root.shell(script, ['--profile', path, '--net', 'outbound', '--allow-net', '10.9.8.7:5300', '--alerts', '/dev/null']));
  assert.equal(stdout, '13\n13\n13\n13\n0\n0\n0\n', stderr);
});

test('calls that are not in the profile are refused, also those that are no events', async () => {
  const path = await profileOf('cat /etc/hostname; id -u');
  const { stdout } = await caisson(root.shell('cat /etc/hostname; id -u; mkdir /tmp/d 2> /dev/null; echo $?', ['--profile', path, '--alerts', '/dev/null']));
  assert.equal(stdout, 'box\n0\n1\n');
  const filter = JSON.parse((await caisson(['events', '--profile', path, '--format', 'seccomp'])).stdout) as { readonly defaultAction: string; readonly architectures: readonly string[]; readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[] };
  const [allowed] = filter.syscalls;
  assert.deepEqual([filter.defaultAction, filter.architectures, allowed?.action], ['SCMP_ACT_ERRNO', ['SCMP_ARCH_X86_64'], 'SCMP_ACT_ALLOW']);
  assert.ok(['execve', 'exit_group', 'getuid', 'openat'].every((name) => allowed?.names.includes(name) === true));
  assert.ok(!allowed?.names.includes('mkdir'));
});

test('capabilities that allowed something are learned, and the others are gone', async () => {
  const change = 'chown 33:33 /srv/junk';
  const path = await profileOf(`cat /etc/hostname; ${change}; cat /proc/self/status > /dev/null`);
  const { capabilities } = await shown(path);
  assert.deepEqual(capabilities, ['CAP_CHOWN']);
  const { stdout } = await caisson(root.shell(`${change}; echo $?; grep CapEff /proc/self/status`, ['--profile', path, '--alerts', '/dev/null']));
  assert.match(stdout, /^0\n(?:CapEff:\t0000000000000001\n)?$/);
  writeFileSync(path, readFileSync(path, 'utf8').replace('capabilities:\n  - CAP_CHOWN\n', 'capabilities: []\n'));
  assert.equal((await caisson(root.shell(`${change} 2> /dev/null; echo $?`, ['--profile', path, '--alerts', '/dev/null']))).stdout, '1\n');
  const complained = await caisson(root.shell(`${change}; echo $?`, ['--profile', path, '--profile-mode', 'complain', '--alerts', '/dev/null']));
  assert.equal(complained.stdout, '0\n');
  assert.match(complained.stderr, /would have taken away CAP_CHOWN, which was used/);
});

test('to complain is to tell each kind once, and to refuse nothing', async () => {
  const path = await profileOf('cat /etc/hostname');
  const { stdout, stderr } = await caisson(root.shell('cat /etc/hostname; cat /etc/passwd | wc -l; cat /etc/passwd | wc -l', ['--profile', path, '--profile-mode', 'complain']));
  assert.equal(stdout, 'box\n3\n3\n');
  assert.equal(stderr.split('\n').filter((line) => line.includes('wanted to read /etc/passwd, which the profile does not have')).length, 1, stderr);
  assert.match(stderr, /would have refused \d+ calls/);
});

test('a recorded stream makes a profile, and is held against one', async () => {
  const events = root.file('events.json');
  const learned = await profileOf('cat /etc/hostname; echo x > /srv/made', '--events', events);
  const path = root.file('profile.yaml');
  assert.equal((await caisson(['events', '--replay', events, '--learn', path])).status, 0);
  const [own, streamed] = [await shown(learned), await shown(path)];
  assert.deepEqual({ ...streamed, calls: undefined, capabilities: undefined }, { ...own, calls: undefined, capabilities: undefined });
  assert.equal(streamed['calls'], undefined);
  const quiet = await caisson(['events', '--replay', events, '--profile', path]);
  assert.equal(quiet.stdout, '');
  writeFileSync(path, readFileSync(path, 'utf8').replace('  - /srv/made\n', '  - /srv/other\n'));
  const { stdout, stderr } = await caisson(['events', '--replay', events, '--profile', path]);
  assert.match(stdout, /^.* Warning: sh wanted to write or change \/srv\/made, which .*; "- \/srv\/made" in its section write allows it \[Not in the profile; denied\]\n$/, stderr);
});

test('Sandbox.create() with a profile refuses the rest, and tells of it', async () => {
  const path = await profileOf('cat /etc/hostname; cat /etc/nothing; true');
  const told: string[] = [];
  await using sandbox = await Sandbox.create({
    root: root.root, user: { uid: 0, gid: 0, groups: [] }, env: { PATH: '/bin' }, watch: { profile: readFileSync(path, 'utf8'), onAlert: ({ fields }) => told.push(String(fields['profile.line'])) },
  });
  const { stderr, exitCode } = await sandbox.commands.run('cat /etc/hostname; cat /etc/passwd');
  assert.match(stderr, /Permission denied/, `${exitCode} ${told.join()}`);
  assert.ok(told.includes('/etc/passwd'), told.join());
});

const HEAD = 'caisson: profile\nversion: 1\n';
const refused: readonly (readonly [text: string, message: RegExp])[] = [
  ['text', /this is no profile \(/], ['a: [', /cannot use the profile: /], [`${HEAD}reed: []\n`, /a profile has no "reed"/], ['caisson: profile\nversion: 9\n', /it has version 9, and this is for version 1/],
  [`${HEAD}read: /x\n`, /read is no list/], [`${HEAD}read: [etc]\n`, /line 1 of read, "etc": it does not begin with \//], [`${HEAD}read: [/**/x]\n`, /\*\* is at its end only/], [`${HEAD}calls: [opn]\n`, /line 1 of calls, "opn": there is no such call: did you mean open\?/],
  [`${HEAD}connect: [example.com]\n`, /line 1 of connect, "example\.com": write such as "tcp 10\.0\.0\.2:443"/], [`${HEAD}read: [1]\n`, /line 1 of read is no text/],
];

test('what is wrong with a profile is said in a line, before anything runs', async () => {
  const settings: (readonly [flags: readonly string[], message: RegExp])[] = refused.map(([text, message]) => [['--profile', root.file('p.yaml', text)], message]);
  settings.push([['--profile', '/nowhere'], /cannot read the profile "\/nowhere": ENOENT/], [['--profile-mode', 'complain'], /cannot use --profile-mode without a profile/], [['--learn', '/nowhere/p.yaml'], /cannot write the profile "\/nowhere\/p\.yaml": ENOENT/], [['--learn', root.file('p.yaml', 'x')], /cannot use the profile: .*this is no profile/]);
  for (const [flags, message] of settings) {
    const { stdout, stderr, status } = await caisson(root.shell('echo ran', flags));
    assert.match(stderr, message);
    assert.deepEqual([stdout, status, stderr.trimEnd().split('\n').length], ['', 125, 1], stderr);
  }
});
