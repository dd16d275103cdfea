/** Spoiled signatures and keys: a verdict, never an exception; and never another text than the one that was signed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCleartextMessage, createMessage, generateKey, sign } from 'openpgp';
import { verifySignature } from '../../src/cli/scan/openpgp.ts';
import type { MirrorTools } from '../../src/scan/mirror/tools.ts';
import { readTrustedRelease } from '../../src/scan/mirror/trust.ts';
import { randomFrom } from '../images/random.ts';
import { spoiled } from './spoiled.ts';

const CASES = 1500;
const TEXT = 'Origin: Debian\nSuite: x\nSHA256:\n ab 1 main/binary-amd64/Packages\n- dash';
const { privateKey: signingKeys, publicKey } = await generateKey({ userIDs: [{ name: 'Mirror' }], format: 'object' });
const key = publicKey.write();
const cleartext = Buffer.from(await sign({ message: await createCleartextMessage({ text: TEXT }), signingKeys }));
const detached = Buffer.from(await sign({ message: await createMessage({ binary: Buffer.from(TEXT) }), signingKeys, detached: true }));

const shown = (verdict: Awaited<ReturnType<typeof verifySignature>>): string | undefined => ('text' in verdict ? Buffer.from(verdict.text).toString() : undefined);

test('as they are, they are good', async () => {
  assert.equal(shown(await verifySignature(cleartext, undefined, [key], [])), TEXT);
  assert.equal(shown(await verifySignature(Buffer.from(TEXT), detached, [key], [])), TEXT);
  assert.equal(shown(await verifySignature(Buffer.from(TEXT), Buffer.from(detached.toString().replace(/^-.*$|^=.{4}$|^\w+:.*$/gm, ''), 'base64'), [Buffer.from(publicKey.armor())], [])), TEXT);
});

test(`${CASES} spoiled cases of signed texts, signatures beside them, and keys`, async () => {
  const seed = Date.now() % 1_000_000;
  const random = randomFrom(seed);
  let good = 0;
  for (let index = 0; index < CASES; index++) {
    const kind = index % 3;
    const [bytes, signature, own] = kind === 0 ? [spoiled(cleartext, random), undefined, key] : kind === 1 ? [Buffer.from(TEXT), spoiled(detached, random), key] : [cleartext, undefined, spoiled(key, random)];
    const verdict = await verifySignature(bytes, signature, [own], []);
    if ('text' in verdict) good++;
    // Spaces at the ends of lines and the kind of their ends are not signed (RFC 9580 7.1).
    const text = shown(verdict)?.replace(/[ \t\r]+$/gm, '');
    assert.ok(text === undefined || text === TEXT, `seed ${seed}, case ${index}: ${JSON.stringify(text)}`);
  }
  assert.ok(good < CASES / 2, `${good} of ${CASES} spoiled cases are good`);
});

test('what never ends takes no longer than its length: a line of a list that nobody signed, keys that only begin', async () => {
  const long = Buffer.from(`-----BEGIN PGP SIGNED MESSAGE-----\n${'x'.repeat(2 ** 21)}`);
  const source = { uri: 'http://a', suite: 'x', components: ['main'], signedBy: [], isTrusted: true, checksAge: true };
  const tools = { fetch: () => Promise.resolve(long), verify: verifySignature, hostKeys: () => [], now: Date.now } as unknown as MirrorTools;
  const problems: string[] = [];
  assert.equal((await readTrustedRelease(source, { trust: { keyrings: [], hostKeys: () => [] }, tools, problems })).digests.size, 0);
  assert.equal(problems.length, 1);
  const keys = Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n'.repeat(25_000));
  assert.deepEqual(await verifySignature(cleartext, undefined, [keys, keys], []), { reason: 'there is no key in the files of keys' });
});
