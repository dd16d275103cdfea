/** Bytes with mistakes in them. */

/** One to four of: a byte changed, a piece cut out, doubled, moved, a large number put in. */
export function spoiled(bytes: Uint8Array, random: () => number): Uint8Array {
  let result = Buffer.from(bytes);
  const place = (): number => Math.floor(random() * (result.length + 1));
  for (let count = 1 + Math.floor(random() * 4); count > 0; count--) {
    const [at, length] = [place(), Math.floor(random() * 40)];
    const kind = Math.floor(random() * 5);
    if (kind === 0 && result.length > 0) result[Math.min(at, result.length - 1)] = Math.floor(random() * 256);
    else if (kind === 1) result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
    else if (kind === 2) result = Buffer.concat([result.subarray(0, at), result.subarray(Math.max(0, at - length), at), result.subarray(at)]);
    else if (kind === 3) result = result.subarray(0, at);
    else if (result.length >= 4) result.writeUInt32LE([0, 0xffff_ffff, 0x7fff_ffff, 0x8000_0000, 1][Math.floor(random() * 5)]!, Math.min(at, result.length - 4));
  }
  return result;
}
