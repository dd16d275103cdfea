/** Each rule and each path has a configuration that it flags and a corrected one that it does not, and `--fix` of the first gives the second. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { judge, withChanges } from '../../src/audit/evaluate.ts';
import { cutPaths, mendItems } from '../../src/audit/fix.ts';
import { NO_FACTS } from '../../src/audit/host-facts.ts';
import { ITEMS } from '../../src/audit/items.ts';
import { PATHS } from '../../src/audit/paths.ts';
import { readInput } from '../../src/audit/read.ts';
import { CONTROLS } from '../../src/audit/standards.ts';
import { factsOf, judgementsOf, rulesOf } from './testing.ts';

interface Pair {
  readonly rule: string;
  readonly bad: string;
  readonly good: string;
  /** What is known of the host. */
  readonly host?: string;
  /** Of the corrected one, where only the host can be corrected. */
  readonly goodHost?: string;
  /** What to write instead is not for a program to say: a version, a network, another kernel. */
  readonly byHand?: boolean;
}

const PAIRS = JSON.parse(readFileSync(new URL('pairs.json', import.meta.url), 'utf8')) as readonly Pair[];

test('every item and every path has a pair', () => {
  const rules = [...ITEMS.map(({ id }) => id), ...PATHS.map(({ id }) => `path-${id}`)];
  assert.equal(new Set(rules).size, rules.length);
  assert.deepEqual([...new Set(PAIRS.map(({ rule }) => rule))].sort(), [...rules].sort());
});

for (const { rule, bad, good, host, goodHost = host, byHand = false } of PAIRS) {
  test(`${rule} is flagged, and not when it is corrected`, () => {
    assert.ok(rulesOf(bad, factsOf(host)).has(rule), 'not flagged');
    assert.ok(!rulesOf(good, factsOf(goodHost)).has(rule), 'flagged although it is corrected');
    if (byHand) return;
    const input = readInput(bad);
    const changes = judgementsOf(input, factsOf(host)).map(({ configuration, paths }) => (rule.startsWith('path-') ? paths.find(({ path }) => `path-${path.id}` === rule)?.cut ?? [] : mendItems(configuration, [rule])));
    assert.deepEqual(input.rewrite(changes), { text: good, refused: [] });
  });
}

test('the controls of the standards are complete, and their items are there', () => {
  const ids = (standard: string): readonly string[] => CONTROLS.filter((control) => control.standard === standard).map(({ id }) => id);
  assert.deepEqual(ids('cis'), [...Array.from({ length: 12 }, (_, index) => `4.${index + 1}`), ...Array.from({ length: 32 }, (_, index) => `5.${index + 1}`)]);
  assert.equal(ids('baseline').length, 12);
  assert.equal(ids('restricted').length, 6);
  for (const { id, items, unshown } of CONTROLS) {
    assert.ok(items.length > 0 || (unshown ?? '') !== '', id);
    for (const item of items) assert.ok(ITEMS.some((known) => known.id === item), `${id}: ${item}`);
  }
});

test('every item and path says what it means on each engine', () => {
  for (const { id, meaning: { docker, gvisor, caisson } } of ITEMS) assert.ok([docker, gvisor, caisson.why].every((text) => text.length > 5), id);
  for (const { id, steps, effect, source, gvisor, caisson } of PATHS) assert.ok(steps.length > 0 && [effect, source, gvisor.why, caisson.why].every((text) => text.length > 3), id);
});

test('severity comes from paths: ten harmless deviations are no alarm, two rights together are', () => {
  const harmless = readInput('docker run --memory 64m --pids-limit 50 --network mine --cap-drop NET_RAW --restart always --cgroup-parent x --sysctl kernel.msgmax=1 app:latest');
  const [quiet] = judgementsOf(harmless);
  assert.ok((quiet?.items.length ?? 0) >= 10);
  assert.deepEqual(quiet?.paths.filter(({ state, severity }) => state !== 'closed' && severity !== 'info').map(({ path }) => path.id), []);
  const alone = (flags: string): boolean => rulesOf(`docker run ${flags} app`).has('path-ptrace-host');
  assert.deepEqual([alone('--pid host'), alone('--cap-add SYS_PTRACE'), alone('--pid host --cap-add SYS_PTRACE')], [false, false, true]);
});

test('a port of "caisson run" is at loopback where no address is written out', () => {
  const isFlagged = (port: string): boolean => rulesOf(`caisson run -p ${port} app`).has('port-everywhere');
  assert.deepEqual(['8080:80', '80', '127.0.0.1:8080:80', '0.0.0.0:8080:80', '[::]:8080:80'].map(isFlagged), [false, false, false, true, true]);
});

test('what is not known of the host makes a path depend on it, and what is known decides', () => {
  const state = (host: string): string | undefined => {
    const [configuration] = readInput('docker run --cap-add SYS_ADMIN app').configurations;
    const judged = configuration === undefined ? undefined : judge(configuration, factsOf(host)).paths.find(({ path }) => path.id === 'release-agent');
    return judged === undefined ? undefined : `${judged.state} ${judged.severity}`;
  };
  assert.equal(state(''), 'depends high');
  assert.equal(state('cgroup=1 apparmor=no'), 'open critical');
  assert.equal(state('cgroup=2'), 'closed critical');
  assert.equal(state('cgroup=1 apparmor=no maps-users=yes'), 'closed critical');
});

test('judge() on another engine closes what that engine has not', () => {
  const [configuration] = readInput('docker run --privileged -v /etc:/e -v /var/run/docker.sock:/s app').configurations;
  assert.ok(configuration !== undefined);
  const open = (platform: 'docker' | 'gvisor' | 'caisson'): readonly string[] => judge(configuration, NO_FACTS, platform).paths.filter(({ state, severity }) => state !== 'closed' && severity !== 'low' && severity !== 'info').map(({ path }) => path.id);
  assert.ok(open('docker').length > 10);
  assert.deepEqual(open('gvisor'), ['host-files-written', 'host-files-read']);
  assert.deepEqual(open('caisson'), ['host-files-written', 'host-files-read']);
});

test('cutPaths() closes every path of a container that has everything, and needs no change that others make needless', () => {
  const [configuration] = readInput('docker run --privileged --pid host --net host -v /:/host -v /run/docker.sock:/s -e DB_PASSWORD=hunter2hunter2 -p 80:80 app').configurations;
  assert.ok(configuration !== undefined);
  const changes = cutPaths(configuration, NO_FACTS, 'docker', 'low');
  const left = (kept: typeof changes): number => judge(withChanges(configuration, kept), NO_FACTS).paths.filter(({ state, severity }) => state !== 'closed' && severity !== 'info').length;
  assert.equal(left(changes), 0);
  for (const change of changes) assert.ok(left(changes.filter((other) => other !== change)) > 0, change.kind);
});
