/** `caisson build` from outside: what is kept, what is the same, where it comes from and goes to, and what is said when it fails. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cached, commandIn, peer } from '../images/fixtures.ts';
import { baseLayout, makeContext, openStore } from './harness.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-build-'));
const home = join(scratch, 'store');
const { run, mustRun } = commandIn({ CAISSON_HOME: home });

before(async () => {
  await mustRun(['load', '-i', baseLayout()]);
});

after(() => rmSync(scratch, { recursive: true, force: true }));

const context = (dockerfile: string, files: Readonly<Record<string, string>> = {}): string => makeContext(scratch, { dockerfile, files });

/** Events of `--progress json`. */
async function build(args: readonly string[]): Promise<readonly { event: string; name?: string; status?: string; text?: string }[]> {
  const { stderr, status } = await run(['build', '--progress', 'json', ...args]);
  assert.equal(status, 0, stderr);
  return stderr.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { event: string });
}
const statuses = (events: Awaited<ReturnType<typeof build>>): readonly string[] => events.filter(({ event }) => event === 'end').map(({ status }) => status ?? '');

test('what is built runs', async () => {
  const directory = context('FROM busybox:1\nENV WHO=world\nWORKDIR /w\nRUN echo "hello $WHO" > f\nUSER app\nCMD ["cat", "f"]\n');
  await mustRun(['build', '-t', 'hello:1', directory]);
  assert.equal(await mustRun(['run', 'hello:1']), 'hello world\n');
  assert.equal(await mustRun(['run', 'hello:1', 'id', '-un']), 'app\n');
  assert.match(await mustRun(['history', 'hello:1']), /CMD \["cat", "f"\]/);
});

test('two builds give the same bytes, whenever and wherever', async () => {
  const dockerfile = 'FROM busybox:1\nCOPY . /ctx/\nRUN mkdir /made && date > /dev/null && echo x > /made/f && touch /made/g && ln /made/f /made/h && rm /etc/group\nWORKDIR /made/here\nLABEL b=2 a=1\n';
  const files = { 'a': '1', 'z/b': '2', 'z/a': '3' };
  const digests: string[] = [];
  for (const name of ['one', 'two']) {
    const other = commandIn({ CAISSON_HOME: join(scratch, name) });
    await other.mustRun(['load', '-i', baseLayout()]);
    const directory = context(dockerfile, files);
    const time = name === 'one' ? 1_000_000_000 : 1_700_000_000;
    for (const file of ['a', 'z/b', 'z']) utimesSync(join(directory, file), time, time);
    await other.mustRun(['build', '-t', 'x:1', '--metadata-file', join(scratch, `${name}.json`), directory]);
    digests.push((JSON.parse(readFileSync(join(scratch, `${name}.json`), 'utf8')) as Record<string, string>)['containerimage.digest'] ?? '');
  }
  assert.match(digests[0] ?? '', /^sha256:/);
  assert.equal(digests[0], digests[1]);
});

test('SOURCE_DATE_EPOCH is the time of everything that is made, and bounds the rest', async () => {
  const directory = context('FROM busybox:1\nCOPY a /a\nRUN echo x > /f && touch -d "2100-01-01 00:00:00" /future && touch -d "2001-01-01 00:00:00" /past\n', { a: 'a' });
  await mustRun(['build', '-t', 'dated:1', directory], { env: { SOURCE_DATE_EPOCH: '1500000000' } });
  assert.equal(await mustRun(['run', 'dated:1', 'stat', '-c', '%Y', '/a', '/f', '/future']), '1500000000\n'.repeat(3));
  assert.equal(await mustRun(['run', 'dated:1', 'stat', '-c', '%y', '/past']), '2001-01-01 00:00:00.000000000 +0000\n');
  assert.equal(openStore(home).find('dated:1').config.created, '2017-07-14T02:40:00Z');
});

test('--verify builds twice, and says which file differs and why', async () => {
  await mustRun(['build', '--verify', context('FROM busybox:1\nRUN echo same > /f\n')]);
  const { stderr, status } = await run(['build', '--verify', context('FROM busybox:1\nRUN cat /proc/sys/kernel/random/uuid > /differs\n')]);
  assert.equal(status, 1);
  assert.match(stderr, /cannot verify the build/);
  assert.match(stderr, /\/differs: its bytes differ from byte \d+ on/);
});

