/** Each rule of the default set alerts when what it looks for is done, and stays quiet when the like of it is. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { defaultRules, readRules } from '../../src/detect/index.ts';
import { caisson } from '../cli/caisson.ts';
import { alertsOf } from './alerts-of.ts';
import { DEEDS } from './deeds.ts';
import { Root, jsonLines, type JsonAlert } from './testing.ts';

const root = new Root();
after(() => root.remove());

test('every rule of the default set alerts when what it looks for is done, and no other does', async () => {
  const found = await alertsOf(root, 'default', DEEDS.map(({ does }) => does));
  const wrong = found.flatMap((rules, index) => {
    const { does, rule, also = [] } = DEEDS[index]!;
    return rules.join() === [rule, ...also].sort().join() ? [] : [{ does, rule, rules }];
  });
  assert.deepEqual(wrong, []);
});

test('no rule of the default set alerts when the like of it is done', async () => {
  const found = await alertsOf(root, 'default', DEEDS.map(({ like }) => like));
  assert.deepEqual(found.flatMap((rules, index) => (rules.length === 0 ? [] : [{ like: DEEDS[index]!.like, rules }])), []);
});

test('a shell with a terminal alerts where it is started from outside, and one below it does not', async () => {
  const alerts = root.file('alerts.json');
  const { status } = await caisson(root.shell('/bin/sh -c true; true', ['-t', '--rules', 'default', '--alerts', alerts]));
  assert.equal(status, 0);
  assert.deepEqual(jsonLines<JsonAlert>(alerts).map(({ rule, output_fields: fields }) => [rule, fields['proc.cmdline']]), [['Terminal shell in container', 'sh -c /bin/sh -c true; true']]);
});

test('the deeds are of every rule that is on, and of twenty stable ones of Falco at least', () => {
  const { rules } = readRules([defaultRules()]);
  const tested = new Set([...DEEDS.map(({ rule }) => rule), 'Terminal shell in container']);
  assert.deepEqual(rules.map(({ name }) => name).filter((name) => !tested.has(name)), []);
  assert.ok(rules.filter(({ tags }) => tags.includes('maturity_stable')).length >= 20);
});
