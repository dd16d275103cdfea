/** What the word behind `caisson scan` means: an image of the store, a directory, an archive, a bill of materials, an image elsewhere. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createImageHost } from '../../host/node/image-host.ts';
import { DEFAULT_LAYER_LIMITS, ImageError, ImageFormatError, ImageStore, NoSuchImageError, OWN_PLATFORM, isLayerType, algorithmOf, parseConfig, parseManifest, selectPlatform, MOST_DOCUMENT_BYTES, DigestMismatchError } from '../../image/index.ts';
import type { CopySource, Descriptor, ImageConfig, Manifest, Platform, StoredImage } from '../../image/index.ts';
import { MOST_SBOM_BYTES, ScanInputError, configOf, openHostFiles, openLayerFiles, readBill } from '../../scan/index.ts';
import type { KnownImage, OpenFiles, Subject, SubjectLayer } from '../../scan/index.ts';
import { toByteString } from '../bytes.ts';
import { openSource, parsePlace } from '../images/copy-commands.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { platformFlag } from '../images/image-archives.ts';
import { BlobProgress } from '../progress.ts';
import { familiarReference } from '../../image/reference.ts';

/** An open subject; `close` removes what was unpacked for it. */
export interface OpenSubject {
  readonly subject: Subject;
  readonly notes: readonly string[];
  close(): void;
}

export interface SubjectOptions {
  readonly values: FlagValues;
  /** Undefined where there is none. */
  readonly store: ImageStore | undefined;
  readonly note: (text: string) => void;
}

/** `debian:12`, or the beginning of the id. */
export function nameOfImage({ record: { reference }, id }: StoredImage): string {
  return reference === undefined ? id.slice(7, 19) : familiarReference(reference);
}

export function knownImages(store: ImageStore): readonly KnownImage[] {
  return store.list().map((image) => ({ name: nameOfImage(image), diffIds: image.config.diffIds }));
}

export function subjectOfImage(store: ImageStore, image: StoredImage, target: string): Subject {
  const { manifest, config, id, record } = image;
  const layers = config.diffIds.map((diffId, index): SubjectLayer => ({
    diffId, open: async () => {
      const descriptor = manifest.layers[index];
      if (descriptor !== undefined) await store.layers.prepare(descriptor, diffId);
      return openLayerFiles(store.disk.files, store.layers.pathsOf(diffId));
    },
  }));
  const digests = [id, record.target.digest, record.manifest.digest, ...record.digests.map((text) => text.slice(text.indexOf('@') + 1))];
  return { target, kind: 'image', id, digests, layers, config: configOf(config), annotations: manifest.annotations ?? {} };
}

/** Bytes that are what was promised. */
async function* verified(source: AsyncIterable<Uint8Array>, { digest, size }: Descriptor): AsyncIterable<Uint8Array> {
  const hash = createImageHost().codecs.createDigest(algorithmOf(digest));
  let done = 0;
  for await (const piece of source) {
    done += piece.length;
    if (done > size) throw new ImageFormatError(`the blob ${digest} is longer than the ${size} bytes that were promised`, 'its source is spoiled, or lies');
    hash.update(piece);
    yield piece;
  }
  const actual = `${algorithmOf(digest)}:${hash.hex()}` as typeof digest;
  if (actual !== digest) throw new DigestMismatchError(`the blob ${digest}`, digest, actual);
}

