/** Rules about what happens after something else: each alerts when it does, and stays quiet when only the like of it does. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { readRuleFiles } from '../../src/detect/index.ts';
import { caisson } from '../cli/caisson.ts';
import { alertsOf } from './alerts-of.ts';
import type { Deed } from './deeds.ts';
import { Root, jsonLines, type JsonAlert } from './testing.ts';

const root = new Root();
after(() => root.remove());

const WRITTEN = 'Written file executed';
const DEEDS: readonly Deed[] = [
  { rule: 'Fetched file executed', does: '/srv/curl /bin/deeds /tmp/s1; chmod +x /tmp/s1; /tmp/s1 nothing', like: '/srv/curl /bin/deeds /tmp/s2; cat /tmp/s2 > /dev/null; deeds nothing' },
  { rule: WRITTEN, does: 'cp /bin/deeds /tmp/s3; /tmp/s3 nothing', like: 'cp /bin/deeds /tmp/s4; deeds nothing' },
  { rule: WRITTEN, does: 'cp /bin/deeds /tmp/s5; ln -s s5 /tmp/s6; sh -c "/tmp/s6 nothing"', like: 'ln -s /bin/deeds /tmp/s7; /tmp/s7 nothing' },
  { rule: 'Secret read before a connection', does: 'cat /etc/shadow; deeds connect $ADDRESS 1080', like: 'deeds connect $ADDRESS 1081; cat /etc/shadow' },
  { rule: 'Secret read before a connection', does: 'cat /etc/shadow | sh -c "read line; deeds connect $ADDRESS 1082"', like: 'cat /etc/hostname | deeds connect $ADDRESS 1083; cat /etc/shadow; deeds connect 127.0.0.1 1084' },
  { rule: 'Identity changed after ptrace', does: 'deeds attach; deeds faults', like: 'deeds faults; deeds attach' },
  { rule: 'Shell of a server connects', does: '/srv/nginx -c "deeds connect $ADDRESS 1085; true"', like: '/srv/worker -c "deeds connect $ADDRESS 1086; true"; /srv/nginx -c "true; true"' },
  { rule: 'Many connections refused', does: 'deeds knock 10', like: 'deeds knock 9' },
  { rule: 'Program removed after its start', also: [WRITTEN], does: 'cp /bin/deeds /srv/s8; /srv/s8 nothing; rm /srv/s8', like: 'cp /bin/deeds /srv/s9; rm /srv/s9' },
];

test('every sequence of our own alerts when it is completed, and no other does', async () => {
  const found = await alertsOf(root, 'sequences', DEEDS.map(({ does }) => does));
  assert.deepEqual(found.map((rules, index) => ({ does: DEEDS[index]!.does, rules })), DEEDS.map(({ does, rule, also = [] }) => ({ does, rules: [rule, ...also].sort() })));
  const { rules } = await readRuleFiles([{ name: 'sequences' }]);
  assert.deepEqual(rules.map(({ name }) => name).filter((name) => !DEEDS.some(({ rule }) => rule === name)), []);
});

test('no sequence of our own alerts when its steps come in another order, or not all of them', async () => {
  const found = await alertsOf(root, 'sequences', DEEDS.map(({ like }) => like));
  assert.deepEqual(found.flatMap((rules, index) => (rules.length === 0 ? [] : [{ like: DEEDS[index]!.like, rules }])), []);
});

test('a sequence that denies keeps its last step from happening, each time it is tried, and tells the steps before it', async () => {
  const alerts = root.file('alerts.json');
  const script = '/bin/cp /bin/deeds /tmp/x; /tmp/x made /tmp/proof; echo $?; /tmp/x made /tmp/proof; echo $?; ls /tmp/proof 2> /dev/null; deeds nothing; echo $?';
  const { stdout, stderr } = await caisson(root.shell(script, ['--rules', 'sequences', '--on-rule', `${WRITTEN}=deny:EACCES`, '--alerts', alerts]));
  assert.equal(stdout, '126\n126\n0\n', stderr);
  const lines = jsonLines<JsonAlert & { readonly steps: readonly { readonly event: number; readonly output: string }[] }>(alerts);
  assert.deepEqual(lines.map(({ rule, action, steps }) => [rule, action, steps.map(({ output }) => output)]), Array.from({ length: 2 }, () => [WRITTEN, 'deny', ['cp wrote /tmp/x']]));
  assert.ok(lines.every(({ event, steps }) => steps[0]!.event < event));
});

test('a recorded stream has the sequences that there were, and a line of text tells their steps', async () => {
  const events = root.file('events.json');
  await caisson(root.shell('/bin/cp /bin/deeds /tmp/y; /tmp/y nothing; true', ['--events', events]));
  const { stdout, stderr } = await caisson(['events', '--replay', events, '--rules', 'sequences']);
  assert.match(stdout, /^[\d:.]+ Warning: A file was written and started \(file=\/tmp\/y command=y nothing parent=sh .*\) \[Written file executed; after [\d:.]+ cp wrote \/tmp\/y\]\n$/, stderr);
});

const STEP = '  sequence:\n    - condition: evt.type = open\n';
const refused: readonly (readonly [rest: string, message: RegExp])[] = [
  ['  sequence: []\n  by: proc\n  within: 1s\n', /x\.yaml:1:3: the rule "R" has 0 steps \(|has 0 steps/],
  [`${STEP}  by: proc\n  within: 1s\n`, /the sequence of the rule "R" has 1 step$/],
  [`${STEP}    - condition: evt.type = close\n  by: proc\n`, /has a sequence and no "within"/],
  [`${STEP}    - condition: evt.type = mkdir\n  within: 1s\n`, /has a sequence and no "by"/],
  [`${STEP}    - condition: evt.type = mkdir\n  by: proc.nane\n  within: 1s\n`, /by of the rule "R": there is no field proc\.nane/],
  [`${STEP}    - condition: evt.type = mkdir\n  by: proc\n  within: soon\n`, /x\.yaml:\d+:11: within of the rule "R": "soon" is no time for a sequence/],
  [`${STEP}    - condition: evt.type = mkdir and fd.nane = x\n  by: proc\n  within: 1s\n`, /x\.yaml:4:39: the rule "R": there is no field fd\.nane/],
  [`${STEP}    - condition: evt.type = mkdir\n      conut: 3\n  by: proc\n  within: 1s\n`, /a step of a sequence has no "conut"/],
  [`${STEP}      count: 17\n    - condition: evt.type = mkdir\n  by: proc\n  within: 1s\n`, /a step cannot be counted "17" times/],
  [`${STEP}    - condition: evt.type = mkdir\n      by: [proc, fd.name]\n  by: proc\n  within: 1s\n`, /by of step 2 of the rule "R" does not go with that of the rule/],
  ['  condition: evt.type = open\n  within: 1s\n', /has "within" and no sequence/],
  [`${STEP}  condition: evt.type = open\n  by: proc\n  within: 1s\n`, /has a condition and a sequence/],
];

test('what is wrong with a sequence is said with its place', async () => {
  for (const [rest, message] of refused) await assert.rejects(readRuleFiles([{ name: 'x.yaml', text: `- rule: R\n${rest}  output: x\n  priority: INFO\n` }]), { name: 'RulesError', message });
});
