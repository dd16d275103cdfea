/** A real terminal: line editing, job control, resize, and everything as it was afterwards (promise I5). */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { caissonPath } from './caisson.ts';

const driver = fileURLToPath(new URL('terminal-driver.py', import.meta.url));

type Step = readonly ['expect' | 'send', string] | readonly ['resize', number, number] | readonly ['signal', number];

interface Shown {
  readonly shown: string;
  readonly status: number | null;
  readonly restored: boolean;
  readonly failure: string;
}

async function inTerminal(command: readonly string[], steps: readonly Step[]): Promise<Shown> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/', LANG: 'C.UTF-8', TERM: 'xterm', PS1: '$ ' };
  const { stdout } = await promisify(execFile)('/usr/bin/python3', [driver, JSON.stringify(steps), process.execPath, caissonPath, 'do', ...command], { env, maxBuffer: 1 << 24 });
  return JSON.parse(stdout) as Shown;
}

function check(result: Shown, status: number): void {
  assert.equal(result.failure, '', result.shown);
  assert.equal(result.status, status, result.shown);
  assert.equal(result.restored, true);
}

const BASH = ['--', 'bash', '--norc', '--noprofile', '-i'];

test('bash with line editing: backspace, history, interrupt', async () => {
  const result = await inTerminal(BASH, [
    ['expect', '\\$ '], ['send', 'echo hellp\x7fo\r'], ['expect', '[\n\r]hello\r'], ['expect', '\\$ '],
    ['send', '\x1b[A\r'], ['expect', '[\n\r]hello\r'], ['expect', '\\$ '],
    ['send', 'sh -c "echo started; exec sleep 500"\r'], ['expect', '[\n\r]started'], ['send', '\x03'], ['expect', '\\^C'], ['expect', '\\$ '],
    ['send', 'echo $?; exit 5\r'], ['expect', '130'],
  ]);
  check(result, 5);
});

test('job control: stop, background, foreground', async () => {
  const result = await inTerminal(BASH, [
    ['expect', '\\$ '], ['send', 'sh -c \'trap "echo resumed" CONT; echo started; while :; do sleep 0.1; done\'\r'], ['expect', '[\n\r]started'],
    ['send', '\x1a'], ['expect', 'Stopped'], ['expect', '\\$ '],
    ['send', 'bg\r'], ['expect', 'done. &'], ['expect', '[^"]resumed'], ['send', 'jobs\r'], ['expect', 'Running'],
    ['send', 'kill -STOP %1; sleep 0.2; fg\r'], ['expect', '[\n\r]resumed'], ['send', '\x03'], ['expect', '\\$ '], ['send', 'exit 0\r'],
  ]);
  check(result, 0);
});

test('a newline is what the terminal inside makes of it', async () => {
  const result = await inTerminal(['--', 'bash', '-c', 'printf "one\\ntwo\\n"; stty -opost; printf "three\\nfour"; stty opost'], []);
  check(result, 0);
  assert.equal(result.shown, 'one\r\ntwo\r\nthree\nfour');
});

test('modes of the screen are undone if the command left them on, and only then', async () => {
  const orderly = await inTerminal(['--', 'printf', '\\e[?2004h\\e[?25l.\\e[?2004;25l\\e[?25hend'], []);
  assert.equal(orderly.shown, '\x1b[?2004h\x1b[?25l.\x1b[?2004;25l\x1b[?25hend');
  const killed = await inTerminal(['--', 'bash', '-c', 'printf "\\e[?1049h\\e[?25l"; kill -9 $$'], []);
  assert.equal(killed.shown, '\x1b[?1049h\x1b[?25l\x1b[?1049l\x1b[?25h\x1b>\x1b[0m');
});

test('the size is the window\'s, also after a change', async () => {
  const result = await inTerminal(['--', 'bash', '--norc', '-c', 'stty size; trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.05; done'], [
    ['expect', '24 80'], ['expect', 'ready'], ['resize', 40, 120], ['expect', '40 120'],
  ]);
  check(result, 3);
});

test('end of input and full-screen programs', async () => {
  check(await inTerminal(['--', 'cat'], [['send', 'line\r'], ['expect', 'line\r\nline\r'], ['send', '\x04']]), 0);
  check(await inTerminal(['--', 'vim', '-u', 'NONE', '-n', '/tmp/nothing-here'], [['expect', 'nothing-here'], ['send', 'itext\x1b:%p\r'], ['expect', 'text'], ['send', ':q!\r']]), 0);
  check(await inTerminal(['--', '/usr/bin/python3', '-q'], [['expect', '>>> '], ['send', '6*7\r'], ['expect', '42'], ['send', '\x04']]), 0);
  check(await inTerminal(['--', 'less', '/etc/services'], [['expect', 'services|Network'], ['send', ' '], ['send', 'q']]), 0);
});

test('the terminal is restored when the command is killed, times out, or we are told to end', async () => {
  check(await inTerminal(['--', 'bash', '-c', 'stty raw -echo; kill -9 $$'], []), 137);
  check(await inTerminal(['--timeout', '1s', '--', 'bash', '-c', 'stty raw -echo; sleep 60'], []), 124);
  check(await inTerminal(['--', 'bash', '-c', 'echo ready; sleep 60'], [['expect', 'ready'], ['signal', 15]]), 143);
  check(await inTerminal(['--', 'bash', '-c', 'echo ready; sleep 60'], [['expect', 'ready'], ['signal', 1]]), 129);
});
