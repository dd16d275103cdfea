// What a sandbox's worker thread runs first: it loads the engine with V8's code cache from the build.
'use strict';
const path = require('node:path');
const { parentPort } = require('node:worker_threads');
const { compile, run, writeCache } = require('./load-script.cjs');

const file = path.join(__dirname, 'engine.js');
const building = process.env.CAISSON_WRITE_CACHE;
const script = compile(file, building ? [] : [path.join(__dirname, 'engine.cache')]);
if (building) parentPort.on('message', ({ kind }) => kind === 'write-cache' && writeCache(building, script) && process.exit());
run(script, file, require);
