/** Writes docs/distribution-spec.md from the requirements that the tests are made of: node --import tsx scripts/distribution-spec.ts */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { specificationPage } from '../test/registry/specification-page.ts';

writeFileSync(fileURLToPath(new URL('../docs/distribution-spec.md', import.meta.url)), specificationPage());
