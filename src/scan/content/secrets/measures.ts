/** What random text looks like, and what stands where a secret will be put in. */

/** Shannon's entropy, in bits a character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / text.length) * Math.log2(count / text.length);
  return entropy;
}

/** Of small letters, capitals, digits and others: how many kinds. */
export function kindsOfLetters(text: string): number {
  return [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((pattern) => pattern.test(text)).length;
}

const PLACEHOLDER_WORDS = [
  'example', 'sample', 'dummy', 'placeholder', 'changeme', 'change_me', 'change-me', 'changethis', 'replaceme', 'replace_', 'replace-', 'insert_', 'insert-', 'your_', 'your-', 'yourpass', 'yourtoken', 'yourkey', 'yoursecret',
  'my_', 'my-', 'mysecret', 'mypassword', 'mytoken', 'redacted', 'todo', 'fixme', 'foobar', 'not-a-real', 'notreal', 'not_real', 'fake', 'xxxx', '****', '....', '____', '----', 'test_', 'test-', 'testing', 'testpass', 'somepassword', 'somesecret', 'some_', 'secret_here', '_here', 'goes-here', 'notasecret', 'hunter2',
];
/** Parts of counting, forwards; a real token has no eight of them in a row. */
const COUNTING = ['0123456789012', '1234567890123', '1234567890abc', 'abcdefghijklm', 'abcdefghijkl', 'a1b2c3d4e5', '123456789', '0123456789ab', 'qwertyuiop', 'deadbeefdeadbeef', 'abcd1234abcd', 'abc123abc123'];
const NOTHING = new Set(['null', 'nil', 'none', 'undefined', 'true', 'false', 'password', 'passwd', 'secret', 'token', 'string', 'required', 'optional', 'default', 'empty', 'unset', 'hidden', 'masked', 'disabled', 'enabled', 'prompt', 'ask', 'environment', 'file', 'stdin', 'username', 'admin', 'root', 'user', 'unknown', 'invalid', 'changeit']);
/** What is put in later: `${X}`, `$X`, `{{ x }}`, `<x>`, `%x%`, `%(x)s`, `[x]`, `@X@`, `#{x}`, `$(x)`, `ENC(x)`, `!vault`. */
const REFERENCE = /^(?:\$|\{\{|\{%|<|%|\[|@|#\{|\{[A-Za-z_]|ENC[([]|!|vault:|ssm:|op:\/\/|secretref:|arn:aws:|env:|env\.|file:|\/run\/secrets|\/etc\/|\/var\/|\.\/|~\/|https?:\/\/)|\{\{|\$\{|\$\(/;

/** Text that stands for a secret and is none. */
export function isPlaceholder(value: string): boolean {
  const lower = value.toLowerCase();
  if (NOTHING.has(lower) || REFERENCE.test(value)) return true;
  if (new Set(lower).size <= 3) return true;
  if (PLACEHOLDER_WORDS.some((word) => lower.includes(word))) return true;
  return COUNTING.some((run) => lower.includes(run)) || longestRun(lower) >= 6;
}

/** The longest run of one character. */
function longestRun(text: string): number {
  let [longest, run] = [0, 0];
  for (let index = 0; index < text.length; index++) {
    run = index > 0 && text[index] === text[index - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** What may be shown of a secret: enough to find it again, not enough to use it. */
export function redacted(secret: string): string {
  const shown = Math.min(4, Math.floor(secret.length / 5));
  return `${secret.slice(0, shown)}${'*'.repeat(8)}`;
}
