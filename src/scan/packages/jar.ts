/** Java: jars, wars and ears, and jars in them. Maven leaves `pom.properties`; else the manifest and the name of the file say what it is. */
import { MOST_JAR_BYTES, MOST_JAR_DEPTH, MOST_JAR_DOCUMENT_BYTES, MOST_NESTED_BYTES, MOST_POM_PROPERTIES_BYTES, MOST_ZIP_ENTRIES } from '../limits.ts';
import { baseName, textOf } from '../text.ts';
import { PackageList } from './checked.ts';
import type { PackageReader, ReaderTools } from './types.ts';
import { zipContent, zipEntries } from './zip.ts';
import type { ZipBytes, ZipEntry } from './zip.ts';

const ARCHIVE = /\.(?:jar|war|ear|par|hpi|jpi)$/i;

/** `name=value` lines of a properties file. */
function propertiesOf(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^\s*(groupId|artifactId|version)\s*[=:](.*)$/s.exec(line.slice(0, 1000)) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, value.trim());
  }
  return values;
}

/** The main section of a manifest (JAR File Specification): a line that begins with a space goes on. */
function manifestOf(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.replace(/\r?\n /g, '').split(/\r?\n/)) {
    if (line === '') break;
    const colon = line.indexOf(': ');
    if (colon > 0) values.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 2).trim());
  }
  return values;
}

/** `slf4j-api-1.7.30.jar` */
function fromFileName(path: string): { readonly artifact: string | undefined; readonly version: string | undefined } {
  const [, artifact, version] = /^(.+?)-(\d[\w.+-]*?)(?:-(?:sources|javadoc|jar-with-dependencies|all|shaded))?\.[a-z]+$/i.exec(baseName(path).slice(0, 300)) ?? [];
  return { artifact, version };
}

/** Of each entry that is read: the work beside its bytes. */
const LEAST_READ_BYTES = 4096;

class JarReader {
  readonly list = new PackageList();
  readonly #tools: ReaderTools;
  #readBytes = 0;

  constructor(tools: ReaderTools) {
    this.#tools = tools;
  }

  read(source: ZipBytes, path: string, depth: number): boolean {
    const found = zipEntries(source);
    if (found === undefined) return false;
    const { entries } = found;
    if (!found.isWhole) this.list.problem = `its list of entries is spoiled, or has more than ${MOST_ZIP_ENTRIES}`;
    const poms = entries.filter(({ name }) => name.startsWith('META-INF/maven/') && name.endsWith('/pom.properties'));
    for (const entry of poms) {
      const values = propertiesOf(this.#document(source, entry, MOST_POM_PROPERTIES_BYTES));
      const [group, artifact] = [values.get('groupId') ?? '', values.get('artifactId') ?? ''];
      if (group !== '' && artifact !== '') this.list.add({ type: 'maven', name: `${group}:${artifact}`, version: values.get('version') });
    }
    if (poms.length === 0) this.#fromManifest(source, entries, path);
    for (const entry of entries) if (ARCHIVE.test(entry.name)) this.#nested(source, entry, path, depth);
    return true;
  }

  /** What is read of entries counts, and more than they say themselves: many of them may name the same bytes. Undefined: it is spoiled, or too much has been read. */
  #content(source: ZipBytes, entry: ZipEntry, most: number): Uint8Array | undefined {
    this.#readBytes += Math.max(entry.size, entry.compressedSize, LEAST_READ_BYTES);
    if (this.#readBytes <= MOST_NESTED_BYTES) return zipContent(source, entry, this.#tools, most);
    this.list.problem = 'what is in it is too large together';
    return undefined;
  }

  #document(source: ZipBytes, entry: ZipEntry, most: number): string {
    const bytes = this.#content(source, entry, most);
    return bytes === undefined ? '' : textOf(bytes);
  }

  #fromManifest(source: ZipBytes, entries: readonly ZipEntry[], path: string): void {
    const entry = entries.find(({ name }) => name.toUpperCase() === 'META-INF/MANIFEST.MF');
    const manifest = entry === undefined ? new Map<string, string>() : manifestOf(this.#document(source, entry, MOST_JAR_DOCUMENT_BYTES));
    const file = fromFileName(path);
    const bundle = manifest.get('bundle-symbolicname')?.split(';')[0]?.trim();
    const artifact = file.artifact ?? manifest.get('implementation-title') ?? bundle;
    const version = file.version ?? manifest.get('implementation-version') ?? manifest.get('bundle-version');
    // A title of several words is no name of an artifact.
    if (artifact === undefined || /\s/.test(artifact) || version === undefined) return;
    const group = manifest.get('implementation-vendor-id') ?? (bundle?.endsWith(`.${artifact}`) === true ? bundle.slice(0, -artifact.length - 1) : bundle) ?? artifact;
    this.list.add({ type: 'maven', name: `${/\s/.test(group) ? artifact : group}:${artifact}`, version });
  }

  #nested(source: ZipBytes, entry: ZipEntry, path: string, depth: number): void {
    if (depth >= MOST_JAR_DEPTH || entry.size > MOST_JAR_BYTES) {
      this.list.problem = `jars in it are nested more than ${MOST_JAR_DEPTH} deep, or too large`;
      return;
    }
    const bytes = this.#content(source, entry, MOST_JAR_BYTES);
    if (bytes === undefined) this.list.problem ??= `"${entry.name}" in it is spoiled`;
    else this.read({ size: bytes.length, readAt: (position, length) => bytes.subarray(position, position + length) }, `${path}/${entry.name}`, depth + 1);
  }
}

export const JAR: PackageReader = {
  name: 'jar', kind: 'installed',
  wants: ({ size }, name) => size > 0 && ARCHIVE.test(name),
  read: (file, tools) => {
    const reader = new JarReader(tools);
    return reader.read(file, file.path, 0) ? reader.list.result : undefined;
  },
};
