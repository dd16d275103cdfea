/** Where `copyImage` takes images from: registries, OCI layouts (directories and archives), `docker save`, skopeo's `dir:`. */
import type { HostCodecs } from '../host/types.ts';
import type { ArchiveSource } from './archive-source.ts';
import type { CopySource, ManifestBytes } from './copy.ts';
import { artifactFacts } from './artifact.ts';
import { algorithmOf, digestOf, hexOf } from './digest.ts';
import type { Digest } from './digest.ts';
import { DigestMismatchError, ImageError, ImageFormatError } from './errors.ts';
import { LAYER_TYPES, parseDockerManifest } from './load.ts';
import type { DockerImage } from './load.ts';
import { parseManifest } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import { OCI_CONFIG, OCI_MANIFEST, compressionOf } from './media-types.ts';
import { familiarReference, formatReference, parseReference } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';

export class RegistrySource implements CopySource {
  readonly #client: RegistryClient;
  readonly #reference: string;

  /** `reference`: a tag or a digest. */
  constructor(client: RegistryClient, reference: string) {
    this.#client = client;
    this.#reference = reference;
  }

  top(): Promise<ManifestBytes> {
    return this.#client.getManifest(this.#reference);
  }
  manifest(digest: Digest): Promise<ManifestBytes> {
    return this.#client.getManifest(digest);
  }
  blob(digest: Digest, size: number): AsyncIterable<Uint8Array> {
    return this.#client.getBlob(digest, size);
  }
  close(): void {}
}

/** Names of an image in an archive that mean the same. */
function namesOf(text: string): ReadonlySet<string> {
  try {
    const reference = parseReference(text);
    return new Set([text, formatReference(reference), familiarReference(reference)]);
  } catch (error) {
    if (error instanceof ImageError) return new Set([text]);
    throw error;
  }
}

/** The one that is meant, or the only one. */
function choose<Item>(items: readonly Item[], nameOf: (item: Item) => readonly string[], name: string | undefined): Item {
  const wanted = name === undefined ? undefined : namesOf(name);
  const found = wanted === undefined ? items : items.filter((item) => nameOf(item).some((own) => wanted.has(own)));
  const [first, second] = found;
  const known = items.flatMap(nameOf);
  if (first === undefined) throw new ImageError(name === undefined ? 'there is no image in it' : `there is no image "${name}" in it`, known.length === 0 ? undefined : `it has ${known.join(', ')}`);
  if (second !== undefined && name === undefined) throw new ImageError(`there are ${items.length} images in it`, `say which one: ${known.join(', ')}`);
  return first;
}

const NAMES = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

/** An OCI layout, or what `docker save` writes. */
export class LayoutSource implements CopySource {
  readonly #archive: ArchiveSource;
  readonly #codecs: HostCodecs;
  readonly #name: string | undefined;

  constructor(archive: ArchiveSource, codecs: HostCodecs, name: string | undefined) {
    this.#archive = archive;
    this.#codecs = codecs;
    this.#name = name;
  }

