/** `caisson build --check`: each of BuildKit's build checks finds what it is about, and nothing else does. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CHECK_NAMES, CHECK_RULES } from '../../src/build/check-rules.ts';
import { checkDockerfile } from '../../src/build/checks.ts';
import { parseDockerfile } from '../../src/build/dockerfile.ts';
import { IgnoreRules } from '../../src/build/patterns.ts';
import { commandIn } from '../images/fixtures.ts';
import { makeContext } from './harness.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-check-'));
const { run } = commandIn({ CAISSON_HOME: join(scratch, 'store') });
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Rule and line of each finding. */
function findings(dockerfile: string): readonly string[] {
  return checkDockerfile(parseDockerfile(dockerfile, 'Dockerfile'), { ignored: IgnoreRules.read('*.log\nsecret\n'), environmentOf: () => ['PATH=/bin', 'KNOWN=1'] }).map(({ rule, lines }) => `${rule}:${lines.start}`);
}

/** What Docker's page of the check gives as bad, and as good. */
const EXAMPLES: Readonly<Record<keyof typeof CHECK_RULES, readonly [bad: string, good: string, at: number]>> = {
  ConsistentInstructionCasing: ['FROM a\nRUN b\nrun c\n', 'from a\nrun b\n', 3],
  CopyIgnoredFile: ['FROM a\nCOPY secret /x\n', 'FROM a\nCOPY public *.log /x/\n', 2],
  DuplicateStageName: ['FROM a AS x\nFROM b AS x\n', 'FROM a AS x\nFROM b AS y\n', 2],
  ExposeInvalidFormat: ['FROM a\nEXPOSE 127.0.0.1:80:80\n', 'FROM a\nEXPOSE 80 81/udp\n', 2],
  ExposeProtoCasing: ['FROM a\nEXPOSE 80/TcP\n', 'FROM a\nEXPOSE 80/tcp\n', 2],
  FromAsCasing: ['FROM a as x\n', 'from a as x\n', 1],
  FromPlatformFlagConstDisallowed: ['FROM --platform=linux/amd64 a AS x\n', 'FROM --platform=$BUILDPLATFORM a AS x\nFROM --platform=linux/amd64 a AS build_amd64\n', 1],
  InvalidDefaultArgInFrom: ['ARG TAG\nFROM busybox:$TAG\n', 'ARG TAG=1\nARG EMPTY\nFROM busybox:$TAG\nFROM busybox:1${EMPTY}\n', 2],
  InvalidDefinitionDescription: ['# check=experimental=all\n\n# bar the first\nARG foo=1\nFROM a AS x\n', '# check=experimental=all\n\n# foo the first\nARG foo=1\n# another\n\nFROM a AS x\n', 4],
  JSONArgsRecommended: ['FROM a\nENTRYPOINT b c\n', 'FROM a\nENTRYPOINT ["b", "c"]\nFROM a\nSHELL ["sh", "-c"]\nCMD b\n', 2],
  LegacyKeyValueFormat: ['FROM a\nENV DIR /x\n', 'FROM a\nENV DIR=/x\nLABEL "a b"=c\n', 2],
  MaintainerDeprecated: ['FROM a\nMAINTAINER me\n', 'FROM a\nLABEL org.opencontainers.image.authors="me"\n', 2],
  MultipleInstructionsDisallowed: ['FROM a\nCMD ["a"]\nCMD ["b"]\n', 'FROM a\nCMD ["a"]\nFROM b\nCMD ["b"]\n', 2],
  NoEmptyContinuation: ['FROM a\nRUN b && \\\n\n  c\n', 'FROM a\nRUN b && \\\n# why\n  c\nRUN <<E\n\nx\nE\n', 3],
  RedundantTargetPlatform: ['FROM --platform=$TARGETPLATFORM a\n', 'FROM a\n', 1],
  ReservedStageName: ['FROM a AS scratch\n', 'FROM a AS builder\n', 1],
  SecretsUsedInArgOrEnv: ['FROM a\nARG AWS_SECRET_ACCESS_KEY\n', 'FROM a\nARG VERSION\nENV PUBLIC_KEY=x KEYBOARD=y\n', 2],
  StageNameCasing: ['FROM a AS Base\n', 'FROM a AS base\n', 1],
  UndefinedArgInFrom: ['ARG TAG=1\nFROM a:$TAGG\n', 'ARG TAG=1\nFROM a:$TAG\n', 2],
  UndefinedVar: ['FROM a\nCOPY $FOOO /x\n', 'FROM a\nARG foo\nCOPY $foo $KNOWN ${PATH} /x/\nRUN echo $shell\n', 2],
  WorkdirRelativePath: ['FROM a\nWORKDIR app\n', 'FROM a AS x\nWORKDIR /app\nWORKDIR src\nFROM x\nWORKDIR more\n', 2],
};

