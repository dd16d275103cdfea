/** Internationalised labels of host names back to letters (RFC 3492, "Punycode"). */
const BASE = 36;
const [T_MIN, T_MAX, SKEW, DAMP, FIRST_BIAS, FIRST_CODE] = [1, 26, 38, 700, 72, 128];

function digitOf(letter: string): number {
  const code = letter.charCodeAt(0);
  if (code >= 0x61 && code <= 0x7a) return code - 0x61;
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 26;
  return BASE;
}

/** RFC 3492 6.1. */
function adapt(delta: number, points: number, isFirst: boolean): number {
  let rest = isFirst ? Math.floor(delta / DAMP) : delta >> 1;
  rest += Math.floor(rest / points);
  let steps = 0;
  while (rest > ((BASE - T_MIN) * T_MAX) >> 1) {
    rest = Math.floor(rest / (BASE - T_MIN));
    steps += BASE;
  }
  return steps + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW));
}

/** Of what follows `xn--`; a label has 63 characters at most. Undefined: it is none. */
export function decodeLabel(text: string): string | undefined {
  const dash = text.lastIndexOf('-');
  const output = [...text.slice(0, Math.max(0, dash))];
  let [code, index, bias] = [FIRST_CODE, 0, FIRST_BIAS];
  for (let at = dash < 0 ? 0 : dash + 1; at < text.length; ) {
    const start = index;
    for (let [weight, step] = [1, BASE]; ; step += BASE) {
      const digit = digitOf(text[at++] ?? '');
      if (digit >= BASE) return undefined;
      index += digit * weight;
      const threshold = step <= bias ? T_MIN : step >= bias + T_MAX ? T_MAX : step - bias;
      if (digit < threshold) break;
      weight *= BASE - threshold;
      if (index > 0x7fffffff || weight > 0x7fffffff) return undefined;
    }
    bias = adapt(index - start, output.length + 1, start === 0);
    code += Math.floor(index / (output.length + 1));
    index %= output.length + 1;
    if (code > 0x10ffff) return undefined;
    output.splice(index++, 0, String.fromCodePoint(code));
  }
  return output.join('');
}

/** A host name as people see it: labels that begin with `xn--` in their own letters. */
export function shownHost(host: string): string {
  return host.split('.').map((label) => (label.startsWith('xn--') && label.length <= 63 ? decodeLabel(label.slice(4)) ?? label : label)).join('.');
}