test('a step is made again when what goes into it has changed, and only then', async () => {
  const dockerfile = 'FROM busybox:1\nCOPY a /a\nRUN cat /a > /b\nCOPY c /c\n';
  const directory = context(dockerfile, { a: '1', c: '1' });
  assert.deepEqual(statuses(await build([directory])), ['done', 'done', 'done', 'done']);
  assert.deepEqual(statuses(await build([directory])), ['done', 'cached', 'cached', 'cached']);
  writeFileSync(join(directory, 'c'), '2');
  assert.deepEqual(statuses(await build([directory])), ['done', 'cached', 'cached', 'done']);
  writeFileSync(join(directory, 'a'), '2');
  assert.deepEqual(statuses(await build([directory])), ['done', 'done', 'done', 'cached']);
  writeFileSync(join(directory, 'a'), '1');
  assert.deepEqual(statuses(await build([directory])), ['done', 'cached', 'cached', 'cached']);
  assert.deepEqual(statuses(await build(['--no-cache', directory])), ['done', 'done', 'done', 'done']);
  const stages = context('FROM busybox:1 AS one\nRUN echo filter-1 > /1\nFROM one AS two\nRUN echo filter-2 > /2\n');
  await build([stages]);
  assert.deepEqual(statuses(await build(['--no-cache-filter', 'two', stages])), ['done', 'cached', 'done', 'done']);
});

test('arguments, secrets and proxies: what is part of a key, and what stays out of the image', async () => {
  const directory = context('FROM busybox:1\nARG V=1\nRUN echo $V > /v\nRUN --mount=type=secret,id=s cat /run/secrets/s | wc -c > /n; test -n "$HTTP_PROXY" && echo proxied > /p\n', { key: 'top-secret-value' });
  const flags = ['--secret', `id=s,src=${join(directory, 'key')}`, '--build-arg', 'HTTP_PROXY=http://user:prox-pass@proxy:1', '-t', 'secret:1', directory];
  await build(flags);
  assert.deepEqual(statuses(await build(['--build-arg', 'V=2', ...flags])).slice(2), ['done', 'done']);
  writeFileSync(join(directory, 'key'), 'another');
  assert.deepEqual(statuses(await build(flags)).slice(2), ['cached', 'cached']);
  const all = execFileSync('sh', ['-c', `cat ${home}/blobs/sha256/* ${home}/layers/*`], { maxBuffer: 1 << 30 });
  assert.equal(all.includes('top-secret-value'), false);
  assert.equal(all.includes('prox-pass'), false);
  assert.equal(await mustRun(['run', 'secret:1', 'cat', '/n', '/p']), '16\nproxied\n');
});

test('a cache mount outlives the build, with owners and modes, and is no part of the image', async () => {
  const directory = context('FROM busybox:1\nRUN --mount=type=cache,target=/c,uid=1000,mode=0750 echo x >> /c/log; chown 33:34 /c/log; wc -l < /c/log > /n; stat -c "%a %u" /c >> /n; stat -c "%u:%g" /c/log >> /n\n');
  for (const lines of [1, 2, 3]) {
    await mustRun(['build', '--no-cache', '-t', 'cache:1', directory]);
    assert.equal(await mustRun(['run', 'cache:1', 'cat', '/n']), `${lines}\n750 1000\n33:34\n`);
  }
  assert.equal(await mustRun(['run', 'cache:1', 'sh', '-c', 'ls /c | wc -l']), '0\n');
});

