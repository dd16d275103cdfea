/**
 * The kernel's conformance suite: C programs that pass on Linux first, then inside Caisson.
 *
 *   node --import tsx test/conformance/run.ts [--static] [--native-only] [--inside-only] [--default] [--user UID] [--verbose] [PROGRAM...]
 *
 * Compiles `*.c` into .cache/conformance, runs each on the host and through `caisson do`, and prints a table
 * and every check that passes on the host and not inside. Root inside has all capabilities, as on the host, unless
 * `--default` asks for those of a container. Exits 1 if there is one, if one fails on the host, or if a call of the
 * table has no check of bad arguments. conformance.test.ts is the same for the test command.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile, complaints, count, nativeScratch, programNames, ROOT, run, uncheckedCalls } from './suite.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    static: { type: 'boolean', default: false }, 'native-only': { type: 'boolean', default: false },
    'inside-only': { type: 'boolean', default: false }, default: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false },
    command: { type: 'string', default: join(ROOT, 'dist/caisson.js') }, user: { type: 'string' },
  },
});

const programs = positionals.length > 0 ? positionals : programNames();
const user = options.user === undefined ? undefined : { uid: Number(options.user), gid: Number(options.user) };
const total = { passed: 0, failed: 0 };
console.log('program           host ok   inside ok  skipped  failed      ms (host, inside)');
for (const name of programs) {
  const program = compile(name, options.static);
  const native = options['inside-only'] ? undefined : await run(program, [nativeScratch], user);
  const inside = options['native-only'] ? undefined : await run(process.execPath, [options.command, 'do', '--security-opt', 'io_uring=on', ...(options.default ? [] : ['--cap-add', 'ALL']), '--', program, '/tmp'], user);
  const wrong = complaints(native, inside);
  total.failed += wrong.length;
  total.passed += Number(count(inside ?? native, 'ok'));
  console.log(
    `${name.padEnd(18)}${count(native, 'ok').padStart(7)}${count(inside, 'ok').padStart(12)}${count(inside ?? native, 'skip').padStart(9)}` +
      `${String(wrong.length).padStart(8)}${String(native?.milliseconds ?? '-').padStart(9)}${String(inside?.milliseconds ?? '-').padStart(9)}`,
  );
  for (const { text } of wrong) process.stdout.write(`    ${text}`);
  if (options.verbose && inside?.lines.get('') !== undefined) process.stdout.write(inside.lines.get('') ?? '');
}
const unchecked = uncheckedCalls();
if (unchecked.length > 0) console.log(`no check of bad arguments: ${unchecked.join(', ')}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && unchecked.length === 0 ? 0 : 1;