test('there are BuildKit\'s 21 checks', () => {
  assert.equal(CHECK_NAMES.length, 21);
  assert.deepEqual(Object.keys(EXAMPLES).sort(), [...CHECK_NAMES].sort());
});

for (const name of CHECK_NAMES) {
  test(`${name} finds what it is about`, () => {
    const [bad, good, line] = EXAMPLES[name];
    assert.deepEqual(findings(bad), [`${name}:${line}`]);
    assert.deepEqual(findings(good), []);
  });
}

test('a directive skips checks', () => {
  assert.deepEqual(findings('# check=skip=MaintainerDeprecated\nFROM a\nMAINTAINER x\n'), []);
  assert.deepEqual(findings('# check=skip=all\nFROM a as X\nMAINTAINER x\n'), []);
});

test('the findings come as text, JSON and SARIF, with the line and the remedy', async () => {
  const context = makeContext(scratch, { dockerfile: 'FROM scratch\nMAINTAINER me\n' });
  const text = await run(['build', '--check', context]);
  assert.equal(text.status, 1);
  assert.match(text.stdout, /WARNING: MaintainerDeprecated - https:\/\/docs\.docker\.com\/go\/dockerfile\/rule\/maintainer-deprecated\/[^]*Dockerfile:2[^]*2 \| >>> MAINTAINER me[^]*Remedy: write LABEL/);
  const json = JSON.parse((await run(['build', '--check', '--format', 'json', context])).stdout) as { warnings: { rule: string; line: number; source: string; remedy: string }[] };
  assert.deepEqual(json.warnings.map(({ rule, line, source, remedy }) => [rule, line, source, remedy === CHECK_RULES.MaintainerDeprecated.remedy]), [['MaintainerDeprecated', 2, 'MAINTAINER me', true]]);
  const sarif = JSON.parse((await run(['build', '--call', 'check', '--format', 'sarif', context])).stdout) as { version: string; runs: { tool: { driver: { rules: unknown[] } }; results: { ruleId: string; ruleIndex: number; locations: { physicalLocation: { region: { startLine: number } } }[] }[] }[] };
  assert.equal(sarif.version, '2.1.0');
  assert.equal(sarif.runs[0]?.tool.driver.rules.length, 21);
  assert.deepEqual(sarif.runs[0]?.results.map(({ ruleId, ruleIndex, locations }) => [ruleId, CHECK_NAMES[ruleIndex], locations[0]?.physicalLocation.region.startLine]), [['MaintainerDeprecated', 'MaintainerDeprecated', 2]]);
  const clean = await run(['build', '--check', makeContext(scratch, { dockerfile: 'FROM scratch\nLABEL a=b\n' })]);
  assert.deepEqual([clean.status, clean.stdout], [0, 'Check complete, no warnings found.\n']);
  const strict = await run(['build', makeContext(scratch, { dockerfile: '# check=error=true\nFROM scratch\nMAINTAINER me\n' })]);
  assert.equal(strict.status, 1);
  assert.match(strict.stderr, /Dockerfile:3: MaintainerDeprecated/);
});
