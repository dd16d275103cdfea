/** What is weak in a configuration of sshd. */
import type { ContentFinding } from '../../types.ts';
import type { SshdConfig, SshdValue } from './sshd-config.ts';

export interface SshdFinding extends ContentFinding {
  /** Absolute. */
  readonly path: string;
}

const WEAK_CIPHERS = /^(?:3des-cbc|arcfour.*|blowfish-cbc|cast128-cbc|des-cbc.*|aes(?:128|192|256)-cbc|rijndael-cbc@lysator\.liu\.se|none)$/;
const WEAK_MACS = /^(?:hmac-md5.*|hmac-sha1-96.*|hmac-ripemd160.*|umac-32.*|none)$/;
const WEAK_KEX = /^(?:diffie-hellman-group1-sha1|diffie-hellman-group14-sha1|diffie-hellman-group-exchange-sha1|gss-.*sha1-.*)$/;
const WEAK_KEYS = /^(?:ssh-dss|ssh-rsa|ssh-.*-cert-v00@openssh\.com)$/;

interface Check {
  readonly keyword: string;
  readonly rule: string;
  readonly isWeak: (value: string) => boolean;
  readonly message: (value: string) => string;
}

const isYes = (value: string): boolean => /^(?:yes|true)$/i.test(value);
const isNo = (value: string): boolean => /^(?:no|false)$/i.test(value);

/** Names in a list of algorithms that add to sshd's own or replace it; `-` takes away, `^` puts in front. */
function weakOnes(list: string, weak: RegExp): readonly string[] {
  if (list.startsWith('-')) return [];
  return list.replace(/^[+^]/, '').split(',').filter((name) => weak.test(name.trim()));
}

const CHECKS: readonly Check[] = [
  { keyword: 'permitrootlogin', rule: 'sshd-root-login', isWeak: isYes, message: () => 'PermitRootLogin is yes' },
  { keyword: 'permitemptypasswords', rule: 'sshd-empty-passwords', isWeak: isYes, message: () => 'PermitEmptyPasswords is yes' },
  { keyword: 'passwordauthentication', rule: 'sshd-password-authentication', isWeak: isYes, message: () => 'PasswordAuthentication is yes' },
  { keyword: 'hostbasedauthentication', rule: 'sshd-host-based', isWeak: isYes, message: () => 'HostbasedAuthentication is yes' },
  { keyword: 'ignorerhosts', rule: 'sshd-host-based', isWeak: isNo, message: () => 'IgnoreRhosts is no' },
  { keyword: 'permituserenvironment', rule: 'sshd-environment', isWeak: isYes, message: () => 'PermitUserEnvironment is yes' },
  { keyword: 'strictmodes', rule: 'sshd-no-strict-modes', isWeak: isNo, message: () => 'StrictModes is no' },
  ...([['ciphers', WEAK_CIPHERS], ['macs', WEAK_MACS], ['kexalgorithms', WEAK_KEX], ['hostkeyalgorithms', WEAK_KEYS], ['pubkeyacceptedalgorithms', WEAK_KEYS]] as const).map(([keyword, weak]) => ({
    keyword, rule: 'sshd-weak-cryptography', isWeak: (value: string) => weakOnes(value, weak).length > 0, message: (value: string) => `sshd offers ${weakOnes(value, weak).slice(0, 5).join(', ')}`,
  })),
  { keyword: 'authorizedkeyscommand', rule: 'sshd-authorized-keys-command', isWeak: (value) => !/^none$/i.test(value), message: (value) => `AuthorizedKeysCommand is "${value.slice(0, 100)}"` },
];

function findingsIn(settings: ReadonlyMap<string, SshdValue>, suffix: string): readonly SshdFinding[] {
  return CHECKS.flatMap(({ keyword, rule, isWeak, message }) => {
    const value = settings.get(keyword);
    return value === undefined || !isWeak(value.value) ? [] : [{ rule, message: `${message(value.value)}${suffix}`, path: value.file, line: value.line, source: `${keyword} ${value.value}`.slice(0, 200) }];
  });
}

/** Findings for everybody, and for the connections of each `Match`. */
export function judgeSshd({ settings, matches }: SshdConfig): readonly SshdFinding[] {
  return [
    ...findingsIn(settings, ''),
    ...matches.flatMap((part) => findingsIn(part.settings, `, for "Match ${part.criteria.slice(0, 100)}"`)),
  ];
}
