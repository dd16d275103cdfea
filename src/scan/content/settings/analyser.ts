/** Weak settings of what is in an image, and of the image itself. */
import type { Analyser, ImageContext, LayerFact, ScanFile, Sink } from '../../types.ts';
import { baseName, contentOf, isLink, isRegular, latin1 } from '../bytes.ts';
import { PASSWORD_MILLISECONDS } from '../limits.ts';
import { guessPasswords, passwordState, readAuthorizedKeys, readPasswd, readShadow } from './accounts.ts';
import type { Account, Clock } from './accounts.ts';
import { judgeImage } from './image.ts';
import { isReadBySudo, judgePam, judgeSudoers } from './login-files.ts';
import { isOpenDirectory, isReadable, judgeMode } from './permissions.ts';
import { SETTINGS_RULES } from './rules.ts';
import { isServiceFile, judgeService } from './services.ts';
import { readSshdConfig } from './sshd-config.ts';
import { judgeSshd } from './sshd-rules.ts';
import { WORDS } from './word-list.ts';

export interface SettingsOptions {
  /** How long passwords of one file are tried. Default 5 s; 0: not at all. */
  readonly passwordMilliseconds?: number;
  readonly words?: readonly string[];
  readonly clock?: Clock;
}

/** Of one file. */
const MOST_BYTES = 1 << 20;
/** Of sshd's files, which are kept until the image is known as a whole. */
const MOST_SSHD_BYTES = 64 << 10;
const SSHD = /^etc\/ssh\/(?:sshd_config|[^/]+\/.*|[^/]*\.conf)$/;
const AUTHORIZED_KEYS = /(?:^|\/)\.ssh\/authorized_keys2?$|^etc\/ssh\/authorized_keys(?:\/|$)/;
const HOST_KEY = /^etc\/(?:ssh\/)?(?:ssh_host_\w+_key|dropbear\/dropbear_\w+_host_key)$/;
const FAST_HASHES = new Set(['DES', 'BSDi DES', 'md5crypt']);

type FileReader = (text: string, file: ScanFile, sink: Sink) => void;

class SettingsAnalyser implements Analyser {
  readonly name = 'settings';
  readonly scanner = 'config';
  readonly version = 2;
  readonly rules = SETTINGS_RULES;
  readonly #options: Required<SettingsOptions>;

  constructor(options: SettingsOptions) {
    this.#options = { passwordMilliseconds: PASSWORD_MILLISECONDS, words: WORDS, clock: () => performance.now(), ...options };
  }

