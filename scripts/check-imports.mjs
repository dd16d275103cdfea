/**
 * Import direction: the arrows of the design as data, and a check that finds an arrow that is not there,
 * a circle, `node:` outside the rooms that may know it, and a way past the doors of a room that has some.
 *
 *   node scripts/check-imports.mjs
 *
 * An import of a type only counts like any other for the arrows: a room that knows another's types knows
 * the room. It does not count for circles between files, because nothing is loaded.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

/** Room: rooms that it may import. `abi` and `host/types.ts` are open to all. */
const ARROWS = {
  abi: [],
  host: [],
  'host/node': ['host'],
  'host/browser': ['host'],
  machine: [],
  fs: [],
  net: ['fs'],
  findings: [],
  image: ['fs'],
  squat: ['image', 'findings'],
  registry: ['image', 'squat'],
  kernel: ['machine', 'fs', 'net'],
  container: ['kernel', 'fs', 'net', 'machine', 'image'],
  sandbox: ['detect', 'container', 'image', 'lifecycle', 'host/node'],
  lifecycle: ['container', 'image', 'fs'],
  yaml: ['image'],
  audit: ['image', 'findings', 'yaml'],
  compose: ['image', 'yaml'],
  drill: ['findings'],
  scan: ['image', 'findings', 'fs', 'squat'],
  build: ['container', 'image', 'fs'],
  detect: ['kernel', 'net', 'image', 'fs', 'yaml'],
  cli: ['detect', 'build', 'lifecycle', 'sandbox', 'host/node', 'container', 'net', 'image', 'machine', 'registry', 'findings', 'squat', 'audit', 'scan', 'compose', 'drill'],
  web: ['sandbox', 'container', 'host/browser'],
};
const OPEN_TO_ALL = new Set(['abi', 'host']);
const MAY_IMPORT_NODE = new Set(['host/node', 'cli']);
/** Rooms that others enter by these files only. `fs`, `kernel` and `host` are open: what is in them is used piece by piece. */
const DOORS = {
  machine: ['index.ts', 'disassembler.ts'],
  net: ['index.ts'],
  container: ['index.ts', 'layer-entries.ts', 'extract.ts'],
  sandbox: ['index.ts', 'hidden-paths.ts', 'server.ts'],
  registry: ['index.ts'],
  build: ['index.ts', 'xz.ts'],
  lifecycle: ['index.ts', 'check.ts', 'own-layers.ts', 'log.ts', 'tree-tar.ts', 'commit.ts', 'volumes.ts'],
  findings: ['index.ts', 'printable.ts'],
  squat: ['index.ts'],
  audit: ['index.ts'],
  yaml: ['index.ts'],
  compose: ['index.ts'],
  drill: ['index.ts'],
  scan: ['index.ts'],
  detect: ['index.ts'],
  image: ['index.ts', 'nearest.ts', 'reference.ts'],
};
const NODE_MODULE = /^(?:node:|bun:)/;
const IMPORT = /(?:^|[\s;}])(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function listFiles(directory) {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.includes('/assembly/')); // AssemblyScript, which has rules of its own
}

function roomOf(file) {
  const [first, second, third] = relative(root, file).split('/');
  return first === 'host' && third !== undefined ? `${first}/${second}` : first;
}

function importsOf(file) {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...text.matchAll(IMPORT)].map((match) => ({ specifier: match[2] ?? match[3], isType: match[1] !== undefined }));
}

function checkFile(file, problems, graph) {
  const room = roomOf(file);
  const where = `src/${relative(root, file)}`;
  for (const { specifier, isType } of importsOf(file)) {
    if (NODE_MODULE.test(specifier) && !MAY_IMPORT_NODE.has(room)) problems.push(`${where}: imports ${specifier}; only ${[...MAY_IMPORT_NODE].join(' and ')} may`);
    if (!specifier.startsWith('.')) continue;
    const target = resolve(dirname(file), specifier);
    if (!specifier.endsWith('.ts')) problems.push(`${where}: "${specifier}" lacks the .ts suffix`);
    if (!isType) graph.get(file).push(target);
    const targetRoom = roomOf(target);
    if (targetRoom === room || OPEN_TO_ALL.has(targetRoom)) continue;
    const doors = DOORS[targetRoom];
    if (doors !== undefined && !doors.some((door) => target === join(root, targetRoom, door))) problems.push(`${where}: "${specifier}" is no door of ${targetRoom}`);
    if (!(ARROWS[room] ?? []).includes(targetRoom)) problems.push(`${where}: ${room} may not import ${targetRoom} ("${specifier}")`);
  }
}

/** The first circle in a graph of names to names, as a list that ends where it began. */
function findCircle(graph) {
  const state = new Map();
  const trail = [];
  const visit = (file) => {
    if (state.get(file) === 'done') return undefined;
    if (state.get(file) === 'open') return [...trail.slice(trail.indexOf(file)), file];
    state.set(file, 'open');
    trail.push(file);
    for (const target of graph.get(file) ?? []) {
      const circle = visit(target);
      if (circle !== undefined) return circle;
    }
    trail.pop();
    state.set(file, 'done');
    return undefined;
  };
  for (const file of graph.keys()) {
    const circle = visit(file);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

const files = listFiles(root);
const graph = new Map(files.map((file) => [file, []]));
const problems = [];
for (const room of new Set(files.map(roomOf))) if (!(room in ARROWS)) problems.push(`src/${room}: a room that the arrows do not know`);
for (const file of files) checkFile(file, problems, graph);
const roomCircle = findCircle(new Map(Object.entries(ARROWS)));
if (roomCircle !== undefined) problems.push(`the arrows have a circle: ${roomCircle.join(' -> ')}`);
const fileCircle = findCircle(graph);
if (fileCircle !== undefined) problems.push(`files import each other in a circle: ${fileCircle.map((file) => relative(root, file)).join(' -> ')}`);

for (const problem of problems) console.error(problem);
console.log(`import check: ${files.length} files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
