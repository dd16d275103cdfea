/** What is spoiled, cut or may not be read is told, and nothing of it is kept or taken. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { READER_TOOLS } from '../../src/cli/scan/scan-tools.ts';
import type { HostFiles } from '../../src/host/types.ts';
import { createImageHost } from '../../src/host/node/image-host.ts';
import { Disk } from '../../src/image/index.ts';
import { CONTENT_ANALYSERS, contentAnalysers, parseDigestList } from '../../src/scan/content/index.ts';
import { compileYara } from '../../src/scan/content/malware/yara/index.ts';
import { layerResult } from '../../src/scan/layers/look.ts';
import { openHostFiles } from '../../src/scan/layers/open.ts';
import type { OpenFiles } from '../../src/scan/layers/open.ts';
import { ResultCache } from '../../src/scan/layers/results.ts';
import { writeLayout } from '../images/fixtures.ts';
import { tarOf } from '../images/layer-testing.ts';
import { judge, scanFile } from '../scan-content/testing.ts';
import { scanPlace } from './testing.ts';

const { scratch, write, run } = scanPlace();

test('a spoiled part of what is kept of a layer is found again', async () => {
  const directory = join(scratch, 'layers');
  mkdirSync(join(directory, 'tmp'), { recursive: true });
  const cache = new ResultCache(new Disk(createImageHost(), directory));
  let opened = 0;
  const open = (): Promise<OpenFiles> => {
    opened++;
    return Promise.resolve({
      files: (changes) => {
        changes?.add('w', 'gone');
        return [scanFile({ path: 'app/node_modules/a/package.json', content: '{"name":"a","version":"1"}' })];
      },
      close: () => undefined,
    });
  };
  const look = (): ReturnType<typeof layerResult> => layerResult('ab', open, { hasPackages: true, analysers: CONTENT_ANALYSERS, tools: READER_TOOLS }, cache);
  await look();
  await look();
  assert.equal(opened, 1);
  const spoilings = { changes: ['', '{"changes":7}', '{"changes":"wgo"}', '{"changes":"xgone\\u0000"}', '{}'], packages: ['[null]', '[{"path":"a","kind":"installed","reader":"npm"}]', '{}'], secrets: ['{"findings":[null],"facts":[]}', '{"findings":[],"facts":[1]}', '{"findings":[{"path":"a","finding":{"rule":"x","message":"y","severity":"z"}}],"facts":[]}'] };
  for (const [part, texts] of Object.entries(spoilings)) {
    const name = readdirSync(directory).find((each) => each.startsWith(`ab.${part}-`))!;
    for (const text of texts) {
      writeFileSync(join(directory, name), text);
      const before: number = opened;
      const { packages, analysers, changes } = await look();
      assert.deepEqual([opened, packages.length, analysers.get('secrets')?.findings.length, changes().hides('gone')], [before + 1, 1, 0, true], text);
      assert.notEqual(readFileSync(join(directory, name), 'utf8'), text);
    }
  }
});

test('openHostFiles() counts each file and directory that may not be read once', () => {
  const stat = (mode: number): object => ({ mode, uid: 0, gid: 0, size: 5, dev: 1 });
  const files = {
    lstat: (path: string) => (path.endsWith('gone') ? -2 : stat(path === '/x' || path.endsWith('closed') ? 0o040000 : 0o100000)),
    readDirectory: (path: string) => (path === '/x' ? ['gone', 'closed', 'secret'].map((name) => ({ name })) : -13),
    open: () => -13,
  } as unknown as HostFiles;
  let unread = 0;
  for (const file of openHostFiles(files, '/x', () => unread++).files(undefined)) {
    file.read(10);
    file.read(10);
  }
  assert.equal(unread, 3);
});

test('files that are longer than what is looked at are told, and rules know how long they are', () => {
  const size = 17 << 20;
  const file = { ...scanFile({ path: 'app/x.txt', content: Buffer.alloc(size, 'a ') }), size };
  const digests = parseDigestList(`${'0'.repeat(64)} x`);
  const rules = compileYara(`rule long { condition: filesize == ${size} }`);
  const found: string[] = [];
  for (const analyser of contentAnalysers({ malware: { rules, digests } })) analyser.analyse(file, { finding: ({ rule }) => found.push(rule), fact: () => undefined });
  assert.deepEqual(found, ['secrets-left-out', 'yara-rule', 'not-judged']);
  // Who opened the files tells that one could not be read.
  const unread = { ...file, read: () => new Uint8Array(), readAt: () => new Uint8Array() };
  for (const analyser of contentAnalysers({ malware: { digests: parseDigestList('d41d8cd98f00b204e9800998ecf8427e empty') } })) analyser.analyse(unread, { finding: ({ rule }) => assert.fail(rule), fact: () => undefined });
  assert.deepEqual(judge([{ path: 'app/x.txt', content: 'a' }]), []);
});

test('db import refuses an archive that is broken, and a directory or archive without documents', async () => {
  mkdirSync(join(scratch, 'empty'));
  const none = Buffer.alloc(22);
  none.writeUInt32LE(0x06054b50, 0);
  const list = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(60), none]);
  list.writeUInt32LE(46, 64 + 12);
  for (const [path, message] of [[join(scratch, 'empty'), /there is no \.json in/], [write('a.zip', 'PK\x03\x04 and so on'), /spoiled/], [write('b.zip', Buffer.concat([Buffer.from('PK\x03\x04'), none])), /there is no \.json in/], [write('c.zip', list), /spoiled/]] as const) {
    const { status, stderr } = await run(['db', 'import', path]);
    assert.notEqual(status, 0, path);
    assert.match(stderr, message);
    assert.match(stderr, /^caisson: cannot import advisories: [^\n]*\n$/);
  }
});

test('what is unpacked elsewhere is removed whatever happens; no place for it, a database that is not there or cannot be read: one line', async () => {
  const layout = join(scratch, 'layout');
  writeLayout(layout, [{ tar: tarOf([{ path: 'a', text: 'a' }]), compressor: 'none' }], {}, 'x:1');
  const places = join(scratch, 'places');
  mkdirSync(places);
  write('file', 'x');
  const missing = join(scratch, 'nowhere.db');
  const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['scan', '--db', missing, layout], /cannot use --db .*: no such file/], [['scan', '--graph', '-', '--db', missing], /cannot use --db .*: no such file/],
    [['scan', '--db', join(scratch, 'file/x'), layout], /database of advisories cannot be read/], [['scan', '--db-digest', 'sha256:0', layout], /it is missing, and sha256:0 was asked for/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr } = await run(args, { env: { TMPDIR: places } });
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
    assert.match(stderr, /^caisson: [^\n]*\n$/);
  }
  assert.deepEqual(readdirSync(places), []);
  const nowhere = await run(['scan', layout], { env: { TMPDIR: join(scratch, 'no/where') } });
  assert.deepEqual([nowhere.status, /^caisson: cannot scan [^\n]*there is no place to unpack it[^\n]*\n$/.test(nowhere.stderr)], [2, true], nowhere.stderr);
  assert.match((await run(['scan', '--graph', '-'])).stderr, /no advisories are here, so the picture has packages only/);
});

test('files that flags name are files, and no longer than they may be', async () => {
  const tree = join(scratch, 'tree');
  mkdirSync(tree);
  const fifo = join(scratch, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const long = write('long', '');
  truncateSync(long, 300 << 20);
  for (const flag of ['--yara', '--bad-digests', '--vex', '--used']) {
    for (const [file, message] of [[fifo, /it is no file/], [tree, /it is no file/], ['/dev/zero', /it is no file/], [long, /it is longer than \d+ MiB/], [join(scratch, 'missing'), /no such file/]] as const) {
      const { status, stderr } = await run(['scan', flag, file, tree]);
      assert.equal(status, 2, stderr);
      assert.ok(stderr.startsWith(`caisson: cannot use ${flag} ${file}: `) && message.test(stderr) && stderr.indexOf('\n') === stderr.length - 1, stderr);
    }
  }
  const empty = await run(['scan', '--bad-digests', write('none.txt', 'nothing\n'), tree]);
  assert.match(empty.stderr, /^caisson: cannot use --bad-digests [^\n]*none\.txt: there is no digest in it/);
});

test('names of files in the list of packages and in problems are text', async () => {
  write('names/é/node_modules/a/package.json', '{"name":"a","version":"1"}');
  write('names/é/package-lock.json', '{');
  const { stdout, stderr } = await run(['scan', '--packages', join(scratch, 'names')]);
  assert.match(stdout, / é\/node_modules\/a\/package\.json /);
  assert.match(stderr, /"é\/package-lock\.json": /);
});
