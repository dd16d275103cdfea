/** Builds for tests: a context from a few words, the built command, buildah as the peer, and images as text. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createImageHost } from '../../src/host/node/image-host.ts';
import { ImageStore } from '../../src/image/store.ts';
import type { StoredImage } from '../../src/image/store.ts';
import { LayerInode } from '../../src/fs/layerfs.ts';
import { cached, peer, writeLayout } from '../images/fixtures.ts';
import { mountLayers, tarOf } from '../images/layer-testing.ts';
import type { CorpusCase } from './corpus.ts';

const ARCHIVE = (): Uint8Array => tarOf([
  { path: 'in/', mode: 0o750, uid: 11, gid: 12, mtimeSeconds: 1_000_000_000 }, { path: 'in/f', text: 'in the archive', mode: 0o640, uid: 13, gid: 14, mtimeSeconds: 1_000_000_000 },
  { path: 'in/l', type: 'symlink', linkTarget: 'f', mtimeSeconds: 1_000_000_000 }, { path: 'top', text: 't', mtimeSeconds: 1_000_000_000 },
]);

function contentsOf(text: string): Uint8Array {
  if (text === 'tar:') return ARCHIVE();
  if (text === 'tar.gz:') return gzipSync(ARCHIVE());
  if (text.startsWith('gz:')) return gzipSync(text.slice(3));
  return Buffer.from(text.replace(/^mode:\d+ /, ''));
}

const APPLETS = ['cat', 'chmod', 'chown', 'cut', 'echo', 'env', 'false', 'grep', 'id', 'ln', 'ls', 'mkdir', 'mv', 'pwd', 'rm', 'rmdir', 'sh', 'sleep', 'stat', 'test', 'touch', 'true', 'wc', 'date'];

/** `busybox:1`: busybox-static on scratch, with users. Links have the mode of their target, which buildah gives to it. */
export function baseLayout(): string {
  return cached('build-base', readFileSync(new URL('harness.ts', import.meta.url), 'utf8'), (directory) => {
    const tar = tarOf([
      { path: 'bin/' }, { path: 'bin/busybox', mode: 0o755, text: readFileSync('/bin/busybox', 'latin1') },
      ...APPLETS.map((name) => ({ path: `bin/${name}`, type: 'link' as const, linkTarget: 'bin/busybox', mode: 0o755 })), { path: 'etc/' }, { path: 'tmp/', mode: 0o1777 },
      { path: 'etc/passwd', text: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n' }, { path: 'etc/group', text: 'root:x:0:\napp:x:1001:\nwheel:x:10:app\n' },
      { path: 'home/' }, { path: 'home/app/', uid: 1000, gid: 1001 },
    ]);
    writeLayout(directory, [{ tar, compressor: 'gzip' }], { Cmd: ['sh'], Env: ['PATH=/bin', 'FLAVOUR=plain'], Labels: { maker: 'test' } }, 'busybox:1');
  });
}

/** A directory with the files of a case, with its Dockerfile. */
export function makeContext(parent: string, { files = {}, dockerfile }: Pick<CorpusCase, 'files' | 'dockerfile'>): string {
  const directory = mkdtempSync(join(parent, 'context-'));
  chmodSync(directory, 0o755);
  for (const [path, text] of Object.entries(files)) {
    const place = join(directory, path);
    mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
    if (path.endsWith('/')) mkdirSync(place, { recursive: true, mode: 0o755 });
    else if (text.startsWith('->')) symlinkSync(text.slice(2), place);
    else {
      writeFileSync(place, contentsOf(text));
      chmodSync(place, Number.parseInt(/^mode:(\d+) /.exec(text)?.[1] ?? '644', 8));
    }
  }
  writeFileSync(join(directory, 'Dockerfile'), dockerfile);
  return directory;
}

export function openStore(directory: string): ImageStore {
  return ImageStore.open(createImageHost(), directory);
}

/** What both builders make for themselves, or that only one of them keeps. */
const OWN = /^\/(?:dev|proc|sys|run|etc\/(?:hosts|hostname|resolv\.conf))(?:\/|$)/;
const LETTERS: Readonly<Record<number, string>> = { 0x4000: 'd', 0x8000: '-', 0xa000: 'l', 0x2000: 'c', 0x6000: 'b', 0x1000: 'p' };
const SHORT = 60;

function describe(inode: LayerInode, path: string): string {
  const { mode, uid, gid, nlink } = inode.stat();
  const target = inode.readLink();
  const bytes = new Uint8Array(inode.path === undefined ? inode.size : 0);
  if ((mode & 0xf000) === 0x8000) inode.readAt(bytes, 0);
  const isText = bytes.length <= SHORT && bytes.every((byte) => byte === 10 || (byte >= 32 && byte < 127));
  const text = typeof target === 'string' ? ` -> ${target}` : (mode & 0xf000) !== 0x8000 ? '' : isText ? ` ${JSON.stringify(Buffer.from(bytes).toString())}` : ` ${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
  return `${LETTERS[mode & 0xf000] ?? '?'} ${(mode & 0o7777).toString(8)} ${uid}:${gid} ${path}${text}${(mode & 0xf000) === 0x8000 && nlink > 1 ? ` (${nlink} links)` : ''}`;
}

/** A line for each name of the image's tree, sorted; `without`: lines of the base. */
export function treeOf(store: ImageStore, image: StoredImage, without: ReadonlySet<string> = new Set()): readonly string[] {
  const lines: string[] = [];
  const visit = (directory: LayerInode, path: string): void => {
    const entries = directory.readDirectory();
    if (typeof entries === 'number') throw new Error(`no directory ${path}`);
    for (const { name } of entries) {
      const inode = directory.lookup(name);
      if (!(inode instanceof LayerInode)) throw new Error(`${path}/${name}: ${inode}`);
      const at = `${path}/${name}`;
      if (OWN.test(at)) continue;
      const line = describe(inode, at);
      if (!without.has(line)) lines.push(line);
      if (inode.path !== undefined) visit(inode, at);
    }
  };
  visit(mountLayers(store, image.config.diffIds).root, '');
  return lines.sort((left, right) => (left.split(' ')[3]! < right.split(' ')[3]! ? -1 : 1));
}

/** Of containers, not of images; Docker's archives have them empty. */
const DOCKER_ONLY = new Set(['Hostname', 'Domainname', 'AttachStdin', 'AttachStdout', 'AttachStderr', 'Tty', 'OpenStdin', 'StdinOnce', 'Image', 'ArgsEscaped']);

const isEmpty = (value: unknown): boolean => value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);

/** The `config` of the document, with what the peers add taken away. */
export function configOf({ config }: StoredImage): Record<string, unknown> {
  const { Labels, ...rest } = config.document['config'] as Record<string, unknown> & { Labels?: Record<string, string> };
  const labels = Object.entries(Labels ?? {}).filter(([name]) => !name.startsWith('io.buildah'));
  const all: Record<string, unknown> = { ...rest, ...(labels.length === 0 ? {} : { Labels: Object.fromEntries(labels.sort()) }), ...(config.author === undefined || config.author === '' ? {} : { author: config.author }) };
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => !isEmpty(value) && !(name === 'WorkingDir' && value === '/') && !DOCKER_ONLY.has(name)).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** buildah with a storage of its own. It needs root. */
export class Buildah {
  readonly #flags: readonly string[];
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#flags = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs'];
    peer('skopeo', ['copy', '-q', `oci:${baseLayout()}`, `containers-storage:[vfs@${join(directory, 'root')}+${join(directory, 'run')}]localhost/busybox:1`]);
  }

  /** Undefined: there is none here, or we may not use it. */
  static open(directory: string): Buildah | undefined {
    if (process.getuid?.() !== 0 || spawnSync('buildah', ['--version']).status !== 0) return undefined;
    return new Buildah(directory);
  }

  /** An archive of what it builds, under the name `peer/NAME:1`. */
  build(context: string, args: readonly string[], name: string): string {
    const archive = join(this.#directory, `${name}.tar`);
    peer('buildah', [...this.#flags, 'bud', '-q', '--isolation', 'chroot', '--format', 'docker', '--pull-never', '-t', name, ...args, context], { cwd: context });
    peer('buildah', [...this.#flags, 'push', '-q', name, `docker-archive:${archive}:peer/${name}:1`]);
    return archive;
  }
}

/** What the reference says about each case, or what buildah gave when it was recorded. */
export interface Recorded {
  readonly by: string;
  readonly tree: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
}

const RECORDED = new URL('recorded.json', import.meta.url);

export function readRecorded(): Readonly<Record<string, Recorded>> {
  return JSON.parse(readFileSync(RECORDED, 'utf8')) as Record<string, Recorded>;
}

export function writeRecorded(recorded: Readonly<Record<string, Recorded>>): void {
  writeFileSync(RECORDED, `${JSON.stringify(recorded, undefined, 1)}\n`);
}
