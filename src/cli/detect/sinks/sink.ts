/** Where lines go that a container's watcher writes: a file, a socket, a webhook. Nothing is lost while whoever reads is slow: who writes is told to wait. */
import { UserError } from '../../errors.ts';
import { StreamFile } from './stream-file.ts';

export interface SinkHandlers {
  /** There is room again after `write` answered false. */
  readonly onDrain: () => void;
  /** Nothing can be written any more. */
  readonly onBroken: (error: Error) => void;
}

export interface Sink {
  /** All of it is taken. False: wait for `onDrain`. A line has its end. */
  write(line: string): boolean;
  /** All is written, or cannot be. */
  end(): Promise<void>;
}

/** What a text after `--events` or `--alerts` means. */
export type Destination =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'webhook'; readonly url: URL };

function wrong(flag: string, text: string, why: string): UserError {
  return new UserError(`cannot use --${flag} ${text}: ${why}`, 'it is FILE, -, unix:/PATH, tcp:HOST:PORT, http://HOST/PATH or https://HOST/PATH; a file of such a name is ./NAME');
}

/** @throws UserError, which names the flag */
export function parseDestination(text: string, flag: string): Destination {
  if (/^https?:/i.test(text)) {
    try {
      return { kind: 'webhook', url: new URL(text) };
    } catch {
      throw wrong(flag, text, 'it is no URL');
    }
  }
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (!path.startsWith('/')) throw wrong(flag, text, 'the path is not absolute');
    return { kind: 'unix', path };
  }
  if (text.startsWith('tcp:')) {
    const [, bracketed, plain, digits] = /^tcp:(?:\/\/)?(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(text) ?? [];
    const port = Number(digits);
    if (digits === undefined || port < 1 || port > 65_535) throw wrong(flag, text, 'there is no HOST:PORT behind tcp:');
    return { kind: 'tcp', host: bracketed ?? plain ?? '', port };
  }
  return { kind: 'file', path: text };
}

/** @throws UserError where it cannot be written to at all */
export async function openSink(text: string, flag: string, handlers: SinkHandlers): Promise<Sink> {
  const destination = parseDestination(text, flag);
  if (destination.kind === 'file') return new StreamFile(destination.path, flag, handlers);
  const sockets = await import('./stream-socket.ts');
  if (destination.kind !== 'webhook') return sockets.connectStream(destination, flag, handlers);
  // A mistyped address is told now, and not after a minute of trying.
  const { hostname, port, protocol } = destination.url;
  (await sockets.connected({ kind: 'tcp', host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || (protocol === 'https:' ? 443 : 80) }, flag)).destroy();
  return new (await import('./webhook.ts')).Webhook(destination.url, handlers);
}