  #blobPath(digest: Digest): string {
    return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
  }

  async top(): Promise<ManifestBytes> {
    const bytes = this.#archive.document('index.json');
    if (bytes === undefined) throw new ImageFormatError('there is no OCI layout in it: index.json is missing', 'check the path and the transport');
    const index = parseManifest(bytes, undefined, 'index.json');
    if (index.kind !== 'index') throw new ImageFormatError('index.json is no index');
    // What is about an image has no name, and is none.
    const images = index.manifests.filter(({ digest }) => artifactFacts(this.#archive.document(this.#blobPath(digest)) ?? new Uint8Array()) === undefined);
    const { digest, mediaType } = choose(images, ({ annotations }) => NAMES.flatMap((key) => annotations?.[key] ?? []), this.#name);
    return { ...(await this.manifest(digest)), mediaType };
  }

  async manifest(digest: Digest): Promise<ManifestBytes> {
    const bytes = this.#archive.document(this.#blobPath(digest));
    if (bytes === undefined) throw new ImageFormatError(`the manifest ${digest} is not there`, 'it is not whole; without --all only one platform is copied');
    const actual = digestOf(this.#codecs, bytes, algorithmOf(digest));
    if (actual !== digest) throw new DigestMismatchError('the manifest', digest, actual);
    return { bytes, mediaType: undefined, digest };
  }

  blob(digest: Digest): AsyncIterable<Uint8Array> {
    return needed(this.#archive.stream(this.#blobPath(digest)), digest);
  }
  close(): void {
    this.#archive.close();
  }
}

function needed(stream: AsyncIterable<Uint8Array> | undefined, name: string): AsyncIterable<Uint8Array> {
  if (stream === undefined) throw new ImageFormatError(`the blob ${name} is not there`, 'it is not whole: make it again');
  return stream;
}

/** What `docker save` wrote before version 25, and `skopeo copy ... docker-archive:`: a manifest is made for it, as it has none. */
export class DockerArchiveSource implements CopySource {
  readonly #archive: ArchiveSource;
  readonly #codecs: HostCodecs;
  readonly #name: string | undefined;
  /** Names in the archive by digest. */
  readonly #paths = new Map<Digest, string>();

  constructor(archive: ArchiveSource, codecs: HostCodecs, name: string | undefined) {
    this.#archive = archive;
    this.#codecs = codecs;
    this.#name = name;
  }

  #image(): DockerImage {
    const list = this.#archive.document('manifest.json');
    if (list === undefined) throw new ImageFormatError('there is no archive of Docker in it: manifest.json is missing', 'check the path and the transport');
    return choose(parseDockerManifest(list), ({ tags }) => tags, this.#name);
  }

  async top(): Promise<ManifestBytes> {
    const image = this.#image();
    const config = this.#archive.document(image.config);
    if (config === undefined) throw new ImageFormatError(`the configuration "${image.config}" is not there`, 'it is not whole: make it again');
    const configDigest = digestOf(this.#codecs, config);
    this.#paths.set(configDigest, image.config);
    const layers: Descriptor[] = [];
    for (const path of image.layers) layers.push(await this.#describe(path));
    const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: { mediaType: OCI_CONFIG, digest: configDigest, size: config.length }, layers };
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    return { bytes, mediaType: OCI_MANIFEST, digest: digestOf(this.#codecs, bytes) };
  }

  async #describe(path: string): Promise<Descriptor> {
    const hash = this.#codecs.createDigest('sha256');
    let size = 0;
    let first: Uint8Array = new Uint8Array();
    for await (const chunk of needed(this.#archive.stream(path), `"${path}"`)) {
      if (size === 0) first = chunk.slice(0, 4);
      size += chunk.length;
      hash.update(chunk);
    }
    const digest: Digest = `sha256:${hash.hex()}`;
    this.#paths.set(digest, path);
    return { mediaType: LAYER_TYPES[compressionOf(first)], digest, size };
  }

  manifest(digest: Digest): Promise<ManifestBytes> {
    throw new ImageFormatError(`the manifest ${digest} is not there`);
  }
  blob(digest: Digest): AsyncIterable<Uint8Array> {
    return needed(this.#archive.stream(this.#paths.get(digest) ?? ''), digest);
  }
  close(): void {
    this.#archive.close();
  }
}

/** skopeo's `dir:` (containers-image `directory/directory_dest.go`): blobs by their hexadecimal digits. */
export class PlainDirectorySource implements CopySource {
  readonly #archive: ArchiveSource;
  readonly #codecs: HostCodecs;

  constructor(archive: ArchiveSource, codecs: HostCodecs) {
    this.#archive = archive;
    this.#codecs = codecs;
  }

  async top(): Promise<ManifestBytes> {
    const bytes = this.#archive.document('manifest.json');
    if (bytes === undefined) throw new ImageFormatError('there is no image in it: manifest.json is missing', 'check the path and the transport');
    return { bytes, mediaType: undefined, digest: digestOf(this.#codecs, bytes) };
  }
  async manifest(digest: Digest): Promise<ManifestBytes> {
    const bytes = this.#archive.document(`${hexOf(digest)}.manifest.json`);
    if (bytes === undefined) throw new ImageFormatError(`the manifest ${digest} is not there`, 'it is not whole: make it again with --all');
    const actual = digestOf(this.#codecs, bytes, algorithmOf(digest));
    if (actual !== digest) throw new DigestMismatchError('the manifest', digest, actual);
    return { bytes, mediaType: undefined, digest };
  }
  blob(digest: Digest): AsyncIterable<Uint8Array> {
    return needed(this.#archive.stream(hexOf(digest)), digest);
  }
  close(): void {
    this.#archive.close();
  }
}
