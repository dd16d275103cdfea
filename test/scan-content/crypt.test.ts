/** Hashes of passwords against crypt(3) of the host, through Perl. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { hashKind, isPassword } from '../../src/scan/content/settings/crypt/index.ts';

/** With what crypt(3) answers for each password and setting. */
function hostHashes(cases: readonly (readonly [string, string])[]): readonly string[] {
  const script = 'use utf8; binmode(STDIN, ":raw"); while (my $line = <STDIN>) { chomp $line; my ($password, $setting) = split /\\t/, $line, 2; print crypt($password, $setting), "\\n"; }';
  const output = execFileSync('perl', ['-e', script], { input: cases.map((each) => each.join('\t')).join('\n') + '\n', encoding: 'utf8' });
  return output.trimEnd().split('\n');
}

const SETTINGS = [
  'ab', './', 'Zz', 'x9',
  '$1$abcdefgh$', '$1$x$', '$1$saltstringtoolong$',
  '$5$saltstring$', '$5$rounds=1000$s$', '$5$rounds=1200$toolongsaltstringhere$',
  '$6$saltstring$', '$6$rounds=1400$anotherlongsaltstring$', '$6$$',
  '$2b$04$abcdefghijklmnopqrstuu', '$2y$05$abcdefghijklmnopqrstuu',
  '$y$j9T$F5Jx5fExrKuPp53xLKQ..1$', '$y$j75$saltsaltsalt$', '$y$j/5$abcd$', '$y$j9T$$',
  // Two lanes; twice the time; both.
  '$y$j75..$abcd$', '$y$j75/.$abcd$', '$y$j750./$abcd$',
];
const PASSWORDS = ['', 'a', 'password', 'a longer password than sixteen', 'Zürich', 'x'.repeat(70)];

test('isPassword() agrees with crypt(3)', () => {
  const cases = SETTINGS.flatMap((setting, index) => (setting.startsWith('$y') || setting.startsWith('$6') ? [PASSWORDS[index % PASSWORDS.length]!, PASSWORDS[(index + 3) % PASSWORDS.length]!] : PASSWORDS).map((password) => [password, setting] as const));
  const hashes = hostHashes(cases);
  cases.forEach(([password, setting], index) => {
    const hash = hashes[index]!;
    assert.ok(hashKind(hash) !== undefined, `${setting}: ${hash}`);
    assert.equal(isPassword(password, hash), true, `${JSON.stringify(password)} ${hash}`);
    const other = `x${password}`.slice(0, 8);
    if (other !== password.slice(0, 8)) assert.equal(isPassword(other, hash), false, `${other} ${hash}`);
  });
});

test('isPassword() tries no hash that would take for ever', () => {
  for (const hash of ['$6$rounds=999999999$salt$x', '$2b$31$abcdefghijklmnopqrstuu5zyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', '$y$jzzz$salt$x', '$y$jFT$salt$x', '$gy$j9T$salt$x', '$7$CU..../....salt$x', '*', '!', '']) {
    assert.equal(isPassword('password', hash), undefined, hash);
  }
});
