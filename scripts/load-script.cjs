// Loads a script of the build with V8's code cache. A cache is only an accelerator: what does not fit is left aside.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

// As `tuneEngine` in src/host/node/native-code.ts, before a code cache is read: it is good only under the same flags.
const version = Number.parseInt(process.versions.v8, 10);
const flags = [];
if (version < 13) flags.push('--wasm-tiering-budget=13000000');
if (version < 14) flags.push('--experimental-wasm-branch-hinting');
if (flags.length > 0) {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    const { setFlagsFromString } = process.binding('v8');
    for (const flag of flags) setFlagsFromString(flag);
  } catch {
    for (const flag of flags) require('node:v8').setFlagsFromString(flag);
  }
  process.noDeprecation = noDeprecation ?? false;
}

/** Only a file that nobody else can write counts: it holds byte code. */
function readCache(cachePath) {
  try {
    const { uid, mode } = fs.statSync(cachePath);
    const own = process.getuid === undefined || uid === process.getuid() || uid === 0;
    return own && (mode & 0o022) === 0 ? fs.readFileSync(cachePath) : undefined;
  } catch {
    return undefined;
  }
}

/** V8 checks a cache's version and length and not its bytes, so they are on the disk before they have the name. */
exports.writeCache = (cachePath, script) => {
  const temporary = `${cachePath}.${process.pid}`;
  try {
    const data = script.createCachedData();
    fs.mkdirSync(path.dirname(cachePath), { recursive: true, mode: 0o700 });
    const handle = fs.openSync(temporary, 'wx', 0o600);
    try {
      fs.writeFileSync(handle, data);
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
    fs.renameSync(temporary, cachePath);
    return true;
  } catch {
    // A full disk or a read-only home: the next run compiles again.
    try {
      fs.unlinkSync(temporary);
    } catch {
      // It was never made.
    }
    return false;
  }
};

/** The script `file` with the first of the caches that is there. */
exports.compile = (file, cachePaths) => {
  // The build leaves nothing but ASCII in it, which is the fastest to read.
  const source = fs.readFileSync(file, 'latin1');
  let cachedData;
  for (const cachePath of cachePaths) cachedData ??= readCache(cachePath);
  return new vm.Script(source, { filename: file, cachedData });
};

/** The script is a function of what a module has. Answers what it exports. */
exports.run = (script, file, require_) => {
  const module_ = { exports: {} };
  script.runInThisContext()(module_.exports, require_, module_, file, path.dirname(file));
  return module_.exports;
};

/**
 * A `require` for the bundle in `directory`: its parts (`bundle-parts.mjs`) come with a code cache, too, if the build made one. `loaded` gets their scripts, where given.
 */
exports.requireParts = (directory, require_, loaded) => {
  const parts = new Map();
  const load = (request) => {
    if (!request.startsWith('./')) return require_(request);
    if (parts.has(request)) return parts.get(request);
    const file = path.join(directory, request);
    const cachedData = readCache(file.replace(/\.js$/, '.cache'));
    const source = fs.readFileSync(file, 'latin1');
    // Without a cache, too: a part that Node's own require loaded would load what parts have in common a second time.
    const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, { filename: file, cachedData });
    loaded?.set(file, script);
    const part = exports.run(script, file, load);
    parts.set(request, part);
    return part;
  };
  return load;
};
