/**
 * SHA-256 (FIPS 180-4) of a few kilobytes, where Node's module would take longer to load (3 ms) than this to run. The schedule of
 * constants is computed: the first 32 bits of the fractions of the square and cube roots of the first primes (4.2.2, 5.3.3).
 */
const BLOCK_BYTES = 64;
const ROUNDS = 64;
/** A one bit, and the length in eight bytes, behind the message (5.1.1). */
const PADDING_BYTES = 9;

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  return primes;
}

const fractionBits = (root: number): number => ((root - Math.floor(root)) * 2 ** 32) | 0;

let constants: { readonly initial: Int32Array; readonly rounds: Int32Array } | undefined;

function constantsOf(): NonNullable<typeof constants> {
  const primes = firstPrimes(ROUNDS);
  return { initial: Int32Array.from(primes.slice(0, 8), (prime) => fractionBits(Math.sqrt(prime))), rounds: Int32Array.from(primes, (prime) => fractionBits(Math.cbrt(prime))) };
}

function padded(bytes: Uint8Array): DataView {
  const length = Math.ceil((bytes.length + PADDING_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  const message = new Uint8Array(length);
  message.set(bytes);
  message[bytes.length] = 0x80;
  const view = new DataView(message.buffer);
  view.setUint32(length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(length - 4, bytes.length << 3);
  return view;
}

/** The message schedule of a block (6.2.2, step 1). */
function fillSchedule(schedule: Int32Array, message: DataView, start: number): void {
  for (let t = 0; t < 16; t++) schedule[t] = message.getInt32(start + 4 * t);
  for (let t = 16; t < ROUNDS; t++) {
    const x = schedule[t - 15]!;
    const y = schedule[t - 2]!;
    const sigma0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const sigma1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    schedule[t] = schedule[t - 16]! + sigma0 + schedule[t - 7]! + sigma1;
  }
}

/** Steps 2 to 4 of 6.2.2, with the standard's names. */
function compress(state: Int32Array, schedule: Int32Array, rounds: Int32Array): void {
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!, e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
  for (let t = 0; t < ROUNDS; t++) {
    const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + sum1 + ((e & f) ^ (~e & g)) + rounds[t]! + schedule[t]!) | 0;
    const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}

/** In hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  const { initial, rounds } = (constants ??= constantsOf());
  const message = padded(bytes);
  const state = initial.slice();
  const schedule = new Int32Array(ROUNDS);
  for (let start = 0; start < message.byteLength; start += BLOCK_BYTES) {
    fillSchedule(schedule, message, start);
    compress(state, schedule, rounds);
  }
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}
