/** Writes the interpreter image: `node --import tsx scripts/generate-interpreter.ts FILE`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { helperNumbers } from '../src/machine/helpers/index.ts';
import { generateInterpreter, missingSemantics, packImage, packVectors } from '../src/machine/interpreter/generate.ts';
import { compileDecoder } from './compile-decoder.ts';
import { semantics } from '../src/machine/semantics/index.ts';

const file = process.argv[2] ?? '.cache/interpreter.bin';
const missing = missingSemantics(semantics);
if (missing.length > 0) console.error(`no semantics for: ${missing.join(' ')}`);
const image = generateInterpreter(semantics, helperNumbers);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, packImage(image, await compileDecoder(process.cwd())));
writeFileSync(process.argv[3] ?? '.cache/vectors.bin', packVectors(image));
console.error(`${file}: ${image.notes.length} handlers, ${image.wasm.length} bytes of Wasm`);
