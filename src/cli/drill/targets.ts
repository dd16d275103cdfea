/** What techniques are run in: our sandbox, the bare host, and the other guest. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Field, Grants, Hands, Run, Technique } from '../../drill/index.ts';
import { Sandbox, SandboxError } from '../../sandbox/index.ts';
import { CAPABILITY_NAMES } from '../option-values.ts';
import type { Canaries } from './canaries.ts';

const PROGRAM = '/caisson-drill';
const TIMEOUT_MS = 10_000;
const MOST_OUTPUT = 8 * 2 ** 20;
const ROOT = { uid: 0, gid: 0, groups: [] };
const NOBODY = { uid: 65_534, gid: 65_534, groups: [] };
const MEMORY = 256 * 2 ** 20;
const TASKS = 64;

export interface Target {
  run(technique: Technique, elf: Uint8Array, grants: Grants): Promise<Run>;
}
type HandsOf = (sandbox: Sandbox) => Hands;

async function runIn(sandbox: Sandbox, { as, timeoutMs = TIMEOUT_MS, afterwards }: Technique, elf: Uint8Array, field: Field, handsOf: HandsOf): Promise<Run> {
  await sandbox.files.write(PROGRAM, elf, { mode: 0o755 });
  const { stdout, stderr, exitCode, signal, timedOut } = await sandbox.commands.run([PROGRAM], {
    cwd: '/', env: {}, user: as === 'user' ? NOBODY : ROOT, capabilities: as === 'user' ? [] : CAPABILITY_NAMES, timeoutMs, outputLimit: MOST_OUTPUT,
  });
  const shown = await afterwards?.(handsOf(sandbox), field);
  return { stdout, stderr, exitCode, timedOut, ...(signal === undefined ? {} : { signal }), ...(shown === undefined ? {} : { shown }) };
}

/** A sandbox for each technique, with what the technique is given. `image`: else an empty root directory. */
export function sandboxTarget(canaries: Canaries, image: string | undefined, handsOf: HandsOf): Target {
  return {
    run: async (technique, elf, { mounts = [], net, memoryBytes = MEMORY, tasks = TASKS, links = [] }) => {
      const { root } = canaries.files;
      for (const [path, target] of links) symlinkSync(target, join(root, path));
      try {
        const sandbox = await Sandbox.create({ ...(image === undefined ? { root } : { image }), mounts, hostname: 'drill', limits: { memoryBytes, tasks }, ...(net === undefined ? {} : { net }) });
        try {
          return await runIn(sandbox, technique, elf, canaries.field, handsOf);
        } finally {
          await sandbox.kill();
        }
      } catch (error) {
        if (!(error instanceof SandboxError) || technique.mayBeRefused !== true) throw error;
        return { stdout: `try\tthe sandbox was refused, ${error.code}\t0000000000000000\ndone\n`, stderr: '', exitCode: 0, timedOut: false };
      } finally {
        for (const [path] of links) rmSync(join(root, path), { force: true });
      }
    },
  };
}

/** In the other guest itself. */
export function neighbourTarget({ neighbour, field }: Canaries, handsOf: HandsOf): Target {
  return { run: (technique, elf) => runIn(neighbour.sandbox, technique, elf, field, handsOf) };
}

interface CommandOptions {
  readonly cwd: string;
  readonly timeoutMs?: number | undefined;
  readonly leaked?: number | undefined;
  /** Takes away what it leaves where it did not come to its end. */
  readonly undo?: readonly string[];
}

/** Commands that run now. They have groups of their own, so that no signal of a terminal reaches them. */
const running = new Map<ChildProcess, Promise<Run>>();

function endCommand(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of its group has ended.
  }
  // What has left the group may hold its output.
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** Ends all commands, and waits until what they leave is taken away. */
export async function endCommands(): Promise<void> {
  for (const child of running.keys()) endCommand(child);
  await Promise.allSettled(running.values());
}

/** Runs a command of the host to its end, or for so long. @throws Error where it cannot be started */
export async function runCommand(command: readonly string[], options: CommandOptions): Promise<Run> {
  const { cwd, leaked } = options;
  const child = spawn(command[0] ?? '', command.slice(1), { cwd, stdio: ['ignore', 'pipe', 'pipe', ...(leaked === undefined ? [] : [leaked])], detached: true });
  const run = runOf(child, options);
  running.set(child, run);
  try {
    return await run;
  } finally {
    running.delete(child);
  }
}

async function runOf(child: ChildProcess, { cwd, timeoutMs = TIMEOUT_MS, undo }: CommandOptions): Promise<Run> {
  const output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  let room = MOST_OUTPUT;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (bytes: Buffer) => {
      if (room > 0) output[name].push(bytes.subarray(0, room));
      room -= bytes.length;
    });
  }
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endCommand(child);
  }, timeoutMs);
  const [status, signal] = await new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...how) => resolve(how));
  }).finally(() => clearTimeout(timer));
  // It is of no interest whether there was something.
  if (undo !== undefined && (timedOut || signal !== null)) await runCommand(undo, { cwd });
  const [stdout, stderr] = [Buffer.concat(output.stdout).toString('latin1'), Buffer.concat(output.stderr).toString('latin1')];
  return { stdout, stderr, exitCode: status ?? 255, timedOut, ...(signal === null ? {} : { signal }) };
}

/** No container at all: a process of the host. */
export function hostTarget(field: Field): Target {
  return {
    run: async ({ timeoutMs, twin }, elf) => {
      const directory = mkdtempSync(join(field.granted, 'host-'));
      const program = join(directory, 'program');
      writeFileSync(program, elf);
      chmodSync(program, 0o755);
      mkdirSync(join(directory, 'work'));
      const leaked = twin.leaks === true ? openSync(field.directory, 'r') : undefined;
      try {
        return await runCommand([program], { cwd: join(directory, 'work'), timeoutMs, leaked });
      } finally {
        if (leaked !== undefined) closeSync(leaked);
        rmSync(directory, { recursive: true, force: true });
      }
    },
  };
}
