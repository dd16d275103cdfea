/** From an image's configuration to a process: OCI image-spec conversion.md, and what `docker run` adds. */
import type { ProcessDefaults } from '../image/index.ts';
import { resolveUser } from './accounts.ts';
import type { Account, AccountReader } from './accounts.ts';
import type { UserConfig } from './config.ts';
import type { ContainerFiles } from './files.ts';

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the caller says over the image's configuration. Texts are byte strings. */
export interface ProcessOverrides {
  /** Replaces the entrypoint; an empty one takes it away, and the image's command with it. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Replaces the command where it is not empty. */
  readonly command: readonly string[];
  readonly user?: string | undefined;
  readonly workingDirectory?: string | undefined;
  readonly hostname: string;
  readonly terminal: boolean;
}

export interface ImageProcess {
  readonly argv: readonly string[];
  /** Without the caller's own variables. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: UserConfig;
}

/** Reads passwd and group inside the container, where links lead as they do for its programs. */
export function accountReader(files: ContainerFiles): AccountReader {
  return (path) => {
    const bytes = files.readFile(path);
    return typeof bytes === 'number' ? undefined : Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  };
}

function environmentOf(defaults: ProcessDefaults, { hostname, terminal }: ProcessOverrides, account: Account | undefined): readonly string[] {
  const own = defaults.env.map(toBytes);
  const names = new Set(own.map((entry) => entry.split('=', 1)[0]));
  const added = [
    ...(names.has('PATH') ? [] : [DEFAULT_PATH]),
    `HOSTNAME=${hostname}`,
    ...(terminal && !names.has('TERM') ? ['TERM=xterm'] : []),
    ...(names.has('HOME') ? [] : [`HOME=${account?.home === undefined || account.home === '' ? '/' : account.home}`]),
  ];
  return [...added, ...own];
}

/** A configuration is JSON, so text; the kernel wants bytes. */
function toBytes(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

/**
 * An empty `argv` means that neither says what to run.
 *
 * @throws UnknownAccountError where the image has no such user.
 */
export function processOf(defaults: ProcessDefaults, overrides: ProcessOverrides, read: AccountReader): ImageProcess {
  const { entrypoint, command } = overrides;
  const cmd = command.length > 0 ? command : entrypoint === undefined ? defaults.cmd.map(toBytes) : [];
  const userText = overrides.user ?? toBytes(defaults.user);
  const { user, account } = resolveUser(read, userText === '' ? '0' : userText.replace(/^:/, '0:'));
  return {
    argv: [...(entrypoint ?? defaults.entrypoint.map(toBytes)), ...cmd],
    env: environmentOf(defaults, overrides, account),
    cwd: overrides.workingDirectory ?? (defaults.workingDirectory === '' ? '/' : `/${toBytes(defaults.workingDirectory).replace(/^\/+/, '')}`),
    user,
  };
}

/** Makes a directory and those above it, as Docker does for a working directory and a volume. 0 or a negative errno. */
export function ensureDirectory(files: ContainerFiles, path: string): number {
  let at = '';
  for (const part of path.split('/').filter((name) => name !== '')) {
    at += `/${part}`;
    const found = files.list(at);
    if (typeof found !== 'number') continue;
    const made = files.makeDirectory(at);
    if (made < 0) return made;
  }
  return 0;
}
