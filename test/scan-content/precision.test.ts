/** Recall and precision on a labelled set that the test makes; and that a clean system has no secret, password or malware. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CONTENT_ANALYSERS } from '../../src/scan/content/index.ts';
import { MALWARE_MISSES, MALWARE_PLANTS } from './labelled-malware.ts';
import { SECRET_MISSES, SECRET_PLANTS } from './labelled-secrets.ts';
import { SETTING_MISSES, SETTING_PLANTS } from './labelled-settings.ts';
import { KINDS } from './labelled.ts';
import type { Case } from './labelled.ts';
import { judge, made, scanFile } from './testing.ts';

const PLANTS = [...SECRET_PLANTS, ...SETTING_PLANTS, ...MALWARE_PLANTS];
const MISSES = [...SECRET_MISSES, ...SETTING_MISSES, ...MALWARE_MISSES];
const ANALYSER = { secret: 'secrets', setting: 'settings', malware: 'malware' } as const;

/** The rules of the analyser of its kind that answer. */
function rulesOf({ kind, files, config }: Case): readonly string[] {
  return judge(files, config).filter(({ analyser }) => analyser === ANALYSER[kind]).map(({ finding }) => finding.rule);
}

test('the labelled set is as large as promised', () => {
  assert.ok(PLANTS.length >= 120 && MISSES.length >= 120, `${PLANTS.length} plants, ${MISSES.length} near misses`);
});

for (const kind of KINDS) {
  test(`recall and precision are at least 0.97: ${kind}`, () => {
    const [plants, misses] = [PLANTS, MISSES].map((cases) => cases.filter((each) => each.kind === kind));
    const missed = plants!.filter((each) => !rulesOf(each).includes(each.rule!));
    const invented = misses!.map((each) => ({ name: each.name, rules: rulesOf(each) })).filter(({ rules }) => rules.length > 0);
    const hits = plants!.length - missed.length;
    const told = JSON.stringify({ missed: missed.map((each) => [each.name, each.rule, rulesOf(each)]), invented }, undefined, 1);
    assert.ok(hits / plants!.length >= 0.97, `recall ${hits / plants!.length}: ${told}`);
    assert.ok(hits / (hits + invented.length) >= 0.97, `precision ${hits / (hits + invented.length)}: ${told}`);
  });
}

test('each finding says where, redacts what is secret, and has a rule', () => {
  const rules = new Set(CONTENT_ANALYSERS.flatMap((analyser) => analyser.rules.map(({ id }) => id)));
  assert.equal(rules.size, CONTENT_ANALYSERS.reduce((sum, analyser) => sum + analyser.rules.length, 0));
  for (const each of SECRET_PLANTS) {
    const text = `${each.files.map(({ content }) => String(content)).join('\n')}\n${JSON.stringify(each.config ?? {})}`;
    for (const { finding } of judge(each.files, each.config)) {
      assert.ok(rules.has(finding.rule), finding.rule);
      // No run of twelve characters of a secret is shown, but for names and addresses around it.
      const shown = `${finding.message} ${finding.source ?? ''}`.replace(/aws_secret_access_key|AWS_SECRET_ACCESS_KEY|-----BEGIN[A-Z ]+-----|[A-Za-z._-]+/g, (word) => (/[0-9]/.test(word) ? word : ''));
      for (const run of shown.match(/[A-Za-z0-9+/]{12,}/g) ?? []) assert.ok(!/[0-9]/.test(run) || !text.includes(run) || /^\d+$/.test(run), `${each.name}: ${finding.message} ${finding.source ?? ''}`);
    }
  }
});

test('a secret is not shown beside another one, whether that one is told or not', () => {
  const values = Array.from({ length: 26 }, () => `${made('base62', 21)}a1B`);
  const lines = [`DB_PASSWORD='${values[0]}' API_TOKEN='${values[1]}'\n`, `${values.map((value) => `TOKEN='${value}'`).join(' ')} url=https://me:${made('base62', 12)}@db.internal\n`];
  for (const content of lines) {
    const found = judge([{ path: 'app/x.env', content }]).filter(({ analyser }) => analyser === 'secrets');
    assert.ok(found.length >= 2, content);
    for (const { finding } of found) for (const value of values) assert.ok(!`${finding.source} ${finding.message}`.includes(value), `${finding.source}`);
  }
});

/** Essential packages stand for a minimal system: debootstrap's minbase is them and what they need. */
function filesOfEssentialPackages(): readonly string[] {
  const packages = execFileSync('dpkg-query', ['-W', '-f', '${Essential} ${Package}\n'], { encoding: 'utf8' }).split('\n').filter((line) => line.startsWith('yes ')).map((line) => line.slice(4));
  const needed = ['apt', 'adduser', 'debian-archive-keyring', 'gpgv', 'libc6', 'libpam-runtime', 'libpam-modules', 'passwd', 'mount', 'login', 'perl-base', 'mawk', 'tzdata'];
  const files = execFileSync('dpkg-query', ['-L', ...new Set([...packages, ...needed])], { encoding: 'utf8' }).split('\n');
  return [...new Set(files)].filter((path) => path.startsWith('/') && path !== '/.');
}

test('a clean Debian has no secret, no password and no malware, and only the set-uid programs that it is known for', () => {
  const found: string[] = [];
  let count = 0;
  for (const path of filesOfEssentialPackages()) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || (!stat.isFile() && !stat.isDirectory()) || (stat.mode & 0o444) === 0) continue;
    count++;
    const file = scanFile({ path: path.slice(1), mode: stat.mode, uid: stat.uid, gid: stat.gid, ...(stat.isFile() && (stat.mode & 0o004) !== 0 && { content: readFileSync(path) }) });
    for (const analyser of CONTENT_ANALYSERS) if (analyser.wants(file)) analyser.analyse(file, { finding: (finding) => found.push(`${path}: ${finding.rule}: ${finding.message}`), fact: () => undefined });
  }
  assert.ok(count > 1500, `${count} files`);
  assert.deepEqual(found, []);
});
