/** Programs of guests, what is read of what they say, and what it comes to. The host's processor and kernel are the oracle. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asHtml, asJson, asMarkdown, asSarif } from '../findings/index.ts';
import { PATHS } from '../audit/index.ts';
import { Program, TECHNIQUES, asFindings, carriedBundle, drillTable, isProven, judge, readReport } from './index.ts';
import type { DrillReport, Run, Technique } from './index.ts';

const [FIRST, SECOND] = TECHNIQUES as readonly [Technique, Technique, ...Technique[]];
const DONE: Run = { stdout: 'done\n', stderr: '', exitCode: 0, timedOut: false };

/** What a program says on this machine. */
function said(write: (guest: Program) => void): string {
  const directory = mkdtempSync(join(tmpdir(), 'caisson-program-'));
  try {
    const program = new Program();
    write(program);
    writeFileSync(join(directory, 'program'), program.toElf(), { mode: 0o755 });
    return spawnSync(join(directory, 'program'), { encoding: 'latin1' }).stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const measuredBy = (write: (guest: Program) => void): readonly bigint[] => readReport(said(write)).measured.map(({ value }) => value);

test('Program computes as the processor does', () => {
  assert.deepEqual(measuredBy((guest) => {
    for (const [a, b] of [[7, 6], [-1, 2], [0x1_0000_0000n, -5n]] as const) for (const value of [guest.plus(a, b), guest.minus(a, b), guest.times(a, b), guest.and(a, b)]) guest.measure('x', value);
  }), [13n, 1n, 42n, 6n, 1n, -3n, -2n, 2n, 0xffff_fffbn, 0x1_0000_0005n, -0x5_0000_0000n, 0x1_0000_0000n]);
});

test('Program compares signed numbers, repeats and branches', () => {
  assert.deepEqual(measuredBy((guest) => {
    const count = guest.slot();
    for (const condition of ['==', '!=', '<', '<=', '>', '>='] as const) for (const [a, b] of [[-1, 1], [1, 1], [1, -1]] as const) guest.when(a, condition, b, () => guest.add(count, 1), () => guest.add(count, 100));
    guest.measure('18 comparisons', count);
    guest.repeat(4, (round) => guest.measure('round', round), 3);
  }), [909n, 3n, 4n, 5n, 6n]);
});

test('Program goes on after a fault, and sees threads and children', () => {
  assert.deepEqual(measuredBy((guest) => {
    guest.measure('signal', guest.guarded(() => void guest.load(8, 16)));
    guest.measure('none', guest.guarded(() => {}));
    const flag = guest.slot();
    guest.thread(() => void guest.set(flag, 5));
    guest.repeatWhile(flag, '==', 0, () => void guest.sys('sched_yield'));
    guest.measure('what the thread wrote', flag);
    guest.measure('status of a child', guest.wait(guest.fork(() => void guest.sys('exit_group', 3))));
    const text = guest.text('abc');
    guest.save(2, guest.plus(text, 1), 0x5a59);
    guest.measure('bytes', guest.load(4, text));
  }), [11n, 0n, 5n, 0x300n, 0x5a5961n]);
});

test('Program lets a simulated kernel answer a call, and none of its own reports', () => {
  const program = new Program({ write: (guest, [fd = 0], result) => void guest.set(result, guest.plus(fd, 41)) });
  program.measure('what it answered', program.sys('write', 1, 0, 0));
  const directory = mkdtempSync(join(tmpdir(), 'caisson-program-'));
  writeFileSync(join(directory, 'program'), program.toElf(), { mode: 0o755 });
  const { stdout } = spawnSync(join(directory, 'program'), { encoding: 'latin1' });
  rmSync(directory, { recursive: true });
  assert.deepEqual(readReport(stdout), { attempts: [], claims: [], measured: [{ what: 'what it answered', value: 42n }], done: true });
});

test('readReport() takes lines of its form and bounds them', () => {
  assert.deepEqual(readReport('try\topen\tfffffffffffffffe\ntry\t\nnoise\nclaim\tout\nmeasured\tx\tzz\n donex'), { attempts: [{ what: 'open', result: -2 }, { what: '', result: 0 }], claims: ['out'], measured: [{ what: 'x', value: 0n }], done: false });
  assert.ok(readReport('try\tx\t0000000000000000\n'.repeat(100_000)).attempts.length < 5000);
});

test('judge() believes canaries and claims, and only programs that came to their end', () => {
  const verdict = (run: Partial<Run>, technique: Technique = FIRST): string => judge(technique, { ...DONE, ...run }, []).verdict;
  assert.equal(verdict({}), 'held');
  assert.equal(judge(FIRST, DONE, [{ canary: 'file', what: 'x' }]).verdict, 'out');
  assert.equal(verdict({ stdout: 'claim\tx\n' }), 'out');
  assert.equal(verdict({ stdout: 'try\tx\t0000000000000000\n' }), 'unfinished');
  for (const run of [{ timedOut: true }, { signal: 'SIGSEGV' }, { exitCode: 1 }]) {
    assert.equal(verdict(run), 'unfinished');
    assert.equal(verdict(run, { ...FIRST, mayEnd: true }), 'held');
    // An engine that did not start it.
    assert.equal(verdict({ ...run, stdout: '' }, { ...FIRST, mayEnd: true }), 'unfinished');
  }
  assert.equal(verdict({}, { ...FIRST, isProbe: true }), 'measured');
  assert.equal(judge(FIRST, { ...DONE, stdout: '', stderr: 'no cgroups\nmore', exitCode: 1 }, []).ending, 'it ended with 1: no cgroups');
});

test('a technique that got out is a finding in each format, and what it says steers no terminal', () => {
  const outcome = judge(FIRST, { ...DONE, stdout: 'try\t\x1b[2J<b>\t0000000000000001\ndone\n' }, [{ canary: 'file', what: '/tmp/\x1b]0;x\x07 was changed' }]);
  const report: DrillReport = { version: '1', target: 'x', withTwins: true, results: [{ technique: FIRST, outcome, twin: judge(FIRST, DONE, []) }, { technique: SECOND, outcome: judge(SECOND, DONE, []) }] };
  const findings = asFindings(report);
  assert.deepEqual(findings.findings.map(({ rule, severity }) => [rule, severity]), [[FIRST.name, 'critical']]);
  assert.match(drillTable(report), /2 techniques: 1 out, 1 held; 0 of 1 get out where the defence is missing\n$/);
  for (const text of [drillTable(report), asJson(findings), asSarif(findings), asMarkdown(findings), asHtml(findings)]) {
    assert.ok(text.includes(FIRST.name));
    assert.doesNotMatch(text, /[\x1b\x07]/);
  }
  assert.doesNotMatch(asHtml(findings), /<b>/);
  // Its twin held, so nothing is proven by it.
  assert.deepEqual(report.results.map(isProven), [false, true]);
});

test('techniques have names of their own, and those of attack paths that there are', () => {
  assert.equal(new Set(TECHNIQUES.map(({ name }) => name)).size, TECHNIQUES.length);
  const paths = new Set(PATHS.map(({ id }) => id));
  assert.deepEqual(TECHNIQUES.filter(({ path }) => path !== undefined && !paths.has(path)).map(({ name, path }) => `${name}: ${path}`), []);
  // The bare host is for what does no harm.
  assert.deepEqual(TECHNIQUES.filter(({ twin, isHarmless }) => twin.on === 'host' && !isHarmless).map(({ name }) => name), []);
});

test('carriedBundle() takes what needs files only', () => {
  const { files } = carriedBundle(TECHNIQUES, 'secret');
  const names = files.map(({ path }) => path);
  assert.ok(names.includes('rootfs/drill/paths-above') && names.includes('run.sh'));
  for (const name of ['signal-process', 'core-pattern', 'host-loopback', 'neighbour-files', 'log-link']) assert.ok(!names.includes(`rootfs/drill/${name}`), name);
});
