/** Sequences of calls that many techniques are made of. */
import { AT_FDCWD, O_CREAT, O_RDONLY, O_WRONLY } from '../../abi/fcntl.ts';
import type { Slot } from './program.ts';
import type { KernelBug, Program, Value } from './program.ts';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const CHUNK = 4096;
const MOST_CHUNKS = 16;
/** What a technique writes where it should not. */
export const MARK = 'written by the drill\n';


/** Opens and says how that went. */
export function open(guest: Program, path: string, flags: number = O_RDONLY, mode = 0o600): Slot {
  return guest.attempt(`open ${path}`, 'openat', AT_FDCWD, guest.text(path), flags, mode);
}

/** Reads what is open, up to 64 KiB, and shows it. */
export function drain(guest: Program, fd: Value): void {
  const buffer = guest.buffer(CHUNK);
  const length = guest.variable(1);
  guest.repeat(MOST_CHUNKS, () => {
    guest.when(length, '>', 0, () => {
      guest.set(length, guest.sys('read', fd, buffer, CHUNK));
      guest.when(length, '>', 0, () => guest.loot(buffer, length));
    });
  });
}

/** Opens a file and shows what is in it. */
export function steal(guest: Program, path: string): Slot {
  const fd = open(guest, path);
  guest.when(fd, '>=', 0, () => {
    drain(guest, fd);
    guest.sys('close', fd);
  });
  return fd;
}

/** Writes into a file that is there, or makes it. */
export function deface(guest: Program, path: string, text: string = MARK, flags: number = O_WRONLY): Slot {
  const fd = open(guest, path, flags);
  guest.when(fd, '>=', 0, () => {
    guest.attempt(`write ${path}`, 'write', fd, guest.text(text), text.length);
    guest.sys('close', fd);
  });
  return fd;
}

export function plant(guest: Program, path: string, text: string = MARK): Slot {
  return deface(guest, path, text, O_WRONLY | O_CREAT);
}

/** An address of a unix socket; a name without a path begins with a zero byte. Answers address and length. */
export function unixAddress(guest: Program, name: string): readonly [number, number] {
  const bytes = new TextEncoder().encode(name);
  const isAbstract = bytes[0] === 0;
  return [guest.bytes([AF_UNIX, 0, ...bytes, 0]), 2 + bytes.length + (isAbstract ? 0 : 1)];
}

export function inetAddress(guest: Program, address: readonly number[], port: number): readonly [number, number] {
  const ports = [port >> 8, port & 255];
  if (address.length === 4) return [guest.bytes([AF_INET, 0, ...ports, ...address, 0, 0, 0, 0, 0, 0, 0, 0]), 16];
  return [guest.bytes([AF_INET6, 0, ...ports, 0, 0, 0, 0, ...address, 0, 0, 0, 0]), 28];
}

/** Asks a server: connects, sends, and shows what it answers within a second. */
function ask(guest: Program, what: string, family: number, [address, length]: readonly [number, number], request: string): void {
  const fd = guest.sys('socket', family, SOCK_STREAM, 0);
  // SOL_SOCKET, SO_RCVTIMEO and SO_SNDTIMEO, in seconds and microseconds: `asm-generic/socket.h`.
  guest.sys('setsockopt', fd, 1, 20, guest.words(1, 0), 16);
  guest.sys('setsockopt', fd, 1, 21, guest.words(0, 300_000), 16);
  const connected = guest.attempt(`connect ${what}`, 'connect', fd, address, length);
  guest.when(connected, '==', 0, () => {
    guest.sys('sendto', fd, guest.text(request), request.length, 0x4000, 0, 0);
    const buffer = guest.buffer(CHUNK);
    const got = guest.sys('read', fd, buffer, CHUNK);
    guest.when(got, '>', 0, () => guest.loot(buffer, got));
  });
  guest.sys('close', fd);
}

export function askUnix(guest: Program, name: string, request = 'GET /containers/json HTTP/1.0\r\n\r\n'): void {
  ask(guest, name.replace('\0', '@'), AF_UNIX, unixAddress(guest, name), request);
}

export function askTcp(guest: Program, what: string, address: readonly number[], port: number, request = 'GET / HTTP/1.0\r\n\r\n'): void {
  ask(guest, `${what} port ${port}`, address.length === 4 ? AF_INET : AF_INET6, inetAddress(guest, address, port), request);
}

/** Sends a datagram. */
export function sendUdp(guest: Program, what: string, address: readonly number[], port: number, text: string = MARK): Slot {
  const fd = guest.sys('socket', address.length === 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  const sent = guest.attempt(`send to ${what} port ${port}`, 'sendto', fd, guest.text(text), text.length, 0, ...inetAddress(guest, address, port));
  guest.sys('close', fd);
  return sent;
}

/** Mounts, without a stop where it cannot. */
export function mount(guest: Program, source: string, target: string, type: string, flags = 0, data = ''): Slot {
  guest.sys('mkdir', guest.text(target), 0o700);
  return guest.attempt(`mount ${type === '' ? source : type} on ${target}`, 'mount', guest.text(source), guest.text(target), type === '' ? 0 : guest.text(type), flags, data === '' ? 0 : guest.text(data));
}


/** A kernel that does what the attacker wants: his code runs with the host's rights. The call itself succeeds. */
export function payload(file: string): KernelBug {
  return (guest, _args, result) => {
    const fd = guest.sys('openat', AT_FDCWD, guest.text(file), O_WRONLY, 0);
    guest.sys('write', fd, guest.text(MARK), MARK.length);
    guest.sys('close', fd);
    guest.set(result, 0);
  };
}

/** A kernel that opens a file of the host's in place of what was asked for. */
export function opens(file: string): KernelBug {
  return (guest, _args, result) => void guest.set(result, guest.sys('openat', AT_FDCWD, guest.text(file), O_RDONLY, 0));
}
