/**
 * What the suites of others have in common: run a command natively and inside, each in a fresh directory,
 * keep the outcomes in a file, and write docs/suites.md from all that is kept and from causes.tsv.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export type Side = 'native' | 'inside';

/** How one member of a suite ended. Only `passed` counts. */
export interface Outcome {
  readonly verdict: string;
  readonly seconds: number;
  /** Names of the tests, or the messages, that say why it did not pass. */
  readonly failures: readonly string[];
  /** How many single tests ran, and how many of those were skipped. */
  readonly tests?: number;
  readonly skipped?: number;
}

export interface Ended {
  readonly output: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
  readonly seconds: number;
}

/** One member of a suite: a module of tests, a stressor. */
export type Records = Record<string, Partial<Record<Side, Outcome>>>;

export interface Suite {
  /** Also the name of its file of outcomes, and the first field in causes.tsv. */
  readonly name: string;
  readonly members: readonly string[];
  readonly argv: (members: readonly string[]) => readonly string[];
  /** The outcome of a member when several ran; undefined if that cannot be told, so that it has to run alone. */
  readonly judge: (ended: Ended, member: string, isAlone: boolean) => Omit<Outcome, 'seconds'> | undefined;
  /** Of those that pass natively, this many must pass inside. */
  readonly requiredShare: number;
}

export interface Choice {
  readonly names: readonly string[];
  readonly jobs: number;
  /** Seconds for one member inside; undefined: 20 times its native time and a minute. */
  readonly timeout: number | undefined;
  readonly resume: boolean;
  readonly failed: boolean;
  /** So many members that take less than three seconds natively share a sandbox. What does not pass there runs alone. */
  readonly batch: number;
  /** None with --page: what is kept is only written down. */
  readonly sides: readonly Side[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Another build than dist/'s can be tried. */
const caisson = process.env['CAISSON_JS'] ?? join(root, 'dist/caisson.js');
/** root has all rights on the host too. */
const rights = process.getuid?.() === 0 ? ['--cap-add', 'ALL'] : [];
const NATIVE_TIMEOUT_SECONDS = 600;
const OUTPUT_LIMIT = 1 << 24;

export function parseChoice(nameOption: string): Choice {
  const { values } = parseArgs({
    options: {
      [nameOption]: { type: 'string', multiple: true, default: [] },
      jobs: { type: 'string', default: '1' },
      timeout: { type: 'string' },
      resume: { type: 'boolean', default: false },
      failed: { type: 'boolean', default: false },
      batch: { type: 'string', default: '1' },
      side: { type: 'string' },
      page: { type: 'boolean', default: false },
    },
  });
  const side = values['side'];
  if (side !== undefined && side !== 'native' && side !== 'inside') throw new Error(`--side is native or inside, not ${String(side)}`);
  return {
    names: values[nameOption] as string[],
    jobs: Number(values['jobs']),
    timeout: values['timeout'] === undefined ? undefined : Number(values['timeout']),
    resume: values['resume'] === true,
    failed: values['failed'] === true,
    batch: Number(values['batch']),
    sides: values['page'] === true ? [] : side === undefined ? ['native', 'inside'] : [side],
  };
}

function environment(home: string): Record<string, string> {
  const user = userInfo().username;
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: home, LANG: 'C.UTF-8', TERM: 'dumb', USER: user, LOGNAME: user, SHELL: '/bin/bash' };
}

/** Runs it in a directory that is removed afterwards, in a process group of its own that is killed after the time. */
export function runCommand(argv: readonly string[], seconds: number): Promise<Ended> {
  const directory = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'caisson-suite-')));
  const [file = '', ...args] = argv;
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: directory, env: environment(directory), stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    let timedOut = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('latin1').on('data', (text: string) => {
        if (output.length < OUTPUT_LIMIT) output += text;
      });
    }
    const killGroup = (): void => {
      try {
        process.kill(-(child.pid ?? 0), 'SIGKILL');
      } catch {
        return;
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup();
    }, seconds * 1000);
    child.on('exit', (status, signal) => {
      clearTimeout(timer);
      killGroup();
      const finish = (): void => {
        fs.rmSync(directory, { recursive: true, force: true });
        resolve({ output, status, signal, timedOut, seconds: Math.round((performance.now() - started) / 10) / 100 });
      };
      setTimeout(finish, 50);
    });
  });
}

