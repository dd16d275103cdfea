/**
 * Writes docs/distribution-spec.md from the requirements that the tests are made of.
 *
 *   node --import tsx scripts/distribution-spec.ts            writes it
 *   node --import tsx scripts/distribution-spec.ts --check    fails if it is not as it would be written
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { specificationPage } from '../test/registry/specification-page.ts';

const file = fileURLToPath(new URL('../docs/distribution-spec.md', import.meta.url));
const page = specificationPage();
if (!process.argv.includes('--check')) writeFileSync(file, page);
else if (readFileSync(file, 'utf8') !== page) {
  console.error('docs/distribution-spec.md is not up to date: node --import tsx scripts/distribution-spec.ts');
  process.exit(1);
}
