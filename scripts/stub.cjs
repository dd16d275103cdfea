#!/usr/bin/env node
// Loads the command line with V8's code cache: from the build, or, under another Node version, from the
// user's cache directory.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { compile, requireParts, run, writeCache } = require('./load-script.cjs');

const file = path.join(__dirname, 'cli.js');
const identity = 'BUILD_IDENTITY';

/** Other builds and other Node versions of the same user keep a file or two each; so many stay. */
const MOST_CACHES = 8;

/** What a container of an image needs is in a cache of its own: of one for all, each command would read what only others need, which is a millisecond for 200 KB. */
const kind = ['run', 'create', 'start', 'exec'].includes(process.argv[2]) ? 'cli.run' : 'cli';

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
  return base && path.join(base, 'caisson', `${kind}-${identity}-${process.versions.v8}-${process.arch}-${flagsKey()}.cache`);
}

function removeOldCaches(directory) {
  const caches = fs.readdirSync(directory).filter((name) => /^cli(?:\.run)?-.*\.cache$/.test(name));
  const times = new Map(caches.map((name) => [name, fs.statSync(path.join(directory, name)).mtimeMs]));
  caches.sort((a, b) => times.get(b) - times.get(a));
  for (const name of caches.slice(MOST_CACHES)) fs.unlinkSync(path.join(directory, name));
}

const building = process.env.CAISSON_WRITE_CACHE;
let script;
if (building) {
  delete process.env.CAISSON_WRITE_CACHE;
  script = compile(file, []);
  process.on('exit', () => writeCache(building, script));
} else {
  // The user's own first: a second Script of the same text is taken from V8's memory, whatever its cache.
  const own = privateCachePath();
  script = compile(file, [...(own ? [own] : []), path.join(__dirname, `${kind}.cache`)]);
  // What `--version` compiles is too little to be worth a file.
  if (own && script.cachedDataRejected !== false && process.argv.length > 3) {
    process.on('exit', () => {
      if (writeCache(own, script)) removeOldCaches(path.dirname(own));
    });
  }
}
// For the build: the caches of the parts that this run loads.
let parts;
if (process.env.CAISSON_WRITE_PARTS) {
  delete process.env.CAISSON_WRITE_PARTS;
  parts = new Map();
  process.on('exit', () => {
    for (const [part, partScript] of parts) if (writeCache(part.replace(/\.js$/, '.cache'), partScript)) fs.chmodSync(part.replace(/\.js$/, '.cache'), 0o644);
  });
}
run(script, file, requireParts(__dirname, require, parts));
