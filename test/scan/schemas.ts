/** Validators of bills of materials. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import addFormatsModule from 'ajv-formats';
import { SPDX_DOCUMENT, addLicenseFormat } from './spdx-schema.ts';

// The types of this CommonJS package show its namespace; what is imported is the function.
export const addFormats = addFormatsModule as unknown as (ajv: Ajv) => Ajv;

/** CycloneDX 1.6 by the project's own schema. */
export function cycloneDxValidator(): ValidateFunction {
  const require = createRequire(import.meta.url);
  const schemas = join(require.resolve('@cyclonedx/cyclonedx-library/package.json'), '../res/schema');
  const schema = (name: string): object => JSON.parse(readFileSync(join(schemas, name), 'utf8')) as object;
  const ajv = addFormats(new Ajv({ strict: false }));
  for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json', 'cryptography-defs.SNAPSHOT.schema.json']) if (existsSync(join(schemas, name))) ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}`);
  ajv.addFormat('idn-email', true).addFormat('iri-reference', true);
  return ajv.compile(schema('bom-1.6.SNAPSHOT.schema.json'));
}

/** SPDX 2.3 by `spdx-schema.ts`. */
export function spdxValidator(): ValidateFunction {
  const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  addLicenseFormat(ajv);
  return ajv.compile(SPDX_DOCUMENT);
}