async function readDocument(source: CopySource, descriptor: Descriptor): Promise<Uint8Array> {
  if (descriptor.size > MOST_DOCUMENT_BYTES) throw new ImageFormatError('the configuration is too long', 'is it an image of a container?');
  const pieces: Uint8Array[] = [];
  for await (const piece of verified(source.blob(descriptor.digest, descriptor.size), descriptor)) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

/** `digests`: of it, and of the indexes on the way. */
async function manifestOf(source: CopySource, platform: Platform): Promise<{ readonly manifest: Manifest; readonly digests: readonly string[] }> {
  let own = await source.top();
  const digests: string[] = [];
  for (let depth = 0; depth < 4; depth++) {
    const document = parseManifest(own.bytes, own.mediaType, 'the manifest');
    digests.push(`sha256:${createHash('sha256').update(own.bytes).digest('hex')}`);
    if (document.kind === 'manifest') return { manifest: document, digests };
    const selected = selectPlatform(document, platform);
    if (selected === undefined) throw new ImageError('it has no image for this platform', 'name one with --platform');
    own = await source.manifest(selected.digest);
  }
  throw new ImageFormatError('its indexes name one another', 'do not trust this image');
}

function temporaryDirectory(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'caisson-scan-'));
  } catch (error) {
    throw new ScanInputError(`there is no place to unpack it: ${(error as Error).message}`, 'name a directory in TMPDIR', { cause: error });
  }
}

/** Layers of an image that is elsewhere: each is checked and unpacked in a store of its own, when it is needed. */
class ForeignImage {
  readonly #source: CopySource;
  readonly #directory: string;
  readonly #scratch: ImageStore;
  readonly #own: ImageStore | undefined;