function recordsPath(name: string): string {
  return join(root, '.cache/suites', `${name}.json`);
}

function readRecords(name: string): Records {
  const path = recordsPath(name);
  return fs.existsSync(path) ? (JSON.parse(fs.readFileSync(path, 'utf8')) as Records) : {};
}

function writeRecords(name: string, records: Records): void {
  const sorted = Object.fromEntries(Object.entries(records).sort(([left], [right]) => (left < right ? -1 : 1)));
  fs.writeFileSync(recordsPath(name), `${JSON.stringify(sorted, null, 1)}\n`);
}

async function runMembers(suite: Suite, members: readonly string[], side: Side, seconds: number): Promise<ReadonlyMap<string, Outcome>> {
  const command = suite.argv(members);
  const ended = await runCommand(side === 'native' ? command : [process.execPath, caisson, 'do', ...rights, '--', ...command], seconds);
  const logs = join(root, '.cache/suites', suite.name);
  fs.mkdirSync(logs, { recursive: true });
  const isAlone = members.length === 1;
  const outcomes = new Map<string, Outcome>();
  if (!isAlone) fs.writeFileSync(join(logs, 'last-batch.log'), ended.output, 'latin1');
  for (const member of members) {
    const judged = suite.judge(ended, member, isAlone);
    if (judged === undefined) continue;
    if (isAlone) fs.writeFileSync(join(logs, `${member}.${side}.log`), ended.output, 'latin1');
    const verdict = ended.timedOut && isAlone ? 'timed out' : judged.verdict;
    if (verdict === 'passed' || isAlone) outcomes.set(member, { ...judged, verdict, seconds: isAlone ? ended.seconds : 0 });
  }
  return outcomes;
}

async function inParallel<T>(items: readonly T[], jobs: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

const passed = (outcome: Outcome | undefined): boolean => outcome?.verdict === 'passed';

/** Members in the order in which they are to run, the quickest first, those that share a sandbox together. */
function arrange(suite: Suite, side: Side, choice: Choice, records: Records): readonly (readonly string[])[] {
  const nativeSeconds = (member: string): number => records[member]?.native?.seconds ?? 0;
  const members = suite.members
    .filter((member) => choice.names.length === 0 || choice.names.includes(member))
    .filter((member) => side === 'native' || passed(records[member]?.native))
    .filter((member) => !choice.resume || records[member]?.[side] === undefined)
    .filter((member) => side === 'native' || !choice.failed || !passed(records[member]?.inside))
    .sort((left, right) => nativeSeconds(left) - nativeSeconds(right));
  const size = side === 'native' ? 1 : choice.batch;
  const quick = size === 1 ? [] : members.filter((member) => nativeSeconds(member) < 3);
  const batches: string[][] = [];
  for (let at = 0; at < quick.length; at += size) batches.push(quick.slice(at, at + size));
  return [...batches, ...members.slice(quick.length).map((member) => [member])];
}

async function runSide(suite: Suite, side: Side, choice: Choice, records: Records): Promise<void> {
  const limitOf = (member: string): number => (side === 'native' ? NATIVE_TIMEOUT_SECONDS : (choice.timeout ?? 20 * (records[member]?.native?.seconds ?? 0) + 60));
  const runAndKeep = async (members: readonly string[]): Promise<readonly string[]> => {
    const outcomes = await runMembers(suite, members, side, members.reduce((sum, member) => sum + limitOf(member), 0));
    for (const [member, outcome] of outcomes) {
      records[member] = { ...records[member], [side]: outcome };
      console.log(`${side} ${member}: ${outcome.verdict} (${outcome.seconds} s) ${outcome.failures.slice(0, 3).join(', ')}`);
    }
    writeRecords(suite.name, { ...readRecords(suite.name), ...Object.fromEntries([...outcomes.keys()].map((member) => [member, records[member] ?? {}])) });
    return members.filter((member) => !outcomes.has(member));
  };
  await inParallel(arrange(suite, side, choice, records), choice.jobs, async (members) => {
    const rest = await runAndKeep(members);
    if (rest.length > 0 && members.length > 1) {
      console.log(`not passed together: ${rest.join(' ')}`);
      fs.renameSync(join(root, '.cache/suites', suite.name, 'last-batch.log'), join(root, '.cache/suites', suite.name, `batch-${members[0]}.log`));
    }
    for (const member of rest) await runAndKeep([member]);
  });
}

/** suite, member and cause, with tabs between. */
export function readCauses(suite: string): ReadonlyMap<string, string> {
  const lines = fs.readFileSync(join(root, 'test/suites/causes.tsv'), 'utf8').split('\n');
  const rows = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split('\t'));
  return new Map(rows.filter(([name]) => name === suite).map(([, member = '', cause = '']) => [member, cause]));
}

