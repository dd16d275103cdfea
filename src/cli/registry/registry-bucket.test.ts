/** Where a bucket is: what flags, the configuration and the environment make of it, and every mistake in them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { BucketOptions } from '../../registry/index.ts';
import { formatError } from '../errors.ts';
import { parseFlags } from '../flags.ts';
import { bucketOptions } from './registry-bucket.ts';
import { readRegistryConfig } from './registry-config.ts';
import { SERVE } from './registry-specs.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
const OURS = /^AWS_/;
const directory = mkdtempSync(join(tmpdir(), 'caisson-bucket-options-'));
const before = Object.entries(process.env).filter(([name]) => OURS.test(name));

function setEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (OURS.test(name)) delete process.env[name];
  Object.assign(process.env, environment);
}

after(() => {
  setEnvironment(Object.fromEntries(before) as Record<string, string>);
  rmSync(directory, { recursive: true });
});

let files = 0;
function optionsOf(flags: readonly string[], environment: Readonly<Record<string, string>> = KEYS, s3?: object): BucketOptions | undefined {
  setEnvironment(environment);
  const file = join(directory, `${files++}.json`);
  writeFileSync(file, JSON.stringify(s3 === undefined ? {} : { storage: { s3 } }));
  return bucketOptions(parseFlags(flags, SERVE.flags, SERVE.name), readRegistryConfig(file));
}

test('bucketOptions() reads flags before the configuration, and that before the environment', () => {
  const amazon = optionsOf(['--storage', 's3://images', '--s3-region', 'eu-central-1']);
  assert.deepEqual(amazon, { bucket: 'images', prefix: '', region: 'eu-central-1', endpoint: 'https://s3.eu-central-1.amazonaws.com', pathStyle: false, credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: undefined }, partBytes: 8 * 2 ** 20, tls: undefined, timeoutMs: 20_000, putHeaders: {} });
  const own = optionsOf(['--storage', 's3://images/a/b/', '--s3-endpoint', 'https://s3.example:9000/'], { ...KEYS, AWS_SESSION_TOKEN: 'token', AWS_REGION: 'eu-x' });
  assert.deepEqual([own?.prefix, own?.endpoint, own?.pathStyle, own?.region, own?.credentials.sessionToken], ['a/b/', 'https://s3.example:9000', true, 'eu-x', 'token']);
  const configured = optionsOf([], KEYS, { bucket: 'images', rootdirectory: '/root', regionendpoint: 'minio.local:9000', secure: false, accesskey: 'other', secretkey: 'hush', forcepathstyle: false, chunksize: '16m', encrypt: true, storageclass: 'STANDARD_IA' });
  assert.deepEqual([configured?.prefix, configured?.endpoint, configured?.region, configured?.pathStyle, configured?.partBytes], ['root/', 'http://minio.local:9000', 'us-east-1', false, 16 * 2 ** 20]);
  assert.deepEqual([configured?.credentials, configured?.putHeaders], [{ accessKeyId: 'other', secretAccessKey: 'hush', sessionToken: undefined }, { 'x-amz-server-side-encryption': 'AES256', 'x-amz-storage-class': 'STANDARD_IA' }]);
  const both = optionsOf(['--storage', 's3://first', '--s3-region', 'r1', '--s3-force-path-style', 'true'], { ...KEYS, AWS_ENDPOINT_URL_S3: 'https://env.example', AWS_REGION: 'r3' }, { bucket: 'second', region: 'r2', forcepathstyle: false });
  assert.deepEqual([both?.bucket, both?.region, both?.endpoint, both?.pathStyle], ['first', 'r1', 'https://env.example', true]);
  assert.equal(optionsOf(['--storage', 's3://with.dots', '--s3-region', 'r']) ?.pathStyle, true);
  assert.equal(optionsOf(['--storage', 's3://images', '--s3-region', 'r', '--max-blob-size', '1t'])?.partBytes, 105 * 2 ** 20);
  assert.equal(optionsOf(['--listen', ':5000']), undefined);
});

test('bucketOptions() names each mistake, and what to do', () => {
  const local = ['--storage', 's3://images', '--s3-endpoint', 'http://127.0.0.1:9000'];
  const cases: readonly (readonly [message: RegExp, flags: readonly string[], environment?: Readonly<Record<string, string>>, s3?: object])[] = [
    [/cannot use --storage gs:\/\/images: it is not s3:\/\/BUCKET\[\/PREFIX\]/, ['--storage', 'gs://images']], [/it is not s3:/, ['--storage', 's3://x']], [/it is not s3:/, ['--storage', 's3:///x']],
    [/the prefix "a\/\.\.\/b" is none/, ['--storage', 's3://images/a/../b']], [/the prefix "a\/\/b" is none/, ['--storage', 's3://images/a//b']], [/the prefix "ä" is none/, ['--storage', 's3://images/ä']], [/200 characters at most/, ['--storage', `s3://images/${'a'.repeat(201)}`]],
    [/its region is not known \(give it with --s3-region/, ['--storage', 's3://images']], [/the region "EU west" *: it is none|the region "EU west"/, ['--storage', 's3://images', '--s3-region', 'EU west']],
    [/is not encrypted \(use https, or ask for it with --s3-plain-http/, ['--storage', 's3://images', '--s3-endpoint', 'http://s3.example']], [/is not http\(s\)/, ['--storage', 's3://images', '--s3-endpoint', 'ftp://x']], [/is not http\(s\).*credentials are given/, ['--storage', 's3://images', '--s3-endpoint', 'https://id:key@x']],
    [/cannot use --s3-region: no bucket is named/, ['--s3-region', 'eu-x']], [/neither true nor false/, [...local, '--s3-force-path-style', 'yes']], [/--s3-chunk-size x: it is no size/, [...local, '--s3-chunk-size', 'x']], [/takes parts of 5 MiB and more/, [...local, '--s3-chunk-size', '1m']], [/128 MiB are held/, [...local, '--s3-chunk-size', '200m']],
    [/use 105m or more/, [...local, '--max-blob-size', '1t', '--s3-chunk-size', '8m']], [/--s3-cacert \/nowhere: ENOENT/, [...local, '--s3-cacert', '/nowhere']], [/there are no credentials \(set AWS_ACCESS_KEY_ID/, local, {}], [/there are no credentials/, local, { AWS_ACCESS_KEY_ID: 'id' }],
    [/storage\.s3 must have both "accesskey" and "secretkey"/, [], KEYS, { bucket: 'images', accesskey: 'x' }], [/storage\.s3 says no "bucket"/, [], KEYS, {}], [/did you mean "bucket"/, [], KEYS, { bukket: 'x' }], [/storage\.s3\.secure must be true or false/, [], KEYS, { bucket: 'images', secure: 'no' }],
    [/storage\.s3\.chunksize is "much", and must be such as 16m/, [], KEYS, { bucket: 'images', chunksize: 'much' }], [/storage\.s3\.secretkeyfile and "secretkey" say the same/, [], KEYS, { bucket: 'images', accesskey: 'x', secretkey: 'y', secretkeyfile: '/z' }], [/ENOENT/, [], KEYS, { bucket: 'images', accesskey: 'x', secretkeyfile: '/nowhere' }],
  ];
  for (const [message, flags, environment, s3] of cases) {
    assert.throws(() => optionsOf(flags, environment, s3), (error) => {
      assert.match(formatError(error), message);
      assert.match(formatError(error), /^caisson: cannot [^\n]* \([^\n]*\)$/);
      return true;
    }, String(message));
  }
});
