/**
 * A bundle whose dynamic imports are files beside it: `import('./help.ts')` in `cli.js` loads `cli.help.js`. What a short run never
 * needs is then neither read nor in the code cache, and the modules of the bundle itself share one scope, which starts faster than
 * a function for each.
 *
 * A part shares the modules of the bundle (a class is one class everywhere): the bundle exports those that its parts need, and
 * hands itself over when it loads one.
 */
import { build } from 'esbuild';
import { basename, dirname, join, relative } from 'node:path';

/** How a part calls what the bundle exports, and how the bundle does. */
const SHARED = 'SHARED_MODULES';
const OWN = 'OWN_MODULES';

/** Dynamic imports of the project's own modules become files `<name>.<module>.js`; `found` gets their paths. */
function laterParts(name, found) {
  return {
    name: 'later-parts',
    setup(pipeline) {
      pipeline.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined;
        const file = join(resolveDir, path);
        found.add(file);
        return { path: file, namespace: 'later' };
      });
      pipeline.onLoad({ filter: /.*/, namespace: 'later' }, ({ path }) => ({ contents: `module.exports = require('./${partName(name, path)}')(${OWN}());`, loader: 'js' }));
      // What the part's file exports is resolved when it is loaded, not now.
      pipeline.onResolve({ filter: /^\.\/.*\.js$/, namespace: 'later' }, ({ path }) => ({ path, external: true }));
    },
  };
}

/** Modules that the bundle has are taken from it; `needed` gets their paths. */
function sharedModules(root, owned, needed) {
  return {
    name: 'shared-modules',
    setup(pipeline) {
      pipeline.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        const file = relative(root, join(resolveDir, path));
        if (kind === 'entry-point' || !owned.has(file)) return undefined;
        needed.add(file);
        return { path: file, namespace: 'shared' };
      });
      pipeline.onLoad({ filter: /.*/, namespace: 'shared' }, ({ path }) => ({ contents: `module.exports = ${SHARED}[${JSON.stringify(path)}];`, loader: 'js' }));
    },
  };
}

function partName(name, path) {
  return `${basename(name, '.js')}.${basename(path, '.ts')}.js`;
}

/** The bundle's entry, and what its parts need of it under the modules' own paths. */
function entrySource(entry, needed) {
  const exports_ = [...needed].sort().map((path) => `export * as ${JSON.stringify(path)} from ${JSON.stringify(`./${path}`)};`);
  return [`import ${JSON.stringify(`./${entry}`)};`, ...exports_].join('\n');
}

/**
 * Builds `entry` with `options` (esbuild's) to `name` in `directory` and hands each file to `write(name, contents)`. `wrap`: text around the bundle.
 */
export async function bundleWithParts({ root, entry, name, options, wrap = ['', ''], write }) {
  const banner = options.banner?.js ?? '';
  const outfile = join(root, 'dist', name);
  const found = new Set();
  const main = (needed, collect) =>
    build({
      ...options, stdin: { contents: entrySource(entry, needed), resolveDir: root, loader: 'ts' }, format: 'cjs', outfile, write: false, metafile: true,
      banner: { js: `${wrap[0]}const ${OWN} = () => module.exports;${banner}` }, footer: { js: wrap[1] }, plugins: [laterParts(name, collect)],
    });
  const { metafile } = await main(new Set(), found);
  const owned = new Set(Object.keys(metafile.inputs).filter((path) => !path.includes(':')));
  const needed = new Set();
  for (const file of found) {
    // Its own dynamic imports are inside it: they are small.
    const { outputFiles } = await build({
      ...options, entryPoints: [file], format: 'cjs', outfile: join(dirname(outfile), partName(name, file)), write: false,
      banner: { js: `module.exports = (${SHARED}) => { const module = { exports: {} };${banner}` }, footer: { js: 'return module.exports; };' },
      plugins: [sharedModules(root, owned, needed)],
    });
    write(partName(name, file), outputFiles[0].contents);
  }
  const { outputFiles } = await main(needed, new Set());
  write(name, outputFiles[0].contents);
}
