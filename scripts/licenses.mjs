/** Writes what the licences of bundled packages ask for: their names, versions and texts, in one file beside the bundles. */
import { build } from 'esbuild';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a package calls its licence and what it asks to be kept. */
const TEXT = /^(?:licen[cs]e|copying|notice)(?:\.(?:md|txt))?$/i;

/** `node_modules/name` or `node_modules/@scope/name`, wherever that is. */
function packageOf(path) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

/** @throws Error where a package has no text of a licence */
function entryOf(root, directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'));
  const texts = readdirSync(join(root, directory)).filter((file) => TEXT.test(file)).sort();
  if (texts.length === 0 && license === undefined) throw new Error(`${directory} says nothing of its licence`);
  return `${name} ${version} (${license ?? 'see below'})\n\n${texts.map((file) => readFileSync(join(root, directory, file), 'utf8').trim()).join('\n\n')}`.trim();
}

/** The text for all packages that `entries` lead to, by esbuild's `options`. */
export async function bundledLicenses(root, entries, options) {
  const { metafile } = await build({ ...options, banner: {}, entryPoints: entries, outdir: join(root, 'dist'), format: 'esm', splitting: true, supported: {}, minify: false, write: false, metafile: true });
  const directories = [...new Set(Object.keys(metafile.inputs).flatMap((path) => packageOf(path) ?? []))].sort();
  return `Caisson's own licence is in LICENSE. What it uses of other packages is in dist/ as well, under these:\n\n${directories.map((directory) => entryOf(root, directory)).join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