  readonly #readers: readonly (readonly [RegExp, FileReader])[] = [
    [SSHD, (text, _file, sink) => sink.fact({ sshd: text.slice(0, MOST_SSHD_BYTES) })],
    [HOST_KEY, (_text, file, sink) => sink.finding({ rule: 'ssh-host-key', message: `The host key ${baseName(file.path)} is the same in each container`, staysWhenDeleted: true })],
    [AUTHORIZED_KEYS, (text, _file, sink) => {
      for (const key of readAuthorizedKeys(text).slice(0, 50)) sink.finding({ rule: 'ssh-authorized-key', message: `A key of type ${key.type} may log in: ...${key.shown}`, line: key.line });
    }],
    [/^etc\/shadow-?$/, (text, file, sink) => this.#shadow(readShadow(text), file, sink)],
    [/^etc\/passwd$/, (text, file, sink) => this.#passwd(text, file, sink)],
    [/^etc\/pam\.d\/[^/]+$|^etc\/pam\.conf$/, (text, file, sink) => {
      for (const finding of judgePam(text, /^(?:common-|system-auth|password-auth|other)/.test(baseName(file.path)))) sink.finding(finding);
    }],
    [/^(?:usr\/local\/)?etc\/sudoers$/, (text, _file, sink) => judgeSudoers(text).forEach((finding) => sink.finding(finding))],
    [/^(?:usr\/local\/)?etc\/sudoers\.d\/[^/]+$/, (text, file, sink) => {
      if (isReadBySudo(baseName(file.path))) judgeSudoers(text).forEach((finding) => sink.finding(finding));
    }],
  ];

  /** Modes are looked at for everything; so all that has a mode of interest is wanted, and files by their names. */
  wants(file: ScanFile): boolean {
    return ((file.mode & 0o6002) !== 0 && !isLink(file)) || file.xattrs.has('security.capability') || (isRegular(file) && file.size > 0 && (this.#readersOf(file.path).length > 0 || isServiceFile(file.path)));
  }

  #readersOf(path: string): readonly FileReader[] {
    if (!path.startsWith('etc/') && !path.includes('/etc/') && !path.includes('.ssh/')) return [];
    return this.#readers.filter(([pattern]) => pattern.test(path)).map(([, reader]) => reader);
  }

  analyse(file: ScanFile, sink: Sink): void {
    for (const finding of judgeMode(file)) sink.finding(finding);
    if (isOpenDirectory(file)) sink.fact({ open: true });
    if (!isRegular(file) || file.size === 0) return;
    const readers = this.#readersOf(file.path);
    const isService = isServiceFile(file.path);
    if (readers.length === 0 && !isService) return;
    const text = latin1(contentOf(file, MOST_BYTES));
    for (const reader of readers) reader(text, file, sink);
    if (isService) for (const finding of judgeService(file.path, text)) sink.finding(finding);
  }

  #passwd(text: string, file: ScanFile, sink: Sink): void {
    const accounts = readPasswd(text);
    for (const { user, uid, line } of accounts) if (uid === 0 && user !== 'root') sink.finding({ rule: 'second-root', message: `"${user.slice(0, 40)}" has the number of root`, line });
    this.#shadow(accounts.filter(({ password }) => password !== 'x'), file, sink);
  }

  #shadow(accounts: readonly Account[], file: ScanFile, sink: Sink): void {
    const hashed = accounts.filter(({ password }) => passwordState(password).kind === 'hash');
    for (const { user, password, line } of accounts) if (passwordState(password).kind === 'empty') sink.finding({ rule: 'empty-password', message: `"${user.slice(0, 40)}" has no password and needs none`, line });
    if (hashed.length > 0 && isReadable(file)) sink.finding({ rule: 'readable-shadow', message: `Everybody may read ${hashed.length === 1 ? 'a hash' : `${hashed.length} hashes`} of passwords` });
    const { passwordMilliseconds, words, clock } = this.#options;
    const guesses = guessPasswords(hashed, words, passwordMilliseconds, clock);
    const guessed = new Map(guesses.found.map(({ account, word }) => [account.line, word]));
    for (const { user, password, line } of hashed.slice(0, 100)) {
      const state = passwordState(password);
      const hash = state.kind === 'hash' ? state.hash : 'DES';
      const source = `${user.slice(0, 40)}:********`;
      if (guessed.has(line)) sink.finding({ rule: 'weak-password', message: guessed.get(line) === user ? `The password of "${user.slice(0, 40)}" is its name` : `The password of "${user.slice(0, 40)}" is among the ${words.length} that were tried`, line, source });
      else sink.finding({ rule: 'password-hash', message: `"${user.slice(0, 40)}" has a password (${hash}) that is the same in each container`, line, source, evidence: [{ name: 'words tried', value: `${guesses.tried} of ${guesses.all}` }] });
      if (FAST_HASHES.has(hash)) sink.finding({ rule: 'weak-password-hash', message: `The password of "${user.slice(0, 40)}" is kept by ${hash}`, line, source });
    }
  }

  end(context: ImageContext): void {
    const shown = context.facts.filter(({ isDeleted }) => !isDeleted);
    this.#sshd(context, shown);
    if (context.config === undefined) return;
    const open = new Set(shown.filter(({ value }) => hasKey(value, 'open')).map(({ path }) => `/${path}`));
    for (const finding of judgeImage(context.config, context.target, open)) context.finding(finding);
  }

  #sshd(context: ImageContext, facts: readonly LayerFact[]): void {
    const files = new Map(facts.filter(({ value }) => hasKey(value, 'sshd')).map((fact) => [`/${fact.path}`, fact]));
    if (!files.has('/etc/ssh/sshd_config')) return;
    const config = readSshdConfig('/etc/ssh/sshd_config', { paths: [...files.keys()], text: (path) => String((files.get(path)?.value as { sshd?: unknown } | undefined)?.sshd ?? '') });
    for (const { path, ...finding } of judgeSshd(config)) context.finding({ ...finding, file: path.slice(1), ...(files.get(path) !== undefined && { layer: files.get(path)!.layer }) });
  }
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value;
}

export function settingsAnalyser(options: SettingsOptions = {}): Analyser {
  return new SettingsAnalyser(options);
}
