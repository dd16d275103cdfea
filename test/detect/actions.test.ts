/** Rules that act: before the call takes effect, and never after it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { caisson } from '../cli/caisson.ts';
import { Root, jsonLines, type JsonAlert } from './testing.ts';

const root = new Root();
after(() => root.remove());

const rule = (name: string, condition: string, more = ''): string => `- rule: ${name}\n  desc: ${name}\n  condition: ${condition}\n  output: "%evt.type %fd.name %proc.name"\n  priority: WARNING\n${more}`;

test('a rule that denies keeps a file from being made, and the caller gets its errno', async () => {
  const shared = root.file('shared');
  mkdirSync(shared);
  const rules = root.file('rules.yaml', rule('No evil', 'evt.type in (open, openat, creat, openat2) and fd.filename = evil', '  action: deny:EROFS\n'));
  const flags = ['-v', `${shared}:/shared:rw`, '--rules', rules];
  const { stdout, stderr, status } = await caisson(root.shell('deeds made /shared/evil; deeds made /shared/good; ln -s evil /shared/link; deeds made /shared/link', flags));
  // EROFS is 30; access(2) finds what was made.
  assert.equal(stdout, '30 -1\n0 0\n30 -1\n', stderr);
  assert.equal(status, 0);
  assert.deepEqual([existsSync(`${shared}/evil`), existsSync(`${shared}/good`)], [false, true], 'as the host sees it');
  assert.equal(stderr.split('\n').filter((line) => line.includes('[No evil; denied]')).length, 2);
});

test('a path that another process changes while it is opened is the one that was judged', async () => {
  const shared = root.file('flipped');
  mkdirSync(shared);
  const rules = root.file('rules.yaml', rule('No evil', 'evt.type in (open, openat) and fd.filename = evil'));
  const { stdout, stderr } = await caisson(root.shell('deeds flip /shared', ['-v', `${shared}:/shared:rw`, '--rules', rules, '--on-rule', 'deny:EACCES', '--alerts', '/dev/null']));
  assert.equal(stdout, 'both\n', stderr);
  assert.deepEqual([existsSync(`${shared}/evil`), existsSync(`${shared}/good`)], [false, true]);
});

test('of calls that destroy, none that is denied has an effect', async () => {
  const shared = root.file('kept');
  mkdirSync(shared);
  const rules = root.file('rules.yaml', rule('Keep', 'evt.type in (unlink, unlinkat, rename, renameat, renameat2, chmod, fchmodat, truncate, rmdir) and (fd.name startswith /shared/ or fs.path.source startswith /shared/)'));
  const script = 'echo text > /shared/file; mkdir /shared/directory; chmod 600 /shared/file; rm -f /shared/file; mv /shared/file /shared/other; rmdir /shared/directory; chmod 777 /shared/file; ls -l /shared | wc -l; cat /shared/file';
  const { stdout } = await caisson(root.shell(script, ['-v', `${shared}:/shared:rw`, '--rules', rules, '--on-rule', 'Keep=deny']));
  assert.equal(readFileSync(`${shared}/file`, 'utf8'), 'text\n');
  assert.deepEqual([existsSync(`${shared}/other`), existsSync(`${shared}/directory`)], [false, true]);
  assert.match(stdout, /text\n$/);
});

test('a program that is denied does not start, whichever way it is named', async () => {
  const rules = root.file('rules.yaml', rule('No id', 'evt.type in (execve, execveat) and proc.name = id'));
  const { stdout, status } = await caisson(root.shell('/bin/id -u; echo $?; cd /bin; ./id -u; echo $?; true', ['--rules', rules, '--on-rule', 'warning=deny:EACCES']));
  assert.equal(stdout, '126\n126\n');
  assert.equal(status, 0);
});

test('a rule that kills ends the process before the call, and no other', async () => {
  const rules = root.file('rules.yaml', rule('Kill', 'evt.type in (open, openat) and fd.name = /etc/shadow'));
  const { stdout } = await caisson(root.shell('(cat /etc/shadow; echo never); echo $?; cat /etc/hostname', ['--rules', rules, '--on-rule', 'kill']));
  assert.match(stdout, /^(?:never\n0|137)\nbox\n$/);
  assert.doesNotMatch(stdout, /root:/);
});

test('the first program itself can be kept from running', async () => {
  const rules = root.file('rules.yaml', rule('No shell', 'evt.type = execve and proc.name = sh'));
  const { stdout, status } = await caisson(root.shell('echo out', ['--rules', rules, '--on-rule', 'deny']));
  assert.deepEqual([stdout, status], ['', 137]);
});

test('a rule that records begins the stream, and what was before it is not in there', async () => {
  const rules = root.file('rules.yaml', rule('Begin', 'evt.type in (mkdir, mkdirat) and fd.name = /tmp/begin'));
  const events = root.file('events.json');
  await caisson(root.shell('mkdir /tmp/before; mkdir /tmp/begin; mkdir /tmp/behind', ['--rules', rules, '--on-rule', 'Begin=record', '--events', events]));
  const made = jsonLines<{ readonly type?: string; readonly file?: { readonly name: string } }>(events).filter(({ type }) => type?.startsWith('mkdir'));
  assert.deepEqual(made.map(({ file }) => file?.name), ['/tmp/begin', '/tmp/behind']);
});

test('alerts of a rule are bounded where that is asked for, and those left out are counted', async () => {
  const rules = root.file('rules.yaml', rule('Often', 'evt.type in (open, openat) and fd.name = /etc/hostname'));
  const alerts = root.file('alerts.json');
  const events = root.file('events.json');
  await caisson(root.shell('deeds many 2000', ['--rules', rules, '--alerts', alerts, '--alert-rate', '5', '--events', events]));
  const lines = jsonLines<JsonAlert>(alerts);
  const end = jsonLines<{ readonly caisson?: string; readonly alerts: number; readonly leftOut: number }>(events).find(({ caisson: kind }) => kind === 'end');
  assert.equal(end?.alerts, 2000);
  assert.equal(lines.length + (end?.leftOut ?? 0), 2000);
  assert.ok(lines.length < 2000);
});

const refused: readonly (readonly [flags: readonly string[], rules: string | undefined, message: RegExp])[] = [
  [['--rules', '/nowhere'], undefined, /cannot read the rules in "\/nowhere": ENOENT.* \(check --rules/],
  [[], rule('One', 'proc.nane = x'), /rules\.yaml:3:14: the rule "One": there is no field proc\.nane \(did you mean proc\.name\?\)/],
  [[], '- rule: Two\n  desc: >\n    more\n  condition: >\n    evt.type = open\n    and fd.name contians x\n  output: x\n  priority: INFO\n', /rules\.yaml:6:17: .*there is no operator contians \(did you mean contains\?\)/],
  [[], rule('Three', 'evt.type = open and (fd.name = x'), /rules\.yaml:3:\d+: .*"\)" should be here, and not the end/],
  [[], rule('Four', 'evt.type = open and not_there'), /there is no macro not_there/],
  [[], rule('Five', 'evt.rawres > many'), /evt\.rawres is a number, and "many" is none/],
  [[], rule('Six', 'proc.name regex "a+"'), /there is no operator regex \(a guest could make a regular expression explode/],
  [[], `- macro: a\n  condition: b\n- macro: b\n  condition: a\n${rule('Seven', 'a')}`, /the macro a contains itself: a, b, a/],
  [[], 'just text', /a file of rules is a list of items/],
  [[], '- rule: [', /this is no YAML/],
  [['--on-rule', 'explode'], rule('Eight', 'evt.type = open'), /there is no action "explode"/],
  [['--on-rule', 'Nime=deny'], rule('Nine', 'evt.type = open'), /there is no rule "Nime" \(did you mean "Nine"\?\)/],
  [['--on-rule', 'deny:EWRONG'], rule('Ten', 'evt.type = open'), /there is no error "EWRONG"/],
  [['--on-rule', 'pause'], rule('Eleven', 'evt.type = open'), /cannot pause a command of "caisson do"/],
  [['--on-rule', 'record'], rule('Twelve', 'evt.type = open'), /cannot record without a file \(add --events FILE\)/],
  [['--events', '/nowhere/at/all'], rule('Thirteen', 'evt.type = open'), /cannot write to "\/nowhere\/at\/all": ENOENT/],
];

test('what is wrong with rules is said in a line, with its place, before anything runs', async () => {
  for (const [flags, text, message] of refused) {
    const rules = text === undefined ? [] : ['--rules', root.file('rules.yaml', text)];
    const { stdout, stderr, status } = await caisson(root.shell('echo ran', [...rules, ...flags]));
    assert.match(stderr, message);
    assert.deepEqual([stdout, status, stderr.trimEnd().split('\n').length], ['', 125, 1], stderr);
  }
});
