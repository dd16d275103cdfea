/** Images for tests, made once by scripts: OCI layouts in `.cache/images/`, keyed by what makes them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { caisson } from '../cli/caisson.ts';
import type { RunResult, RunSettings } from '../cli/caisson.ts';
import { tarOf } from './layer-testing.ts';
import type { TestEntry } from './layer-testing.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache', 'images');
const BUSYBOX = '/bin/busybox';

/** Makes a directory once: under a temporary name first, so that a run that is ended leaves nothing half done. */
export function cached(name: string, key: string, make: (directory: string) => void): string {
  const directory = join(cache, `${name}-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`);
  if (existsSync(directory)) return directory;
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(join(cache, 'new-'));
  make(temporary);
  if (existsSync(directory)) rmSync(temporary, { recursive: true });
  else renameSync(temporary, directory);
  return directory;
}

/** Runs a peer; its output is for the message when it fails. */
export function peer(command: string, args: readonly string[], settings: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly input?: Uint8Array } = {}): SpawnSyncReturns<string> {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...settings, env: { ...process.env, ...settings.env } });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${result.stdout}${result.stderr}${String(result.error ?? '')}`);
  return result;
}

/** Flags of podman and buildah for a storage of a test's own. podman refuses a run directory with a name of more than 50 characters, which one below TMPDIR may have. */
export function storageFlags(directory: string): readonly string[] {
  const run = mkdtempSync('/tmp/peer-');
  process.on('exit', () => rmSync(run, { recursive: true, force: true }));
  return ['--root', directory, '--runroot', run, '--storage-driver', 'vfs'];
}

/** The built command with a store, or other directories, of a test's own. */
export function commandIn(env: Readonly<Record<string, string>>): {
  readonly run: (args: readonly string[], settings?: RunSettings) => Promise<RunResult>;
  /** Its standard output; it must succeed. */
  readonly mustRun: (args: readonly string[], settings?: RunSettings) => Promise<string>;
} {
  const run = (args: readonly string[], settings: RunSettings = {}): Promise<RunResult> => caisson(args, { timeoutMs: 120_000, ...settings, env: { ...env, ...settings.env } });
  return {
    run,
    mustRun: async (args, settings) => {
      const { stdout, stderr, status } = await run(args, settings);
      assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
      return stdout;
    },
  };
}

/** Digest of the manifest that an OCI layout names. */
export function manifestDigest(layout: string): string {
  return (JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] }).manifests[0]?.digest ?? '';
}

export type Compressor = 'none' | 'gzip' | 'zstd';
const TYPES: Readonly<Record<Compressor, string>> = { none: 'tar', gzip: 'tar+gzip', zstd: 'tar+zstd' };

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** An OCI layout of one image, put together by hand. */
export function writeLayout(directory: string, layers: readonly { readonly tar: Uint8Array; readonly compressor: Compressor }[], config: object, name: string): void {
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
  const put = (bytes: Uint8Array, mediaType: string): object => {
    const digest = sha256(bytes);
    writeFileSync(join(directory, 'blobs/sha256', digest.slice(7)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));
  const descriptors = layers.map(({ tar, compressor }) => {
    const bytes = compressor === 'gzip' ? gzipSync(tar) : compressor === 'zstd' ? execFileSync('zstd', ['-q', '-c'], { input: tar, maxBuffer: 1 << 28 }) : tar;
    return put(bytes, `application/vnd.oci.image.layer.v1.${TYPES[compressor]}`);
  });
  const document = { created: '2024-01-02T03:04:05Z', architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => sha256(tar)) }, history: layers.map((_, index) => ({ created: '2024-01-02T03:04:05Z', created_by: `step ${index}` })) };
  const manifest = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config: put(json(document), 'application/vnd.oci.image.config.v1+json'), layers: descriptors };
  const descriptor = { ...put(json(manifest), manifest.mediaType), annotations: { 'org.opencontainers.image.ref.name': name } };
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

const busybox = (): TestEntry => ({ path: 'bin/busybox', mode: 0o755, text: readFileSync(BUSYBOX, 'latin1') });
const APPLETS = ['sh', 'cat', 'echo', 'id', 'ls', 'env', 'pwd', 'touch', 'true', 'sleep', 'hostname', 'wc', 'mount', 'stat'];

/** busybox-static on scratch, with users. */
export function busyboxLayout(): string {
  return cached('busybox', readFileSync(fileURLToPath(import.meta.url), 'utf8'), (directory) => {
    const entries: TestEntry[] = [
      { path: 'bin/' }, busybox(), ...APPLETS.map((name): TestEntry => ({ path: `bin/${name}`, type: 'link', linkTarget: 'bin/busybox' })), { path: 'etc/' }, { path: 'tmp/', mode: 0o1777 },
      { path: 'etc/passwd', text: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n' }, { path: 'etc/group', text: 'root:x:0:\napp:x:1001:\nwheel:x:10:app\n' },
      { path: 'home/app/', uid: 1000, gid: 1001 }, { path: 'home/app/.profile', uid: 1000, gid: 1001, text: 'x' },
    ];
    writeLayout(directory, [{ tar: tarOf(entries), compressor: 'gzip' }], { Cmd: ['sh'], Env: ['PATH=/bin', 'FLAVOUR=plain'], Labels: { maker: 'test' } }, 'busybox:1');
  });
}

/** A static program of Go on scratch. */
export function goLayout(): string {
  const source = fileURLToPath(new URL('hello.go', import.meta.url));
  return cached('go', readFileSync(source, 'utf8'), (directory) => {
    const program = join(directory, 'hello');
    peer('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', program, source], { env: { CGO_ENABLED: '0', GOCACHE: join(directory, 'gocache'), GOFLAGS: '-mod=mod' } });
    const text = readFileSync(program, 'latin1');
    for (const name of ['hello', 'gocache']) rmSync(join(directory, name), { recursive: true });
    writeLayout(directory, [{ tar: tarOf([{ path: 'hello', mode: 0o755, text }]), compressor: 'gzip' }], { Entrypoint: ['/hello'], User: '7' }, 'hello:1');
  });
}

const at = (seconds: number, nanoseconds = 0): { readonly mtimeSeconds: number; readonly mtimeNanoseconds: number } => ({ mtimeSeconds: seconds, mtimeNanoseconds: nanoseconds });

/** What each of 30 layers adds, changes and takes away, of every kind that an image can hold. */
function kindLayers(): TestEntry[][] {
  const time = at(1_600_000_000, 123_456_789);
  const long = `long/${'directory-with-a-long-name/'.repeat(6)}`;
  const first: TestEntry[] = [
    { path: './', mode: 0o755, ...time }, { path: 'bin/', ...time }, { ...busybox(), ...time }, { path: 'bin/sh', type: 'link', linkTarget: 'bin/busybox', ...time },
    { path: 'usr/', ...time }, { path: 'usr/lib/', ...time }, { path: 'usr/lib/a', text: 'a', ...time }, { path: 'lib', type: 'symlink', linkTarget: 'usr/lib', mode: 0o777, ...time },
    { path: 'dev-files/', ...time }, { path: 'dev-files/null', type: 'character-device', major: 1, minor: 3, mode: 0o666, ...time }, { path: 'dev-files/disk', type: 'block-device', major: 8, minor: 300, mode: 0o660, gid: 6, ...time },
    { path: 'dev-files/pipe', type: 'fifo', mode: 0o600, ...time }, { path: 'owned', uid: 12_345, gid: 3_000_000_000, mode: 0o4751, text: 'owned', ...at(1_234_567_890) }, { path: 'old', text: 'old', ...at(0) },
    { path: 'capable', mode: 0o755, text: 'x', xattrs: new Map([['security.capability', '\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0'], ['user.note', '\xff\0text']]), ...time },
    { path: 'names/', ...time }, { path: 'names/\xc3\xa4\xc3\xb6', text: 'utf-8', ...time }, { path: 'names/\xff\xfe', text: 'bytes', ...time }, { path: 'names/a b\\c', text: 'space', ...time },
    ...long.slice(0, -1).split('/').map((_, index, parts): TestEntry => ({ path: `${parts.slice(0, index + 1).join('/')}/`, ...time })), { path: `${long}file`, text: 'far', ...time }, { path: 'target', type: 'symlink', linkTarget: `/${long}file`, mode: 0o777, ...time },
    { path: 'gone/', ...time }, { path: 'gone/x', text: 'x', ...time }, { path: 'opaque/', ...time }, { path: 'opaque/x', text: 'x', ...time }, { path: 'many/', mode: 0o2775, gid: 50, ...time },
  ];
  const later = Array.from({ length: 27 }, (_, index): TestEntry[] => [
    { path: 'many/', mode: 0o2775, gid: 50, ...at(1_600_000_100 + index) }, { path: `many/f${index}`, text: `layer ${index}`.repeat(index), ...at(1_600_000_000 + index) },
    { path: 'many/changed', text: String(index), ...at(1_600_000_000, index) }, ...(index % 3 === 2 ? [{ path: `many/.wh.f${index - 1}`, text: '' }] : []),
  ]);
  return [
    first, ...later,
    [{ path: '.wh.gone', text: '' }, { path: 'opaque/', ...time }, { path: 'opaque/.wh..wh..opq', text: '' }, { path: 'opaque/y', text: 'y', ...time }, { path: 'lib/b', text: 'b', ...time }, { path: 'usr/', ...time }, { path: 'usr/lib/', ...time }],
    [{ path: 'gone', text: 'a file now', ...time }, { path: 'hard', type: 'link', linkTarget: 'owned', ...time }, { path: './', mode: 0o755, ...time }],
  ];
}

/** 30 layers of three compressions. */
export function kindsLayout(): string {
  return cached('kinds', readFileSync(fileURLToPath(import.meta.url), 'utf8'), (directory) => {
    const compressors: readonly Compressor[] = ['gzip', 'zstd', 'none'];
    writeLayout(directory, kindLayers().map((entries, index) => ({ tar: tarOf(entries), compressor: compressors[index % 3] ?? 'none' })), { Entrypoint: ['/bin/busybox'], WorkingDir: '/work/here' }, 'kinds:30');
  });
}

/** umoci 0.4 reads no zstd: the same image, all gzip. */
export function kindsGzipLayout(): string {
  return cached('kinds-gzip', readFileSync(fileURLToPath(import.meta.url), 'utf8'), (directory) => {
    writeLayout(directory, kindLayers().map((entries) => ({ tar: tarOf(entries), compressor: 'gzip' })), { Entrypoint: ['/bin/busybox'] }, 'kinds:30');
  });
}

/** Enough for bash and id. */
const UNPACKED = ['base-files', 'base-passwd', 'bash', 'coreutils', 'libacl1', 'libattr1', 'libc6', 'libgmp10', 'libpcre2-8-0', 'libselinux1', 'libtinfo6'];

/** What who is not root can make of Debian's packages: they are unpacked, not installed. */
function unpackDebian(made: string): void {
  const rootDirectory = join(made, 'root');
  mkdirSync(join(rootDirectory, 'etc'), { recursive: true });
  peer('apt-get', ['download', '-qq', ...UNPACKED], { cwd: made });
  const packages = readdirSync(made).filter((name) => name.endsWith('.deb'));
  for (const name of packages) peer('dpkg-deb', ['-x', join(made, name), rootDirectory]);
  copyFileSync(join(rootDirectory, 'usr/share/base-passwd/passwd.master'), join(rootDirectory, 'etc/passwd'));
  peer('tar', ['-C', rootDirectory, '--owner=0', '--group=0', '--sort=name', '-cf', join(made, 'root.tar'), '.']);
  for (const name of ['root', ...packages]) rmSync(join(made, name), { recursive: true });
}

/** A Debian root directory as a tar: by mmdebstrap, if this is root. */
export function debianTar(): string {
  const isRoot = process.getuid?.() === 0;
  const directory = cached(isRoot ? 'debian' : 'debian-unpacked', 'bookworm 2', (made) => {
    if (isRoot) peer('mmdebstrap', ['--mode=root', '--variant=minbase', '--quiet', 'bookworm', join(made, 'root.tar')]);
    else unpackDebian(made);
  });
  return join(directory, 'root.tar');
}

/** Lists a tree: `lister.c`, static, so that it runs in any image. */
export function listerProgram(): string {
  const source = fileURLToPath(new URL('lister.c', import.meta.url));
  const directory = cached('lister', readFileSync(source, 'utf8'), (made) => void peer('gcc', ['-static', '-O2', '-o', join(made, 'lister'), source]));
  return join(directory, 'lister');
}
