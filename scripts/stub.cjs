#!/usr/bin/env node
// Loads the command line with V8's code cache: from the build, or, under another Node version, from the
// user's cache directory. A cache is only an accelerator: what does not fit is left aside.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

// As `tuneEngine` in src/host/node/native-code.ts, before the code cache is read: it is good only under the same flags.
const BUDGET = '--wasm-tiering-budget=13000000';
if (Number.parseInt(process.versions.v8, 10) < 13) {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    process.binding('v8').setFlagsFromString(BUDGET);
  } catch {
    require('node:v8').setFlagsFromString(BUDGET);
  }
  process.noDeprecation = noDeprecation ?? false;
}

// The build leaves nothing but ASCII in it, which is the fastest to read.
const file = path.join(__dirname, 'cli.js');
const source = fs.readFileSync(file, 'latin1');
const identity = 'BUILD_IDENTITY';

/** Other builds and other Node versions of the same user keep a file each; so many stay. */
const MOST_CACHES = 8;

/** V8 takes a cache only under the flags that it was made with. */
function flagsKey() {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  let hash = 0;
  for (let i = 0; i < flags.length; i++) hash = (Math.imul(hash, 31) + flags.charCodeAt(i)) >>> 0;
  return hash.toString(16);
}

/** XDG Base Directory Specification: a relative XDG_CACHE_HOME is ignored. */
function privateCachePath() {
  const { XDG_CACHE_HOME: cacheHome, HOME: home } = process.env;
  const base = cacheHome && path.isAbsolute(cacheHome) ? cacheHome : home && path.join(home, '.cache');
  return base && path.join(base, 'caisson', `cli-${identity}-${process.versions.v8}-${process.arch}-${flagsKey()}.cache`);
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

function removeOldCaches(directory) {
  const caches = fs.readdirSync(directory).filter((name) => /^cli-.*\.cache$/.test(name));
  const times = new Map(caches.map((name) => [name, fs.statSync(path.join(directory, name)).mtimeMs]));
  caches.sort((a, b) => times.get(b) - times.get(a));
  for (const name of caches.slice(MOST_CACHES)) fs.unlinkSync(path.join(directory, name));
}

/** V8 checks a cache's version and length and not its bytes, so they are on the disk before they have the name. */
function writeCache(cachePath, script) {
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
    removeOldCaches(path.dirname(cachePath));
  } catch {
    // A full disk or a read-only home: the next run compiles again.
    try {
      fs.unlinkSync(temporary);
    } catch {
      // It was never made.
    }
  }
}

let script;
const building = process.env.CAISSON_WRITE_CACHE;
if (building) {
  delete process.env.CAISSON_WRITE_CACHE;
  script = new vm.Script(source, { filename: file });
  process.on('exit', () => writeCache(building, script));
} else {
  // The user's own first: a second Script of the same text is taken from V8's memory, whatever its cache.
  const own = privateCachePath();
  const cachedData = (own && readCache(own)) || readCache(path.join(__dirname, 'cli.cache'));
  script = new vm.Script(source, { filename: file, cachedData });
  // What `--version` compiles is too little to be worth a file.
  if (own && script.cachedDataRejected !== false && process.argv.length > 3) process.on('exit', () => writeCache(own, script));
}
const module_ = { exports: {} };
script.runInThisContext()(module_.exports, require, module_, file, __dirname);
