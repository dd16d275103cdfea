/**
 * A bundle whose dynamic imports are files beside it: `import('./help.ts')` in `cli.js` loads `cli.help.js`, and `import('./containers/run.ts')` loads `cli.containers-run.js`. What a short run never
 * needs is then neither read nor in the code cache, and the modules of the bundle itself share one scope, which starts faster than
 * a function for each.
 *
 * A part shares the modules of the bundle (a class is one class everywhere): the bundle exports those that its parts need, and
 * hands itself over when it loads one. What several parts need and the bundle does not have is in two more files, `cli.common.js` and, where
 * those parts that are started most do not need it, `cli.other.js`: what V8 reads of a file, it reads whole. There each module runs when it is first asked for.
 */
import { build } from 'esbuild';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

/** How a part calls what the bundle exports and what parts have in common, and how the bundle calls itself. */
const SHARED = 'SHARED_MODULES';
const COMMON = 'COMMON_MODULES';
const OTHER = 'OTHER_MODULES';
const OWN = 'OWN_MODULES';

/** By the path from the entry's directory on, or from `src`: several rooms have a `run.ts`. */
function partName(name, path) {
  const place = path.replace(/^.*\/src\/(?:cli\/)?/, '').replace(/\.ts$/, '').replaceAll('/', '-');
  return `${basename(name, '.js')}.${place}.js`;
}

/** Dynamic imports of the project's own modules become files `<name>.<module>.js`; `found` gets their paths. `bundle`: what gives the bundle's modules there. */
function laterParts(name, found, bundle) {
  return {
    name: 'later-parts',
    setup(pipeline) {
      pipeline.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined;
        const file = join(resolveDir, path);
        found.add(file);
        return { path: file, namespace: 'later' };
      });
      pipeline.onLoad({ filter: /.*/, namespace: 'later' }, ({ path }) => ({ contents: `module.exports = require('./${partName(name, path)}')(${bundle});`, loader: 'js' }));
      // What the part's file exports is resolved when it is loaded, not now.
      pipeline.onResolve({ filter: /^\.\/.*\.js$/, namespace: 'later' }, ({ path }) => ({ path, external: true }));
    },
  };
}

/**
 * Modules in `owned` are taken from elsewhere; `needed` gets their paths. They become modules of constants, one for each name that is used: as
 * CommonJS, esbuild copied all names of a module for each file that imports some (5 of 20 ms of a container's start were that).
 */
function takenModules(namespace, root, owned, source, needed, exportsOf) {
  return {
    name: `${namespace}-modules`,
    setup(pipeline) {
      pipeline.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        const file = relative(root, join(resolveDir, path));
        if (kind === 'entry-point' || kind === 'dynamic-import' || !owned.has(file)) return undefined;
        needed.add(file);
        return { path: file, namespace };
      });
      pipeline.onLoad({ filter: /.*/, namespace }, ({ path }) => {
        const names = exportsOf.get(path).map((name) => `export const ${name} = /* @__PURE__ */ take(${JSON.stringify(name)});`);
        return { contents: `const take = (name) => ${source}[${JSON.stringify(path)}][name];\n${names.join('\n')}`, loader: 'js' };
      });
    },
  };
}

/** The bundle's entry, and what its parts need of it under the modules' own paths. */
function entrySource(entry, needed) {
  const exports_ = [...needed].sort().map((path) => `export * as ${JSON.stringify(path)} from ${JSON.stringify(`./${path}`)};`);
  return [`import ${JSON.stringify(`./${entry}`)};`, ...exports_].join('\n');
}

/** TypeScript that is part of a program, not of its tests. */
async function listModules(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter(({ name }) => /(?<!\.test|\.d|test-support)\.ts$/.test(name)).map((entry) => join(entry.parentPath ?? entry.path, entry.name)).filter((path) => !path.includes('/assembly/'));
}

/** What each module exports. */
async function findExports(root, files, options) {
  const { metafile } = await build({ ...options, banner: {}, footer: {}, absWorkingDir: root, entryPoints: files, outdir: join(root, 'dist'), format: 'esm', splitting: true, supported: {}, minify: false, write: false, metafile: true, outbase: root });
  return new Map(Object.values(metafile.outputs).flatMap(({ entryPoint, exports }) => (entryPoint === undefined ? [] : [[entryPoint, exports]])));
}

/** A file that answers a function of the bundle's modules, and runs once. */
function wrapped(banner, more = '') {
  return {
    banner: { js: `let LOADED; module.exports = (${SHARED}) => (LOADED ??= (() => { const module = { exports: {} };${more}${banner}` },
    footer: { js: 'return module.exports; })());' },
  };
}

