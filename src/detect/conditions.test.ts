import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SystemEvent } from '../kernel/watch/types.ts';
import { Detector, type Alert } from './detector.ts';
import { eventLine, headerLine, readEvent } from './event-json.ts';
import { replay } from './replay.ts';
import { compileGlob } from './condition/glob.ts';
import { readRules } from './rules/rule-set.ts';
import { NO_CONTAINER } from './subject.ts';
import { RulesYaml } from './yaml-rules.ts';
import { toBytes, toText } from './text.ts';

const program = (name: string, args: readonly string[], parent?: SystemEvent['program']): SystemEvent['program'] => ({
  pid: 7, virtualPid: 7, name, exe: name, exePath: `/bin/${name}`, arguments: args, commandLine: [name, ...args].join(' '), inUpperLayer: false, fromMemory: false, parent,
});

const OPEN: SystemEvent = {
  number: 3, seconds: 1_790_000_000, nanoseconds: 5, type: 'openat', result: 4, tid: 7, session: 7, processGroup: 7, terminal: 0, uid: 0, gid: 0, cwd: '/root', source: undefined, target: undefined, openFlags: 0o1101,
  program: program('cat', ['-n', 'File'], program('sh', [], program('sshd', []))),
  file: { number: 4, type: 'file', name: '/etc/ssh/key', otherName: '/link/key', givenName: '../link/key', protocol: undefined, localAddress: undefined, localPort: undefined, remoteAddress: undefined, remotePort: undefined, isServer: false },
  arguments: new Map<string, string | number>([['dirfd', -100], ['name', '../link/key'], ['flags', 'O_WRONLY|O_CREAT|O_TRUNC']]),
};
const CONNECT: SystemEvent = {
  ...OPEN, type: 'connect', result: -115, openFlags: undefined, arguments: new Map(), file: {
    number: 5, type: 'ipv4', name: '10.0.0.2:4000->192.168.7.1:443', otherName: undefined, givenName: undefined, protocol: 'tcp', localAddress: '10.0.0.2', localPort: 4000, remoteAddress: '192.168.7.1', remotePort: 443, isServer: false,
  },
};

function rulesOf(condition: string, more = ''): string {
  return `- rule: R\n  desc: d\n  condition: ${JSON.stringify(condition)}\n  output: "%proc.name %fd.name %proc.aname[2] %fd.rport"\n  priority: INFO\n${more}`;
}

function alertsOf(event: SystemEvent, ...texts: readonly string[]): readonly Alert[] {
  const alerts: Alert[] = [];
  const { rules } = readRules(texts.map((text, index) => new RulesYaml(`${index}.yaml`, text)));
  const detector = new Detector({ container: { ...NO_CONTAINER, userNames: new Map([[0, 'root']]) }, rules, onAlert: (alert) => alerts.push(alert) > 0 });
  detector.happened(event);
  return alerts;
}

const fires = (event: SystemEvent, condition: string): boolean => alertsOf(event, rulesOf(condition)).length > 0;

test('compileCondition() answers as Falco does when operators and fields meet an event', () => {
  const of: readonly (readonly [SystemEvent, string, boolean])[] = [
    [OPEN, 'evt.type = openat', true], [OPEN, 'evt.type=open or evt.type=openat', true], [OPEN, 'evt.type!=openat', false], [OPEN, 'not evt.type in (open, creat)', true], [OPEN, 'evt.dir=<', true], [OPEN, 'evt.dir=>', false],
    [OPEN, 'evt.is_open_write=true and evt.is_open_create=true and not evt.is_open_read=true', true], [CONNECT, 'evt.is_open_write=false', false], [OPEN, 'evt.rawres >= 0 and evt.rawres<5', true], [CONNECT, 'evt.res=EINPROGRESS and evt.failed=true', true],
    [OPEN, 'fd.name contains ssh', true], [OPEN, 'fd.name icontains SSH', true], [OPEN, 'fd.name startswith /etc/ and fd.name endswith key', true], [OPEN, 'fd.name glob "/etc/*/k?[x-z]"', true], [OPEN, 'fd.name glob /etc/*/K*', false], [OPEN, 'fd.name iglob /ETC/*', true],
    [OPEN, 'fd.name pmatch (/var, /etc/ssh)', true], [OPEN, 'fd.name pmatch (/et, /etc/ss)', false], [OPEN, 'fd.directory = /etc/ssh and fd.filename=key', true], [OPEN, 'fd.nameraw startswith ..', true], [OPEN, 'evt.arg.flags contains O_TRUNC', true], [OPEN, 'evt.arg[2] contains O_TRUNC', true], [OPEN, 'evt.arg.nothing exists', false],
    [OPEN, 'fd.name = /link/key', true], [OPEN, 'fd.sport exists', false], [OPEN, 'fd.sport != 443', false], [OPEN, 'not fd.sport = 443', true],
    [OPEN, 'proc.aname = sshd', true], [OPEN, 'proc.aname[1] = sshd', false], [OPEN, 'proc.aname[2] = sshd', true], [OPEN, 'proc.aname in (init, sshd)', true], [OPEN, 'proc.aname intersects (init, sh)', true], [OPEN, 'proc.aname[3] exists', false], [OPEN, 'proc.pname=sh and proc.args="-n File" and proc.cmdline = "cat -n File"', true],
    [OPEN, 'user.name=root and user.uid=0 and proc.tty = 0', true], [OPEN, "tolower(proc.args) contains 'file' and len(proc.name)=3 and basename(proc.exepath)=cat", true],
    [CONNECT, 'fd.sip=192.168.7.1 and fd.cip=10.0.0.2 and fd.sport=443 and fd.lport=4000 and fd.l4proto=tcp', true], [CONNECT, 'fd.snet in ("192.168.0.0/16", "172.16.0.0/12")', true], [CONNECT, 'fd.snet = "10.0.0.0/8"', false], [CONNECT, 'fd.net = "10.0.0.0/8"', true], [CONNECT, 'fd.port = 4000', true],
  ];
  for (const [event, condition, wanted] of of) assert.equal(fires(event, condition), wanted, condition);
});

