#!/usr/bin/env node
// Loads the command line with V8's code cache: from the build, or, under another Node version, from the
// user's cache directory. A cache is only an accelerator: what does not fit is left aside.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

// The build leaves nothing but ASCII in it, which is the fastest to read.
const file = path.join(__dirname, 'cli.js');
const identity = 'BUILD_IDENTITY';

function privateCachePath() {
  const base = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, '.cache'));
  return base && path.join(base, 'caisson', `cli-${identity}-${process.versions.v8}-${process.arch}.cache`);
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

function writeCache(cachePath, script) {
  try {
    const data = script.createCachedData();
    fs.mkdirSync(path.dirname(cachePath), { recursive: true, mode: 0o700 });
    const temporary = `${cachePath}.${process.pid}`;
    fs.writeFileSync(temporary, data, { mode: 0o600 });
    fs.renameSync(temporary, cachePath);
  } catch {
    // A full disk or a read-only home: the next run compiles again.
  }
}

const source = `(function (exports, require, module, __filename, __dirname) {${fs.readFileSync(file, 'latin1')}\n})`;
let script;
const building = process.env.CAISSON_WRITE_CACHE;
if (building) {
  delete process.env.CAISSON_WRITE_CACHE;
  script = new vm.Script(source, { filename: file });
  process.on('exit', () => writeCache(building, script));
} else {
  script = new vm.Script(source, { filename: file, cachedData: readCache(path.join(__dirname, 'cli.cache')) });
  if (script.cachedDataRejected !== false) {
    const own = privateCachePath();
    const cachedData = own && readCache(own);
    if (cachedData) script = new vm.Script(source, { filename: file, cachedData });
    if (own && script.cachedDataRejected !== false) process.on('exit', () => writeCache(own, script));
  }
}
const module_ = { exports: {} };
script.runInThisContext()(module_.exports, require, module_, file, __dirname);
