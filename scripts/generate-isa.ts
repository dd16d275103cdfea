/** Writes src/machine/isa/tables.generated.ts: `node --import tsx scripts/generate-isa.ts`. */
import { writeFileSync } from 'node:fs';
import { packTables } from '../src/machine/isa/pack.ts';

writeFileSync(new URL('../src/machine/isa/tables.generated.ts', import.meta.url), packTables());
