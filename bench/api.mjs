/** Prints the milliseconds from `Sandbox.create` to the first output of a warm command. */
import { Sandbox } from '../dist/sandbox.mjs';

const times = [];
for (let round = 0; round < 6; round++) {
  const started = performance.now();
  const sandbox = await Sandbox.create({ root: '/' });
  let first = 0;
  await sandbox.commands.run(['/bin/echo', 'x'], { onStdout: () => (first = performance.now() - started) });
  times.push(first);
  await sandbox.kill();
  await new Promise((resolve) => setTimeout(resolve, 300));
}
console.log(times.slice(1).sort((left, right) => left - right)[2]);
process.exit(0);
