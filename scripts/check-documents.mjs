/**
 * What the documents promise about the repository: each promise of SPECIFICATION.md has a number of its own and names files that
 * exist and hold tests (or, for a budget, the measurement); each room has a README; links between documents lead
 * somewhere.
 *
 *   node scripts/check-documents.mjs
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const problems = [];
const read = (file) => readFileSync(join(root, file), 'utf8');

function listFiles(directory, ending) {
  return readdirSync(join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
}

/** A test file with tests, a directory with such files, or a script. */
function isProof(path) {
  if (!existsSync(join(root, path))) return false;
  if (statSync(join(root, path)).isDirectory()) return listFiles(path, '.test.ts').some(isProof);
  if (path.endsWith('.test.ts')) return /\btest\(/.test(read(path));
  return path.startsWith('scripts/') || path === '.ci/run';
}

/** Rows `| I1 | promise | proof |`. */
function checkSpecification() {
  const rows = [...read('SPECIFICATION.md').matchAll(/^\| ([A-Z]\d+) \| (.*) \| (.*) \|$/gm)];
  const numbers = rows.map(([, number]) => number);
  if (rows.length < 20) problems.push(`SPECIFICATION.md: only ${rows.length} numbered promises can be read`);
  for (const number of new Set(numbers.filter((name, index) => numbers.indexOf(name) !== index))) problems.push(`SPECIFICATION.md: ${number} is there twice`);
  for (const [, number, , proof] of rows) {
    const paths = [...proof.matchAll(/`([^`]+)`/g)].map(([, path]) => path);
    if (paths.length === 0) problems.push(`SPECIFICATION.md: ${number} names no test`);
    for (const path of paths) if (!isProof(path)) problems.push(`SPECIFICATION.md: ${number} names ${path}, which is not a test that exists`);
  }
  return rows.length;
}

function checkRooms() {
  for (const { name } of readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    if (!existsSync(join(root, 'src', name, 'README.md'))) problems.push(`src/${name} has no README.md`);
  }
}

function checkLinks() {
  const documents = ['src', 'docs'].flatMap((directory) => listFiles(directory, '.md')).concat(readdirSync(root).filter((name) => name.endsWith('.md')));
  for (const document of documents) {
    for (const [, link] of read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
      if (!existsSync(join(root, dirname(document), link))) problems.push(`${document}: the link to ${link} leads nowhere`);
    }
  }
  return documents.length;
}

const promises = checkSpecification();
checkRooms();
const documents = checkLinks();
for (const problem of problems) console.error(problem);
console.log(`document check: ${promises} promises, ${documents} documents, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