  constructor(source: CopySource, own: ImageStore | undefined) {
    this.#source = source;
    this.#own = own;
    this.#directory = temporaryDirectory();
    try {
      this.#scratch = ImageStore.open(createImageHost(), toByteString(this.#directory));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #open(descriptor: Descriptor, diffId: ImageConfig['diffIds'][number]): Promise<OpenFiles> {
    if (this.#own?.layers.has(diffId) === true) return openLayerFiles(this.#own.disk.files, this.#own.layers.pathsOf(diffId));
    if (!isLayerType(descriptor.mediaType)) throw new ImageFormatError(`it has something of the type ${descriptor.mediaType} as a layer`, 'it is no image of a container');
    await this.#scratch.layers.take({ source: this.#source.blob(descriptor.digest, descriptor.size), descriptor, diffId, limits: DEFAULT_LAYER_LIMITS });
    const opened = openLayerFiles(this.#scratch.disk.files, this.#scratch.layers.pathsOf(diffId));
    return {
      files: (changes) => opened.files(changes),
      close: () => {
        opened.close();
        this.#scratch.layers.remove(diffId);
        this.#scratch.disk.remove(this.#scratch.blobs.pathOf(descriptor.digest));
      },
    };
  }

  async subject(target: string, platform: Platform): Promise<Subject> {
    const { manifest, digests } = await manifestOf(this.#source, platform);
    const config = parseConfig(await readDocument(this.#source, manifest.config), 'the configuration');
    if (config.diffIds.length !== manifest.layers.length) throw new ImageFormatError(`it has ${manifest.layers.length} layers, and its configuration says ${config.diffIds.length}`, 'do not trust this image');
    const layers = config.diffIds.map((diffId, index): SubjectLayer => ({
      diffId, open: () => {
        const descriptor = manifest.layers[index];
        if (descriptor === undefined) throw new ImageFormatError('it lacks a layer');
        return this.#open(descriptor, diffId);
      },
    }));
    return { target, kind: 'image', id: manifest.config.digest, digests: [manifest.config.digest, ...digests], layers, config: configOf(config), annotations: manifest.annotations ?? {} };
  }

  close(): void {
    this.#source.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function openPlace(text: string, target: string, { values, store }: SubjectOptions): Promise<OpenSubject> {
  const image = new ForeignImage(await openSource(parsePlace(text), values, new BlobProgress(values.has('quiet'))), store);
  try {
    return { subject: await image.subject(target, values.has('platform') ? platformFlag(values) : OWN_PLATFORM), notes: [], close: () => image.close() };
  } catch (error) {
    image.close();
    throw error;
  }
}

function openDirectory(path: string, target: string): OpenSubject {
  const notes: string[] = [];
  let unread = 0;
  const open = async (): Promise<OpenFiles> => openHostFiles(createImageHost().files, toByteString(path), () => unread++);
  return {
    subject: { target, kind: 'directory', layers: [{ diffId: '', open }] },
    get notes() {
      return unread === 0 ? notes : [...notes, `${unread === 1 ? 'a file or directory' : `${unread} files or directories`} could not be read`];
    },
    close: () => undefined,
  };
}

function startsWithBrace(path: string): boolean {
  const handle = openSync(path, 'r');
  try {
    const start = Buffer.alloc(64);
    return /^(?:\ufeff)?\s*\{/.test(start.toString('utf8', 0, readSync(handle, start, 0, start.length, 0)));
  } finally {
    closeSync(handle);
  }
}

async function openArchiveFile(path: string, word: string, options: SubjectOptions): Promise<OpenSubject> {
  try {
    return await openPlace(`docker-archive:${path}`, word, options);
  } catch (error) {
    if (!(error instanceof ImageFormatError)) throw error;
    throw new ScanInputError(`it holds no image: ${error.message.replace(/^cannot read the tar archive: /, '')}`, 'archives of "docker save" and OCI are read, and bills of materials as JSON', { cause: error });
  }
}

/** A path that is there. @throws ScanInputError, also where it may not be read */
async function openPath(word: string, options: SubjectOptions): Promise<OpenSubject> {
  try {
    return await openKind(resolve(word), word, options);
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).syscall !== 'string') throw error;
    throw new ScanInputError(`it cannot be read: ${(error as NodeJS.ErrnoException).code === 'EACCES' ? 'permission denied' : (error as Error).message}`, 'check its rights', { cause: error });
  }
}

async function openKind(path: string, word: string, options: SubjectOptions): Promise<OpenSubject> {
  const stat = statSync(path);
  if (stat.isDirectory()) {
    if (existsSync(join(path, 'index.json')) && existsSync(join(path, 'blobs'))) return openPlace(`oci:${path}`, word, options);
    return existsSync(join(path, 'manifest.json')) && existsSync(join(path, 'version')) ? openPlace(`dir:${path}`, word, options) : openDirectory(path, word);
  }
  if (!stat.isFile()) throw new ScanInputError('it is no file and no directory', 'name an image, a directory, an archive or a bill of materials');
  if (!startsWithBrace(path)) return openArchiveFile(path, word, options);
  if (stat.size > MOST_SBOM_BYTES) throw new ScanInputError(`it is longer than ${MOST_SBOM_BYTES >> 20} MiB`, 'is it a bill of materials?');
  const bill = readBill(readFileSync(path));
  if (bill === undefined) throw new ScanInputError('it is JSON, but no bill of materials', 'CycloneDX and SPDX are read');
  return { subject: { target: word, kind: 'sbom', layers: [], bill }, notes: [], close: () => undefined };
}

/** An image of the store goes before a path of the same name, unless the word begins with `.` or `/`. @throws UserError, ImageError, ScanInputError */
export async function openSubject(word: string, options: SubjectOptions): Promise<OpenSubject> {
  const { store } = options;
  if (/^(?:docker:\/\/|oci:|oci-archive:|docker-archive:|dir:)/.test(word)) return openPlace(word, word, options);
  let missing: NoSuchImageError | undefined;
  if (store !== undefined && !/^[./]/.test(word)) {
    try {
      const image = store.find(word);
      return { subject: subjectOfImage(store, image, word), notes: [], close: () => undefined };
    } catch (error) {
      if (!(error instanceof ImageError) || (!(error instanceof NoSuchImageError) && !existsSync(word))) throw error;
      missing = error instanceof NoSuchImageError ? error : undefined;
    }
  }
  if (existsSync(word)) return openPath(word, options);
  if (/^[./]/.test(word)) throw new UserError(`cannot scan "${word}": there is no such file or directory`, 'check the path');
  try {
    options.note(`${word} is not here: looking at its registry`);
    return await openPlace(`docker://${word}`, word, options);
  } catch (error) {
    throw error instanceof ImageError && missing !== undefined ? new UserError(`cannot scan "${word}": there is no such image here, no such path, and its registry does not help: ${error.message}`, missing.advice ?? 'see "caisson images"', undefined, { cause: error }) : error;
  }
}

