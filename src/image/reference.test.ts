/** References against Docker's rules; what skopeo, which has Docker's own parser, says of the same texts is in test/images. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidReferenceError } from './errors.ts';
import { explainReference, familiarReference, formatReference, parseReference } from './reference.ts';

const HEX = '0123456789abcdef'.repeat(4);

test('parseReference() completes what was left out, as Docker does', () => {
  const cases: readonly (readonly [text: string, complete: string, familiar: string])[] = [
    ['debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['debian:12', 'docker.io/library/debian:12', 'debian:12'],
    ['team/app', 'docker.io/team/app:latest', 'team/app:latest'],
    ['docker.io/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['docker.io/library/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['index.docker.io/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['library/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['docker.io/library/team/app', 'docker.io/library/team/app:latest', 'library/team/app:latest'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['localhost:5000/app:v1', 'localhost:5000/app:v1', 'localhost:5000/app:v1'],
    ['registry.example/a/b/c', 'registry.example/a/b/c:latest', 'registry.example/a/b/c:latest'],
    ['Registry/app', 'Registry/app:latest', 'Registry/app:latest'],
    ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
    ['10.0.0.1:5000/app', '10.0.0.1:5000/app:latest', '10.0.0.1:5000/app:latest'],
    ['a__b/c-----d.e_f', 'docker.io/a__b/c-----d.e_f:latest', 'a__b/c-----d.e_f:latest'],
    ['debian:_Tag-1.x', 'docker.io/library/debian:_Tag-1.x', 'debian:_Tag-1.x'],
    [`debian@sha256:${HEX}`, `docker.io/library/debian@sha256:${HEX}`, `debian@sha256:${HEX}`],
    [`debian:12@sha256:${HEX}`, `docker.io/library/debian:12@sha256:${HEX}`, `debian:12@sha256:${HEX}`],
  ];
  for (const [text, complete, familiar] of cases) {
    const reference = parseReference(text);
    assert.equal(formatReference(reference), complete, text);
    assert.equal(familiarReference(reference), familiar, text);
    assert.deepEqual(parseReference(complete), reference, `${complete} reads as itself`);
    assert.deepEqual(parseReference(familiar), reference, `${familiar} reads as the same`);
  }
});

test('parseReference() points at the first wrong character', () => {
  const cases: readonly (readonly [text: string, position: number, reason: RegExp])[] = [
    ['', 0, /empty/],
    ['Debian', 0, /lower case/],
    ['debian:', 7, /tag is empty/],
    ['debian:-x', 7, /at its beginning/],
    ['debian:a b', 8, /tag cannot have " "/],
    [`debian:${'t'.repeat(129)}`, 135, /longer than 128/],
    ['-debian', 0, /beginning of a part/],
    ['debian-', 6, /end of a part/],
    ['a..b', 1, /"\.\." between/],
    ['a___b', 1, /"___" between/],
    ['a//b', 2, /part of the repository is empty/],
    ['team/', 5, /part of the repository is empty/],
    ['/debian', 0, /part of the repository is empty/],
    ['deb ian', 3, /cannot have " "/],
    ['debian:12:13', 9, /tag cannot have ":"/],
    ['-x.example/app', 0, /registry's name cannot have "-"/],
    ['registry.example:port/app', 17, /port is not a number/],
    ['registry.example:/app', 17, /port is not a number/],
    ['[::g]/app', 0, /IPv6/],
    ['registry.example/', 17, /no name/],
    ['debian@sha256:abc', 17, /3 digits where sha256 has 64/],
    [`debian@md5:${HEX}`, 7, /digests by "md5"/],
    [`debian@sha256:${HEX.replace('a', 'A')}`, 24, /digest cannot have "A"/],
    [`debian@${HEX}`, 71, /no algorithm/],
    [HEX, 0, /identifier, not a name/],
    ['\u00e4', 0, /cannot have/],
    [`${'a/'.repeat(200)}b`, 255, /longer than 255/],
  ];
  for (const [text, position, reason] of cases) {
    assert.throws(() => parseReference(text), (error) => {
      assert.ok(error instanceof InvalidReferenceError, `${text}: ${String(error)}`);
      assert.match(error.reason, reason, text);
      assert.equal(error.position, position, text);
      return true;
    }, text);
  }
});

test('explainReference() says where each part comes from', () => {
  const { parts } = explainReference('debian');
  assert.deepEqual(parts.map(({ part, value }) => [part, value]), [['registry', 'docker.io'], ['repository', 'library/debian'], ['tag', 'latest']]);
  assert.match(parts[0]?.why ?? '', /default/);
  assert.match(parts[1]?.why ?? '', /official/);
  assert.equal(explainReference(`localhost:5000/x:1@sha256:${HEX}`).parts.length, 4);
});

test('parseReference() takes any text: it answers or throws its own error', () => {
  const alphabet = 'aA0.:/@-_[]% \u00e4sha256';
  let state = 12345;
  const next = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0);
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: next() % 40 }, () => alphabet[next() % alphabet.length] ?? '').join('');
    try {
      const complete = formatReference(parseReference(text));
      assert.equal(formatReference(parseReference(complete)), complete);
    } catch (error) {
      if (!(error instanceof InvalidReferenceError)) throw error;
      assert.ok(error.position >= 0 && error.position <= Math.max(text.length, 255));
    }
  }
});