test('the context comes from a directory, standard input, or a tar', async () => {
  const dockerfile = 'FROM busybox:1\nCOPY --chown=3:4 f /f\nCMD ["cat", "/f"]\n';
  const directory = context(dockerfile, { f: 'from a tar\n', 'other/Dockerfile': 'FROM busybox:1\nCOPY f /g\nCMD ["cat", "/g"]\n', 'other/Dockerfile.dockerignore': '' });
  const tar = join(scratch, 'context.tar.gz');
  execFileSync('tar', ['-czf', tar, '-C', directory, '.']);
  await mustRun(['build', '-t', 'from-tar:1', tar]);
  assert.equal(await mustRun(['run', 'from-tar:1']), 'from a tar\n');
  const piped = execFileSync(process.execPath, [new URL('../../dist/caisson.js', import.meta.url).pathname, 'build', '-q', '-f', 'other/Dockerfile', '-'], { input: readFileSync(tar), env: { ...process.env, CAISSON_HOME: home }, encoding: 'utf8' });
  assert.equal(await mustRun(['run', piped.trim()]), 'from a tar\n');
  await mustRun(['build', '-t', 'from-text:1', '-'], { input: 'FROM busybox:1\nCMD ["echo", "text"]\n' });
  assert.equal(await mustRun(['run', 'from-text:1']), 'text\n');
  await mustRun(['build', '-t', 'named:1', '-f', join(directory, 'other/Dockerfile'), '--build-context', `more=${directory}`, directory]);
  assert.equal(await mustRun(['run', 'named:1']), 'from a tar\n');
});

test('the result goes to files, a tar, an archive, or the store', async () => {
  const directory = context('FROM busybox:1 AS base\nRUN mkdir -p /o/d && echo made > /o/d/f && ln -s d/f /o/l && chmod 750 /o/d/f\nFROM scratch\nCOPY --from=base /o /\n');
  const out = join(scratch, 'out');
  await mustRun(['build', '-o', out, directory]);
  assert.equal(readFileSync(join(out, 'l'), 'utf8'), 'made\n');
  assert.equal(statSync(join(out, 'd/f')).mode & 0o777, 0o750);
  await mustRun(['build', '-o', `type=tar,dest=${join(scratch, 'out.tar')}`, directory]);
  assert.deepEqual(execFileSync('tar', ['-tf', join(scratch, 'out.tar')], { encoding: 'utf8' }).split('\n').filter((line) => line !== ''), ['d/', 'd/f', 'l']);
  const iid = join(scratch, 'iid');
  await mustRun(['build', '-t', 'kept:1', '--iidfile', iid, '-o', `type=oci,dest=${join(scratch, 'oci.tar')}`, directory]);
  const config = JSON.parse(peer('skopeo', ['inspect', '--config', `oci-archive:${join(scratch, 'oci.tar')}`]).stdout) as { rootfs: { diff_ids: string[] } };
  assert.deepEqual(config.rootfs.diff_ids, openStore(home).find('kept:1').config.diffIds);
  assert.equal(readFileSync(iid, 'utf8'), openStore(home).find('kept:1').id);
});

test('ADD gets a file from a URL, and checks its digest', async () => {
  const text = 'downloaded\n';
  const server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/file' }).end();
    else response.writeHead(request.url === '/file' ? 200 : 404).end(request.url === '/file' ? text : 'no');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const digest = createHash('sha256').update(text).digest('hex');
  try {
    await mustRun(['build', '-t', 'url:1', context(`FROM busybox:1\nADD --checksum=sha256:${digest} ${url}/file /dir/\nADD --chmod=644 ${url}/moved /named\nCMD ["cat", "/dir/file", "/named"]\n`)]);
    assert.equal(await mustRun(['run', 'url:1']), text + text);
    for (const [line, message] of [[`ADD --checksum=sha256:${'0'.repeat(64)} ${url}/file /f`, /has the digest sha256:/], [`ADD ${url}/none /f`, /the server answers 404/]] as const) {
      const { stderr, status } = await run(['build', context(`FROM busybox:1\n${line}\n`)]);
      assert.equal(status, 1);
      assert.match(stderr, message);
    }
  } finally {
    server.close();
  }
  assert.deepEqual(readdirSync(join(home, 'tmp')), []);
});

/** ADD of each file fails with its message, at its line, and leaves nothing. */
async function refusesArchives(directory: string, files: readonly (readonly [file: string, message: RegExp])[]): Promise<void> {
  for (const [file, message] of files) {
    writeFileSync(join(directory, 'Dockerfile'), `FROM busybox:1\nADD ${file} /x/\n`);
    const { stderr, status } = await run(['build', directory]);
    assert.equal(status, 1, file);
    assert.match(stderr, message);
    assert.match(stderr, /Dockerfile:2: cannot unpack the archive/);
  }
  assert.deepEqual(readdirSync(join(home, 'tmp')), []);
}

