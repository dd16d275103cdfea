/** Whatever a Dockerfile says: it is read, or refused by an error of ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDockerfile } from './checks.ts';
import { parseDockerfile } from './dockerfile.ts';
import { BuildError } from './errors.ts';
import { expandWord } from './expand.ts';
import { ImageSettings } from './image-config.ts';
import { IgnoreRules } from './patterns.ts';
import { SETTINGS } from './settings-instructions.ts';
import { splitStages } from './stages.ts';
import { GlobalScope } from './variables.ts';

const CASES = 50_000;
const PIECES = [
  'FROM ', 'RUN ', 'COPY ', 'ENV ', 'ARG ', 'LABEL ', 'ONBUILD ', 'CMD ', 'HEALTHCHECK ', 'EXPOSE ', 'USER ', 'SHELL ', 'VOLUME ', 'STOPSIGNAL ', 'busybox', ' AS x', '\n', '\n', '\\\n', '`', '"', '\'', '$', '${', '}', 'A', '=', ':-', ':?', '#', '##', '%', '/', '//', '<<EOF', '<<-"E"', 'EOF', 'E',
  '[', ']', '"a", ', '{', '--from=', '--mount=type=', '--', ' ', '\t', '\\', '*', '**', '?', '[a-', '!', '0', '99999999999', '-', ',', '\xff', '\x00', '# escape=`', '# check=skip=all', '\r\n', '<', 'é', 'x'.repeat(300),
];

/** mulberry32: the same cases every time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

function readAll(text: string): void {
  const dockerfile = parseDockerfile(text, 'Dockerfile');
  checkDockerfile(dockerfile, { ignored: IgnoreRules.read('*\n!a'), environmentOf: () => [] });
  const stages = splitStages(dockerfile, new GlobalScope(new Map(), undefined));
  const settings = new ImageSettings();
  for (const instruction of stages.flatMap(({ instructions }) => instructions)) SETTINGS.get(instruction.keyword)?.(settings, instruction, { escape: dockerfile.escape, variables: settings.env });
}

test('a Dockerfile of random pieces is read or refused', () => {
  const random = randomFrom(1);
  const pick = (): string => PIECES[Math.floor(random() * PIECES.length)]!;
  for (let count = 0; count < CASES; count++) {
    const text = `FROM a\n${Array.from({ length: 1 + Math.floor(random() * 30) }, pick).join('')}`;
    try {
      readAll(text);
    } catch (error) {
      assert.ok(error instanceof BuildError, `${JSON.stringify(text)}: ${(error as Error).stack ?? ''}`);
    }
  }
});

test('words and patterns of random pieces are read or refused', () => {
  const random = randomFrom(2);
  for (let count = 0; count < CASES; count++) {
    const text = Array.from({ length: 1 + Math.floor(random() * 12) }, () => PIECES[Math.floor(random() * PIECES.length)]!).join('');
    for (const read of [() => expandWord(text, { escape: '\\', variables: new Map([['A', 'a/b']]) }), () => IgnoreRules.read(text).excludes('a/b/c')]) {
      try {
        read();
      } catch (error) {
        assert.ok(error instanceof BuildError, `${JSON.stringify(text)}: ${(error as Error).stack ?? ''}`);
      }
    }
  }
});

test('long texts are read in a time that grows as they do', () => {
  const started = performance.now();
  readAll(`FROM a\n${'RUN x \\\n'.repeat(20_000)} y\n`);
  readAll(`FROM a\n${'ENV A=b\n'.repeat(9_000)}`);
  readAll(`FROM a\nENV ${'A=b '.repeat(50_000)}\n`);
  assert.throws(() => parseDockerfile('FROM a\n'.repeat(200_000), 'Dockerfile'), BuildError);
  assert.ok(performance.now() - started < 20_000);
});
