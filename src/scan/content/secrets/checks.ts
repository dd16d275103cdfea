/** Secrets that say by their form whether they are real. */

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export function crc32(text: string): number {
  let crc = 0xffff_ffff;
  for (let index = 0; index < text.length; index++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ text.charCodeAt(index)) & 255]!;
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** A number in base 62 with leading zeros. */
export function base62(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 62)) text = BASE62[rest % 62]! + text;
  return text;
}

/** GitHub's and npm's tokens since 2021: a prefix, 30 characters, and their CRC-32 in base 62. GitHub, "Behind GitHub's new authentication token formats". */
export function hasGithubChecksum(token: string): boolean {
  const body = token.slice(token.indexOf('_') + 1);
  return body.length === 36 && base62(crc32(body.slice(0, 30)), 6) === body.slice(30);
}

/** Grafana's: `glsa_`, 32 characters, `_`, and the CRC-32 of all before as hexadecimal digits. */
export function hasGrafanaChecksum(token: string): boolean {
  return crc32(token.slice(0, token.lastIndexOf('_'))).toString(16).padStart(8, '0') === token.slice(token.lastIndexOf('_') + 1);
}

/** Bytes of base64 of either alphabet; undefined if it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  const standard = text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(standard) || standard.length % 4 === 1) return undefined;
  const binary = atob(standard);
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

/** As text; undefined if it is none or not UTF-8. */
export function textFromBase64(text: string): string | undefined {
  const bytes = fromBase64(text);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** An object of JSON. */
export function parseObject(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined || !text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** A JSON web token (RFC 7519) that is signed, and is not the example of every tutorial. */
export function isJwt(token: string): boolean {
  const [head, body, signature] = token.split('.');
  const header = parseObject(textFromBase64(head ?? ''));
  const claims = parseObject(textFromBase64(body ?? ''));
  if (header === undefined || claims === undefined || typeof header['alg'] !== 'string' || header['alg'].toLowerCase() === 'none') return false;
  return (signature?.length ?? 0) >= 20 && claims['sub'] !== '1234567890' && claims['name'] !== 'John Doe';
}

/** Account keys of Azure: 64 or 32 bytes. The emulator's own key is public. */
export function isAzureKey(text: string): boolean {
  const key = text.slice(text.indexOf('=') + 1);
  const length = fromBase64(key)?.length;
  return (length === 64 || length === 32) && !key.startsWith('Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq');
}