test('readRules() finds the calls of a rule: those that are made all the time where it names them', () => {
  for (const [condition, wanted] of [
    ['evt.type in (unlink, unlinkat, rmdir, rename, renameat, renameat2, mkdir, kill)', true], ['evt.type = kill or proc.name = x', true], ['evt.type startswith kil', true], ['proc.name = x', false], ['evt.type != open', false],
  ] as const) assert.equal(readRules([new RulesYaml('x', rulesOf(condition))]).rules[0]?.condition.calls.has('kill'), wanted, condition);
});

test('readRules() joins lists, macros, exceptions, append and override when files follow each other', () => {
  const lists = '- list: shells\n  items: [bash, sh]\n- list: readers\n  items: [shells, cat]\n- macro: reader\n  condition: proc.name in (readers)\n';
  const base = `${lists}${rulesOf('evt.type=openat and reader', '  exceptions:\n    - name: pairs\n      fields: [proc.name, fd.name]\n      comps: [=, startswith]\n    - name: names\n      fields: proc.name\n')}`;
  assert.equal(alertsOf(OPEN, base).length, 1);
  assert.equal(alertsOf(OPEN, base, '- rule: R\n  exceptions:\n    - name: pairs\n      values:\n        - [cat, /etc]\n  override:\n    exceptions: append\n').length, 0);
  assert.equal(alertsOf(OPEN, base, '- rule: R\n  exceptions:\n    - name: pairs\n      values:\n        - [cat, /var]\n    - name: names\n      values: [dog]\n  append: true\n').length, 1);
  assert.equal(alertsOf(OPEN, base, '- rule: R\n  exceptions:\n    - name: names\n      values: [dog, cat]\n  append: true\n').length, 0);
  assert.equal(alertsOf(OPEN, base, '- rule: R\n  condition: and proc.name != cat\n  append: true\n').length, 0);
  assert.equal(alertsOf(OPEN, base, '- rule: R\n  enabled: false\n').length, 0);
  assert.equal(alertsOf(OPEN, base, '- list: readers\n  items: [dog]\n').length, 0);
  assert.equal(alertsOf({ ...OPEN, program: program('dog', []) }, base, '- list: readers\n  items: [dog]\n  override:\n    items: append\n').length, 1);
  assert.equal(alertsOf(OPEN, base, '- macro: reader\n  condition: or proc.name = none\n  append: true\n- rule: R\n  priority: CRITICAL\n  override:\n    priority: replace\n')[0]?.priority, 'Critical');
  assert.equal(alertsOf(OPEN, base)[0]?.output, 'cat /etc/ssh/key sshd <NA>');
});

test('readRules() refuses what would cost too much when macros double', () => {
  const macros = Array.from({ length: 40 }, (_, index) => `- macro: m${index + 1}\n  condition: m${index} and m${index}\n`).join('');
  assert.throws(() => readRules([new RulesYaml('x', `- macro: m0\n  condition: evt.type=open\n${macros}${rulesOf('m40')}`)]), /more than 20000 parts/);
  assert.throws(() => readRules([new RulesYaml('x', rulesOf(`${'('.repeat(500)}evt.type=open${')'.repeat(500)}`))]), /nested more than 100 deep/);
  assert.throws(() => readRules([new RulesYaml('x', '['.repeat(5000))]), /brackets are open at once/);
});

test('compileGlob() takes no more than the product of both lengths when stars follow each other', () => {
  assert.equal(compileGlob('*a*a*a*a*a*a*a*a*b')('a'.repeat(20_000)), false);
  assert.deepEqual(['ab', 'a\\b', 'ac', ''].map(compileGlob('a[!c-z]')), [true, false, false, false]);
});

test('eventLine() and readEvent() give an event back, also where bytes are no text', () => {
  const event: SystemEvent = { ...OPEN, file: { ...OPEN.file!, name: '/tmp/\xff\xc3\xa9\n"' } };
  assert.equal(toText('\xff\xc3\xa9'), '\udcffé');
  assert.equal(toBytes('\udcffé'), '\xff\xc3\xa9');
  assert.deepEqual(readEvent(eventLine(event)), event);
  assert.deepEqual(readEvent(eventLine(CONNECT)), { ...CONNECT, file: { ...CONNECT.file, givenName: CONNECT.file?.name } });
});

test('replay() tells each alert of its own container when a file has several runs', async () => {
  const { rules } = readRules([new RulesYaml('x', rulesOf('proc.name = cat'))]);
  async function* lines(): AsyncGenerator<string> {
    for (const name of ['one', 'two']) yield* [headerLine({ ...NO_CONTAINER, name }), eventLine(OPEN)].map((line) => line.trimEnd());
  }
  const names: string[] = [];
  const { events, fired } = await replay('x', lines(), { rules, onAlert: ({ container }) => names.push(container.name) > 0 });
  assert.deepEqual([names, events, fired.get('R')], [['one', 'two'], 2, 2]);
});