function ownInputs({ inputs }) {
  return Object.keys(inputs).filter((path) => path.startsWith('src/'));
}

/** Every part, also those that only parts load, with the modules in it that the bundle does not have. */
async function findParts(first, buildPart) {
  const inputs = new Map();
  const pending = [...first];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (inputs.has(file)) continue;
    const found = new Set();
    const { metafile } = await buildPart(file, found, new Set(), new Set(), new Set());
    inputs.set(file, ownInputs(metafile));
    pending.push(...found);
  }
  return inputs;
}

/**
 * Builds `entry` with `options` (esbuild's) to `name` in `directory` and hands each file to `write(name, contents)`. `wrap`: text around the bundle;
 * `most`: the parts that are started most, paths below `root`.
 */
export async function bundleWithParts({ root, entry, name, options, wrap = ['', ''], most = [], write }) {
  const banner = options.banner?.js ?? '';
  const outfile = join(root, 'dist', name);
  const fileOf = (what) => `${basename(name, '.js')}.${what}.js`;
  const loading = (variable, what) => `const ${variable} = require('./${fileOf(what)}')(${SHARED});`;
  const shared = { ...options, format: 'cjs', write: false, metafile: true };
  const main = (needed, found) =>
    build({
      ...shared, stdin: { contents: entrySource(entry, needed), resolveDir: root, loader: 'ts' }, outfile,
      banner: { js: `${wrap[0]}const ${OWN} = () => module.exports;${banner}` }, footer: { js: wrap[1] }, plugins: [laterParts(name, found, `${OWN}()`)],
    });
  const found = new Set();
  const { metafile } = await main(new Set(), found);
  const owned = new Set(ownInputs(metafile));
  const exportsOf = await findExports(root, await listModules(join(root, 'src')), options);
  const buildPart = (file, more, common, other, needed, used) =>
    build({
      ...shared, stdin: { contents: `export * from ${JSON.stringify(`./${relative(root, file)}`)};`, resolveDir: root, loader: 'ts' }, outfile: join(dirname(outfile), partName(name, file)),
      ...wrapped(banner, `${used.has('common') ? loading(COMMON, 'common') : ''}${used.has('other') ? loading(OTHER, 'other') : ''}`),
      plugins: [laterParts(name, more, SHARED), takenModules('shared', root, owned, SHARED, needed, exportsOf), takenModules('common', root, common, COMMON, new Set(), exportsOf), takenModules('other', root, other, OTHER, new Set(), exportsOf)],
    });
  const parts = await findParts(found, (file, more) => buildPart(file, more, new Set(), new Set(), new Set(), new Set()));
  const counts = new Map();
  for (const path of [...parts.values()].flat()) counts.set(path, (counts.get(path) ?? 0) + 1);
  const several = [...counts].filter(([, count]) => count > 1).map(([path]) => path);
  const ofMost = new Set(most.flatMap((path) => parts.get(join(root, path)) ?? []));
  const common = new Set(most.length === 0 ? several : several.filter((path) => ofMost.has(path)));
  const other = new Set(several.filter((path) => !common.has(path)));
  const needed = new Set();
  const buildCommon = async (what, modules, taken) => {
    const getters = [...modules].sort().map((path) => `get ${JSON.stringify(path)}() { return require(${JSON.stringify(`./${path}`)}); }`);
    const { outputFiles } = await build({
      ...shared, stdin: { contents: `module.exports = { ${getters.join(',\n')} };`, resolveDir: root, loader: 'js' }, outfile: join(dirname(outfile), fileOf(what)),
      ...wrapped(banner, taken.size === 0 ? '' : loading(COMMON, 'common')),
      plugins: [laterParts(name, new Set(), SHARED), takenModules('shared', root, owned, SHARED, needed, exportsOf), takenModules('common', root, taken, COMMON, new Set(), exportsOf)],
    });
    write(fileOf(what), outputFiles[0].contents);
  };
  if (common.size > 0) await buildCommon('common', common, new Set());
  if (other.size > 0) await buildCommon('other', other, common);
  for (const [file, inputs] of parts) {
    const used = new Set([...(inputs.some((path) => common.has(path)) ? ['common'] : []), ...(inputs.some((path) => other.has(path)) ? ['other'] : [])]);
    const { outputFiles } = await buildPart(file, new Set(), common, other, needed, used);
    write(partName(name, file), outputFiles[0].contents);
  }
  const { outputFiles } = await main(needed, new Set());
  write(name, outputFiles[0].contents);
}