interface Summary {
  readonly lines: readonly string[];
  readonly isEnough: boolean;
}

/** A section of docs/suites.md. */
function summarize(suite: Suite, records: Records, causes: ReadonlyMap<string, string>): Summary {
  const native = suite.members.filter((member) => passed(records[member]?.native));
  const inside = native.filter((member) => passed(records[member]?.inside));
  const waiting = native.filter((member) => records[member]?.inside === undefined);
  const rest = native.filter((member) => !inside.includes(member) && !waiting.includes(member));
  const unexplained = rest.filter((member) => !causes.has(member));
  const share = native.length === 0 ? 0 : inside.length / native.length;
  const counted = inside.filter((member) => records[member]?.native?.tests !== undefined && records[member]?.inside?.tests !== undefined);
  const count = (side: Side, field: 'tests' | 'skipped'): number => counted.reduce((sum, member) => sum + (records[member]?.[side]?.[field] ?? 0), 0);
  const inEach = `In those that pass inside, ${count('native', 'tests')} tests run natively (${count('native', 'skipped')} skip themselves) and ${count('inside', 'tests')} inside (${count('inside', 'skipped')}).`;
  const lines = [
    `${suite.members.length} in the suite; ${native.length} pass natively, of those ${native.length - waiting.length} ran inside and ${inside.length} pass (${(100 * share).toFixed(1)} % of those that pass natively).`,
    ...(count('native', 'tests') === 0 ? [] : [inEach]),
    ...(waiting.length === 0 ? [] : ['', `Not yet run inside: ${waiting.join(', ')}.`]),
    '',
    ...(rest.length === 0 ? [] : ['| does not pass inside | how it ended | what failed | cause |', '|---|---|---|---|']),
    ...rest.map((member) => {
      const outcome = records[member]?.inside;
      const failures = (outcome?.failures ?? []).map((text) => text.replaceAll('|', '\\|'));
      const shown = failures.length > 6 ? [...failures.slice(0, 6), `and ${failures.length - 6} more`] : failures;
      return `| ${member} | ${outcome?.verdict ?? 'not run'} | ${shown.join(', ')} | ${causes.get(member) ?? 'not known'} |`;
    }),
  ];
  return { lines, isEnough: share >= suite.requiredShare && waiting.length === 0 && unexplained.length === 0 };
}

/** Replaces what is between the two marks of the suite. */
function writePage(name: string, lines: readonly string[]): void {
  const page = join(root, 'docs/suites.md');
  const text = fs.readFileSync(page, 'utf8');
  const [begin, end] = [`<!-- ${name}: generated -->\n`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (from < begin.length || to < from) throw new Error(`docs/suites.md has no place for ${name}`);
  fs.writeFileSync(page, `${text.slice(0, from)}${lines.join('\n')}\n${text.slice(to)}`);
}

/** Runs what was chosen, prints the table, and writes the page if the whole suite was asked for. */
export async function runSuite(suite: Suite, choice: Choice): Promise<void> {
  fs.mkdirSync(join(root, '.cache/suites'), { recursive: true });
  const records = readRecords(suite.name);
  for (const side of choice.sides) await runSide(suite, side, choice, records);
  const { lines, isEnough } = summarize(suite, readRecords(suite.name), readCauses(suite.name));
  console.log(lines.join('\n'));
  if (choice.names.length === 0 && !(choice.sides.length === 1 && choice.sides[0] === 'native')) writePage(suite.name, lines);
  process.exitCode = isEnough ? 0 : 1;
}