test('ADD unpacks what xz made, and refuses what is spoiled or asks for too much', async () => {
  const directory = context('FROM busybox:1\nADD root.tar.xz /x/\nADD data.xz /data/\nCMD ["cat", "/x/d/f", "/x/big"]\n', { 'd/f': 'packed\n' });
  writeFileSync(join(directory, 'big'), `${'x'.repeat(1 << 20)}\n`);
  execFileSync('sh', ['-c', 'chmod 640 d/f; tar --owner=7 --group=8 -cf root.tar d big && xz -k root.tar && echo "no archive" | xz > data.xz && xz -k -c --check=sha256 root.tar > sha256.tar.xz && xz -c --lzma2=dict=1GiB root.tar > huge.tar.xz && head -c 200 root.tar.xz > cut.tar.xz'], { cwd: directory });
  await mustRun(['build', '-t', 'xz:1', directory]);
  assert.equal(await mustRun(['run', 'xz:1']), `packed\n${'x'.repeat(1 << 20)}\n`);
  assert.equal(await mustRun(['run', 'xz:1', 'stat', '-c', '%a %u %g', '/x/d/f']), '640 7 8\n');
  // What is no archive is copied as it is.
  assert.deepEqual(execFileSync('xz', ['-dc'], { input: Buffer.from(await mustRun(['run', 'xz:1', 'sh', '-c', '/bin/busybox base64 /data/data.xz']), 'base64') }).toString(), 'no archive\n');
  await refusesArchives(directory, [['sha256.tar.xz', /a check that is not known here/], ['huge.tar.xz', /asks for too much memory/], ['cut.tar.xz', /it is cut short or spoiled/]]);
});

test('ADD unpacks what bzip2 made, in one stream and in several, and refuses what is spoiled', async () => {
  const directory = context('FROM busybox:1\nADD root.tar.bz2 /x/\nADD two.tar.bz2 /y/\nADD data.bz2 text /data/\nCMD ["cat", "/x/d/f", "/y/big"]\n', { 'd/f': 'packed\n', 'text': 'BZh9 is how it begins, and no more\n' });
  writeFileSync(join(directory, 'big'), `${'x'.repeat(1 << 20)}\n`);
  execFileSync('sh', ['-c', 'chmod 640 d/f; tar --owner=7 --group=8 -cf root.tar d big && bzip2 -k root.tar && (head -c 5000 root.tar | bzip2; tail -c +5001 root.tar | bzip2 -1) > two.tar.bz2 && echo "no archive" | bzip2 > data.bz2 && head -c 90 root.tar.bz2 > cut.tar.bz2'], { cwd: directory });
  const bytes = readFileSync(join(directory, 'root.tar.bz2'));
  bytes[bytes.length >> 1]! ^= 4;
  writeFileSync(join(directory, 'spoiled.tar.bz2'), bytes);
  await mustRun(['build', '-t', 'bzip2:1', directory]);
  assert.equal(await mustRun(['run', 'bzip2:1']), `packed\n${'x'.repeat(1 << 20)}\n`);
  assert.equal(await mustRun(['run', 'bzip2:1', 'stat', '-c', '%a %u %g', '/x/d/f', '/y/d/f']), '640 7 8\n640 7 8\n');
  assert.equal(await mustRun(['run', 'bzip2:1', 'sh', '-c', '/bin/busybox bunzip2 -c /data/data.bz2; cat /data/text']), 'no archive\nBZh9 is how it begins, and no more\n');
  await refusesArchives(directory, [['cut.tar.bz2', /it is cut short/], ['spoiled.tar.bz2', /it is spoiled|its checksum is wrong/]]);
});

