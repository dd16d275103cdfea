/** Signatures of OpenPGP (RFC 9580), as apt asks for them. Loaded when the first one is looked at: the library is large. */
import { readCleartextMessage, readKeys, readSignature, createMessage, verify } from 'openpgp';
import type { PublicKey, VerifyMessageResult } from 'openpgp';
import { MOST_SIGNATURES } from '../../scan/index.ts';
import type { Verdict } from '../../scan/index.ts';

type VerificationResult = VerifyMessageResult['signatures'][number];

const [BEGIN, END] = ['-----BEGIN PGP PUBLIC KEY BLOCK-----', '-----END PGP PUBLIC KEY BLOCK-----'];
const MOST_SHOWN = 4;

function armoredBlocks(text: string): readonly string[] {
  const blocks: string[] = [];
  for (let begin = text.indexOf(BEGIN); begin >= 0;) {
    const end = text.indexOf(END, begin);
    if (end < 0) break;
    blocks.push(text.slice(begin, end + END.length));
    begin = text.indexOf(BEGIN, end);
  }
  return blocks;
}

/** Keys of one file, in either form; what is no key is passed over, as apt does. */
async function keysIn(bytes: Uint8Array): Promise<readonly PublicKey[]> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const blocks = armoredBlocks(text);
  try {
    const keys = blocks.length === 0 ? await readKeys({ binaryKeys: bytes }) : (await Promise.all(blocks.map((armoredKeys) => readKeys({ armoredKeys })))).flat();
    return keys.map((key) => key.toPublic());
  } catch {
    return [];
  }
}

/** Of all files. A key that several have is good for as long as the newest of them says. */
async function keysOf(files: readonly Uint8Array[]): Promise<readonly PublicKey[]> {
  const keys = new Map<string, PublicKey>();
  for (const bytes of files) {
    for (const key of await keysIn(bytes)) {
      const before = keys.get(key.getFingerprint());
      keys.set(key.getFingerprint(), before === undefined ? key : await before.update(key).catch(() => before));
    }
  }
  return [...keys.values()];
}

function fingerprintsOf(key: PublicKey): readonly string[] {
  return [key, ...key.getSubkeys()].map((one) => one.getFingerprint().toUpperCase());
}

/** Undefined: it is good. Of a key that is not among ours: `unknown`. */
async function problemOf({ keyID, verified }: VerificationResult, keys: readonly PublicKey[]): Promise<string | undefined> {
  const key = keys.find((one) => one.getKeys(keyID).length > 0);
  if (key === undefined) return 'unknown';
  try {
    await verified;
    // It was made while the key was good; the key has to be good still.
    await key.getSigningKey(keyID, new Date());
    return undefined;
  } catch (error) {
    return `key ${keyID.toHex().toUpperCase()}: ${(error as Error).message}`;
  }
}

async function resultsOf(text: Uint8Array, signature: Uint8Array | undefined, verificationKeys: PublicKey[]): Promise<{ readonly text: Uint8Array; readonly signatures: readonly VerificationResult[] }> {
  if (signature === undefined) {
    const message = await readCleartextMessage({ cleartextMessage: new TextDecoder('utf-8', { fatal: true }).decode(text) });
    if (message.getSigningKeyIDs().length > MOST_SIGNATURES) throw new Error('there are too many');
    const { data, signatures } = await verify({ message, verificationKeys });
    return { text: new TextEncoder().encode(data), signatures };
  }
  const isArmored = Buffer.from(signature.subarray(0, 5)).toString('latin1') === '-----';
  const own = isArmored ? await readSignature({ armoredSignature: Buffer.from(signature).toString('latin1') }) : await readSignature({ binarySignature: signature });
  if (own.packets.length > MOST_SIGNATURES) throw new Error('there are too many');
  const { signatures } = await verify({ message: await createMessage({ binary: text }), signature: own, verificationKeys });
  return { text, signatures };
}

/** `fingerprints`: none for all keys. At least one signature is of the keys and good; none of them is spoiled. */
export async function verifySignature(text: Uint8Array, signature: Uint8Array | undefined, files: readonly Uint8Array[], fingerprints: readonly string[]): Promise<Verdict> {
  const all = await keysOf(files);
  const keys = fingerprints.length === 0 ? all : all.filter((key) => fingerprintsOf(key).some((one) => fingerprints.includes(one)));
  if (keys.length === 0) return { reason: all.length === 0 ? 'there is no key in the files of keys' : 'the keys that the source asks for are not in the files of keys' };
  try {
    const results = await resultsOf(text, signature, [...keys]);
    const problems = await Promise.all(results.signatures.map((one) => problemOf(one, keys)));
    const bad = problems.find((problem) => problem !== undefined && problem !== 'unknown');
    if (bad !== undefined) return { reason: bad };
    if (problems.includes(undefined)) return { text: results.text };
    const ids = results.signatures.slice(0, MOST_SHOWN).map(({ keyID }) => keyID.toHex().toUpperCase());
    return { reason: ids.length === 0 ? 'there is none' : `it was made by ${ids.join(', ')}, of which no key is known` };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}
