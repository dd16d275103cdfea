import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DO_FLAGS } from './do/do-flags.ts';
import { UserError } from './errors.ts';
import { nearest, parseFlags } from './flags.ts';

const parse = (...words: string[]): ReturnType<typeof parseFlags> => parseFlags(words, DO_FLAGS, 'do');

test('parseFlags() leaves everything behind -- to the command', () => {
  const values = parse('-e', 'A=1', '--env', 'B=2', '--', 'ls', '-l', '--env', 'C=3');
  assert.deepEqual(values.all('env'), ['A=1', 'B=2']);
  assert.deepEqual(values.command, ['ls', '-l', '--env', 'C=3']);
});

test('parseFlags() ends at the first word that is no flag', () => {
  const values = parse('-w', '/tmp', 'ls', '--stats', '--', 'x');
  assert.equal(values.last('workdir'), '/tmp');
  assert.equal(values.has('stats'), false);
  assert.deepEqual(values.command, ['ls', '--stats', '--', 'x']);
});

test('parseFlags() knows an optional value by its equals sign', () => {
  assert.deepEqual(parse('--strace', '--', 'ls').all('strace'), ['']);
  assert.deepEqual(parse('--strace=open,close', 'ls').all('strace'), ['open,close']);
  assert.deepEqual(parse('--strace=%file', 'ls').command, ['ls']);
});

test('parseFlags() takes short flags together and with their value', () => {
  const values = parse('-it', '-m512m', '-uroot', 'bash');
  assert.ok(values.has('interactive') && values.has('tty'));
  assert.equal(values.last('memory'), '512m');
  assert.equal(values.last('user'), 'root');
});

test('parseFlags() says what it does not understand and what it may have been', () => {
  assert.throws(() => parse('--memroy', '1g', 'ls'), (error) => error instanceof UserError && error.message.includes('--memroy') && error.advice === 'did you mean --memory?');
  assert.throws(() => parse('--env'), (error) => error instanceof UserError && error.exitCode === 125);
  assert.throws(() => parse('--changes=yes', 'ls'), UserError);
});

test('nearest() guesses slips and nothing else', () => {
  assert.equal(nearest('strcae', ['strace', 'stats']), 'strace');
  assert.equal(nearest('banana', ['strace', 'stats']), undefined);
});

test('parseFlags() says what to do instead of a flag that other commands have', () => {
  const absent = { 'detach': 'it stays in the foreground', 'd': 'it stays in the foreground' };
  for (const words of [['--detach'], ['-d'], ['-itd', 'x']]) {
    assert.throws(() => parseFlags(words, DO_FLAGS, 'do', { absent }), (error: Error) => /^cannot use (?:--detach|-d): it stays in the foreground$/.test(error.message) || assert.fail(error.message));
  }
  assert.throws(() => parseFlags(['--constructor'], DO_FLAGS, 'do', { absent }), /cannot understand --constructor/);
});
