/** What containers may leave on this machine: files of a store and of directories beside it, processes, ports, and descriptors of who lives on. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ownProcesses } from '../../cli/caisson.ts';

export interface World {
  /** Below a directory, without those that stay by design (`STAYING`). */
  readonly files: readonly string[];
  /** Ids and command lines of those that were started with the store. */
  readonly processes: readonly string[];
  /** What the store's processes listen at, and `port` if anybody does. */
  readonly ports: readonly string[];
  /** What a process that goes on has open: kinds, without numbers. */
  readonly descriptors: readonly string[];
}

/** What happened is kept in a file of a bounded size; byte code and translations are for the next run, whoever that is. */
const STAYING = /^(store\/events(\.1)?$|cache\/)/;

function filesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true }).map((entry) => relative(directory, join(entry.parentPath ?? entry.path, entry.name))).filter((path) => !STAYING.test(path)).sort();
}

/** Also when it ends meanwhile, or is someone else's. */
function orEmpty<Value>(read: () => readonly Value[]): readonly Value[] {
  try {
    return read();
  } catch {
    return [];
  }
}

/** All processes that have this variable. */
export function processesOf(variable: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => orEmpty(() => readFileSync(`/proc/${id}/environ`, 'latin1').split('\0')).includes(variable));
}

/** The process of a container, which has its id in its command line; whoever else is asked for it is given its name. */
export function processOf(id: string, variable: string): number | undefined {
  return ownProcesses(id, variable)[0];
}

function descriptorsOf(id: number): readonly string[] {
  return [...orEmpty(() => readdirSync(`/proc/${id}/fd`).flatMap((fd) => orEmpty(() => [readlinkSync(`/proc/${id}/fd/${fd}`).replace(/\d+/g, 'N')])))].sort();
}

/** Local addresses (hexadecimal, as /proc/net has them) of sockets that wait for clients, with their inodes. */
function listening(): readonly { readonly place: string; readonly port: number; readonly inode: string }[] {
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((name) => orEmpty(() => readFileSync(`/proc/net/${name}`, 'latin1').split('\n').slice(1)).flatMap((line) => {
    const [, place = '', , state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
    // 0A is TCP's LISTEN, 07 UDP's only state without a peer (include/net/tcp_states.h).
    return state === (name.startsWith('tcp') ? '0A' : '07') ? [{ place: `${name} ${place}`, port: Number.parseInt(place.split(':')[1] ?? '', 16), inode }] : [];
  }));
}

/** `port`: one that nobody else is to have. `survivor`: the process whose descriptors are compared. */
export function lookAt({ scratch, variable, port, survivor }: { readonly scratch: string; readonly variable: string; readonly port: number; readonly survivor: number }): World {
  const processes = processesOf(variable);
  const inodes = new Set(processes.flatMap((id) => orEmpty(() => readdirSync(`/proc/${id}/fd`)).flatMap((fd) => orEmpty(() => [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${id}/fd/${fd}`))?.[1] ?? '']))));
  return {
    files: filesIn(scratch),
    processes: processes.map((id) => `${id} ${orEmpty(() => [readFileSync(`/proc/${id}/cmdline`, 'latin1').split('\0').slice(2).join(' ')])[0] ?? ''}`),
    ports: listening().filter((one) => one.port === port || inodes.has(one.inode)).map(({ place }) => place).sort(),
    descriptors: descriptorsOf(survivor),
  };
}