test('an error points at the line, shows the last output, and says what to do', async () => {
  const cases: readonly (readonly [string, RegExp, number?])[] = [
    ['FROM busybox:1\nRUN echo out && \\\n  echo err >&2 && exit 3\n', /^caisson: cannot build: Dockerfile:2: the command failed: it ended with 3[^]*out\nerr\n[^]*>>> RUN echo out && \\\n {3}3 \| >>> {3}echo err/m],
    ['FROM busybox:1\nRUNN x\n', /Dockerfile:2: cannot understand the instruction "RUNN" \(did you mean RUN\?\)/],
    ['FROM busybox:1\nCOPY absent /x\n', /Dockerfile:2: cannot find "absent" in the context/], ['FROM busybox:1\nCOPY a b\n', /cannot find "a"/],
    ['FROM busybox:1\nCOPY --fron=x a b\n', /there is no such flag \(did you mean --from\?\)/], ['FROM busybox:1\nCOPY a\n', /it needs a source and a destination/],
    ['FROM busybox:1\nCOPY --from=registry.invalid/nothing-here /a /b\n', /nothing-here/], ['RUN x\n', /cannot use RUN before FROM/], ['# nothing\n', /it has no FROM/],
    ['FROM busybox:1\nRUN --security=insecure true\n', /cannot use --security=insecure/],
    ['FROM busybox:1\nRUN --network=host true\n', /cannot use --network=host/], ['FROM busybox:1\nRUN --mount=type=bind,fron=x,target=/y true\n', /did you mean from\?/], ['FROM busybox:1\nRUN --mount=type=secret,id=x,required=true true\n', /it was not given \(give it with --secret id=x/],
    ['FROM busybox:1\nCOPY --chown=nobody-here Dockerfile /x\n', /has no such name/], ['FROM busybox:1\nUSER nobody-here\nRUN true\n', /cannot run as user "nobody-here"/], ['FROM --platform=linux/arm64 busybox:1\n', /only linux\/amd64 can be run/],
    ['FROM busybox:1\nENV A="${B:?is needed}"\n', /B: is needed/], ['FROM busybox:1\nENV A="x\n', /a double quote is not closed/], ['FROM busybox:1\nRUN <<E\nx\n', /its end is missing/], ['FROM $NONE\n', /it comes out empty/],
    ['FROM busybox:1\nEXPOSE many\n', /it is no port/], ['FROM busybox:1\nHEALTHCHECK --interval=x CMD y\n', /it is no duration/], ['FROM busybox:1\nSHELL sh\n', /it is a JSON list/], ['FROM busybox:1\nONBUILD FROM x\n', /cannot use FROM as a trigger/],
    ['FROM busybox:1\nADD --keep-git-dir=true https://host.invalid/x.git /y\n', /only the files of the commit are fetched/], ['FROM busybox:1\nADD https://host.invalid/x.git#-x /y\n', /is no branch, tag or commit/], ['FROM busybox:1\nADD https://host.invalid/x.git#a:../b /y\n', /its directory leads out of it/], ['FROM scratch\nRUN true\n', /the image has no such program/], ['FROM busybox:1\nCOPY Dockerfile /etc\nCOPY Dockerfile /etc/passwd/x\n', /it is no directory/],
    ['FROM busyboxx:1\n', /did you mean "busybox:1"\?/],
  ];
  for (const [dockerfile, message] of cases) {
    const { stderr, status } = await run(['build', '--progress', 'quiet', context(dockerfile)]);
    assert.equal(status, 1, `${dockerfile}: ${stderr}`);
    assert.match(stderr, message, dockerfile);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
  for (const [args, message] of [[['/no/such'], /no such directory/], [['--target', 'x', context('FROM busybox:1 AS y\n')], /cannot build the stage "x"/], [['--shm-size', '1g', '.'], /cannot use --shm-size: \/dev\/shm has 64 MiB in a build/], [['--output', 'type=x', context('FROM busybox:1\n')], /there is no such type/], [['https://example.com/x.tar'], /only repositories \(\.git\) are fetched/], [['https://host.invalid/x.git#--upload-pack=x'], /is no branch, tag or commit/]] as const) {
    const { stderr, status } = await run(['build', ...args]);
    assert.notEqual(status, 0);
    assert.match(stderr, message);
  }
});

test('triggers of a base image run after FROM, once, and only as what they may be', async () => {
  await mustRun(['build', '-t', 'trigger:1', context('FROM busybox:1\nONBUILD COPY f /f\nONBUILD RUN cat /f > /g\nONBUILD ARG X=x\nONBUILD ENV Y=$X\n')]);
  await mustRun(['build', '-t', 'triggered:1', context('FROM trigger:1 AS one\nFROM one\nRUN echo $Y > /h\n', { f: 'f\n' })]);
  assert.equal(await mustRun(['run', 'triggered:1', 'cat', '/f', '/g', '/h']), 'f\nf\nx\n');
  assert.equal(JSON.stringify(openStore(home).find('triggered:1').config.document).includes('OnBuild'), false);
  await mustRun(['build', '-t', 'odd:1', context('FROM busybox:1\nONBUILD WHATEVER a b\n')]);
  const { stderr, status } = await run(['build', context('FROM odd:1\n')]);
  assert.equal(status, 1);
  assert.match(stderr, /cannot use WHATEVER here/);
});

test('commands of a build see nothing of the host, and reach no private address', async () => {
  const directory = context('FROM busybox:1\nRUN ls /ctx /host 2>/dev/null | wc -l > /n\n', { 'out': '->/etc/passwd', 'up': '->../../../etc' });
  mkdirSync(join(directory, 'd'));
  await mustRun(['build', '-t', 'inside:1', directory]);
  assert.equal(await mustRun(['run', 'inside:1', 'cat', '/n']), '0\n');
  const linked = await run(['build', '--progress', 'quiet', makeContext(scratch, { dockerfile: 'FROM busybox:1\nCOPY out /x\n', files: { out: '->/etc/hostname' } })]);
  assert.equal(linked.status, 1, 'a link leads to the context\'s own /etc');
});

/** A C compiler and what it needs, from Debian's packages: unpacked, so that no root is needed. */
const COMPILER = [
  'binutils', 'binutils-common', 'binutils-x86-64-linux-gnu', 'cpp-12', 'dash', 'gcc-12', 'libbinutils', 'libc6', 'libc6-dev', 'libcrypt-dev', 'libctf0', 'libgcc-12-dev', 'libgmp10', 'libisl23', 'libjansson4', 'libmpc3', 'libmpfr6', 'libzstd1',
  'linux-libc-dev', 'zlib1g',
];

function compilerTar(): string {
  const directory = cached('compiler', COMPILER.join(), (made) => {
    const rootDirectory = join(made, 'root');
    mkdirSync(rootDirectory);
    peer('apt-get', ['download', '-qq', ...COMPILER], { cwd: made });
    const packages = readdirSync(made).filter((name) => name.endsWith('.deb'));
    for (const name of packages) peer('dpkg-deb', ['-x', join(made, name), rootDirectory]);
    peer('tar', ['-C', rootDirectory, '--owner=0', '--group=0', '--sort=name', '--exclude=./usr/share/doc', '-cf', join(made, 'root.tar'), '.']);
    for (const name of ['root', ...packages]) rmSync(join(made, name), { recursive: true });
  });
  return join(directory, 'root.tar');
}

test('a C program is compiled in one stage and copied to another', async () => {
  await mustRun(['import', compilerTar(), 'compiler:1']);
  const directory = context('FROM compiler:1 AS build\nWORKDIR /src\nCOPY *.c *.h ./\nRUN for f in main greet; do gcc-12 -O1 -c -o $f.o $f.c || exit 1; done && gcc-12 -static -o /program main.o greet.o\nFROM scratch\nCOPY --from=build /program /program\nENTRYPOINT ["/program"]\nCMD ["nobody"]\n', {
    'main.c': '#include "greet.h"\nint main(int argc, char **argv) { return greet(argc > 1 ? argv[1] : ""); }\n', 'greet.c': '#include <stdio.h>\n#include "greet.h"\nint greet(const char *who) { return printf("hello, %s\\n", who) < 0; }\n',
    'greet.h': 'int greet(const char *who);\n',
  });
  await mustRun(['build', '--verify', '-t', 'program:1', directory], { timeoutMs: 240_000 });
  assert.equal(await mustRun(['run', 'program:1']), 'hello, nobody\n');
  assert.equal(await mustRun(['run', 'program:1', 'you']), 'hello, you\n');
  assert.equal(openStore(home).find('program:1').config.diffIds.length, 1);
});
