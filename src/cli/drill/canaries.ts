/** All canaries together: planted before a technique, looked at after it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Field, Run, Sighting } from '../../drill/index.ts';
import { UserError } from '../errors.ts';
import { CanaryFiles } from './canary-files.ts';
import { CanaryNeighbour } from './canary-neighbour.ts';
import { CanaryProcess } from './canary-process.ts';
import { CanarySockets } from './canary-sockets.ts';

/** Settings of the host's kernel that guests must not change. */
const SETTINGS = ['kernel/core_pattern', 'kernel/modprobe', 'kernel/panic', 'kernel/domainname', 'net/ipv4/ip_forward'];
/** What tells this host from others. */
const IDENTITIES = ['/proc/sys/kernel/random/boot_id', '/etc/machine-id'];
const SECRET_VARIABLE = 'CAISSON_DRILL_SECRET';
const LEAST_IDENTITY = 16;
/** What steers a terminal, beside line breaks and tabs. */
const CONTROL = /[^\P{Cc}\n\t]/u;

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}

/** A secret for each canary; the same one when asked again. */
class Tokens {
  readonly #tokens = new Map<string, string>();

  readonly of = (name: string): string => {
    const known = this.#tokens.get(name);
    if (known !== undefined) return known;
    const token = `CAISSON-DRILL-${randomBytes(12).toString('hex')}`;
    this.#tokens.set(name, token);
    return token;
  };

  /** The names of those that are in what a guest said. */
  seenIn(text: string): readonly string[] {
    return [...this.#tokens].filter(([, token]) => text.includes(token)).map(([name]) => name);
  }
}

function settingsOfHost(directory: string): ReadonlyMap<string, string> {
  // Of mounts only those on the drill's own files: others come and go.
  const mounts = readOrNothing('/proc/self/mountinfo').split('\n').filter((line) => line.includes(directory)).join('\n');
  return new Map([['hostname', hostname()], ['mounts', mounts], ...SETTINGS.map((name): [string, string] => [name, readOrNothing(`/proc/sys/${name}`)])]);
}

export class Canaries {
  readonly field: Field;
  readonly files: CanaryFiles;
  readonly neighbour: CanaryNeighbour;
  readonly #process: CanaryProcess;
  readonly #sockets: CanarySockets;
  readonly #tokens: Tokens;
  readonly #settings: ReadonlyMap<string, string>;

  private constructor(field: Field, files: CanaryFiles, neighbour: CanaryNeighbour, process: CanaryProcess, sockets: CanarySockets, tokens: Tokens) {
    this.field = field;
    this.files = files;
    this.neighbour = neighbour;
    this.#process = process;
    this.#sockets = sockets;
    this.#tokens = tokens;
    this.#settings = settingsOfHost(files.directory);
  }

  /** `startNeighbour`: how the other guest is made. Where one cannot be planted, none stays. */
  static async plant(startNeighbour = CanaryNeighbour.start.bind(CanaryNeighbour)): Promise<Canaries> {
    const tokens = new Tokens();
    const files = new CanaryFiles(tokens.of);
    const undo: (() => void | Promise<void>)[] = [() => files.remove()];
    try {
      const [socket, abstractSocket, theirs] = [join(files.directory, 'engine.sock'), `\0${files.sharedMemory}`, '\0caisson-drill-neighbour'];
      const watchman = await CanaryProcess.start(tokens.of, files.directory, abstractSocket).catch((error: unknown) => {
        throw new UserError(`cannot drill: a program in ${files.directory} ${(error as Error).message}`, 'set TMPDIR to a directory where programs may run; the host has to be Linux on x86-64', undefined, { cause: error });
      });
      undo.unshift(() => watchman.stop());
      const sockets = await CanarySockets.open(tokens.of, socket);
      undo.unshift(() => sockets.close());
      const neighbour = await startNeighbour(tokens.of, files.neighbourRoot, theirs);
      const { root, directory, secretFile, keptFile, granted, readable, stagedFile, stagedTree, sharedMemory } = files;
      const field: Field = {
        root, directory, secretFile, keptFile, granted, readable, stagedFile, stagedTree, sharedMemory, socket, abstractSocket,
        processId: watchman.id, secretAddress: watchman.watchman.secretAddress, secretLength: tokens.of('process-memory').length, wordAddress: watchman.watchman.wordAddress,
        segmentKey: watchman.segmentKey, keySerial: watchman.keySerial, tcpPort: sockets.tcpPort, udpPort: sockets.udpPort, neighbour: neighbour.place,
      };
      process.env[SECRET_VARIABLE] = tokens.of('environment');
      files.arm();
      return new Canaries(field, files, neighbour, watchman, sockets, tokens);
    } catch (error) {
      for (const remove of undo) await remove();
      throw error;
    }
  }

  /** All that is not as it was, and all that is known which should not be. */
  async check({ stdout, stderr, shown = '' }: Run): Promise<readonly Sighting[]> {
    const said = `${stdout}\n${stderr}\n${shown}`;
    const leaks = this.#tokens.seenIn(said).map((name) => ({ canary: name, what: `its secret (${name}) was read` }));
    for (const path of IDENTITIES) {
      const identity = readOrNothing(path);
      if (identity.length >= LEAST_IDENTITY && said.includes(identity)) leaks.push({ canary: 'identity', what: `${path} of the host was read` });
    }
    const inherited = Object.keys(Object.prototype);
    for (const name of inherited) {
      leaks.push({ canary: 'prototype', what: `every object has got "${name}"` });
      Reflect.deleteProperty(Object.prototype, name);
    }
    if (CONTROL.test(shown)) leaks.push({ canary: 'terminal', what: 'control characters of a guest reached the terminal' });
    const settings = settingsOfHost(this.files.directory);
    const changed = [...this.#settings].filter(([name, value]) => settings.get(name) !== value).map(([name]) => ({ canary: 'settings', what: `${name} of the host was changed` }));
    const [inProcess, atSockets, atNeighbour] = await Promise.all([this.#process.check(), this.#sockets.check(), this.neighbour.check()]);
    return [...leaks, ...this.files.check(), ...inProcess, ...atSockets, ...atNeighbour, ...changed];
  }

  async remove(): Promise<void> {
    this.#sockets.close();
    await Promise.all([this.#process.stop(), this.neighbour.stop()]);
    this.files.remove();
  }
}
