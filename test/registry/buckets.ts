/** Registries on buckets, for tests: of s3rver (npm), and of our own strict server that fails when it is told to. */
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ACCESS_KEY, BUCKET, BucketServer, SECRET_KEY } from './bucket-server.ts';
import { freePort, untilOpen } from './servers.ts';
import type { Scratch, TestRegistry } from './servers.ts';

/** How to reach a bucket: flags, and the environment. */
export interface TestBucket {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export const CREDENTIALS = { AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY };

/** In a process of its own: tests wait for other programs without giving way. */
export async function startS3rver(scratch: Scratch): Promise<TestBucket> {
  const port = await freePort();
  const options = { port, address: '127.0.0.1', silent: true, directory: mkdtempSync(join(scratch.directory, 's3rver-')), configureBuckets: [{ name: BUCKET }] };
  const module = createRequire(import.meta.url).resolve('@20minutes/s3rver');
  scratch.spawn(process.execPath, ['-e', `new (require(${JSON.stringify(module)}))(${JSON.stringify(options)}).run()`]);
  await untilOpen(port);
  return { flags: ['--storage', `s3://${BUCKET}/team/a`, '--s3-endpoint', `http://127.0.0.1:${port}`], env: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' } };
}

export async function startBucket(): Promise<TestBucket & { readonly server: BucketServer }> {
  const server = new BucketServer();
  const endpoint = await server.start();
  return { server, flags: ['--storage', `s3://${BUCKET}`, '--s3-endpoint', endpoint], env: CREDENTIALS };
}

/** An instance of a registry on a bucket, with a directory of its own. */
export function serveBucket(scratch: Scratch, { flags, env }: TestBucket, more: readonly string[] = []): Promise<TestRegistry> {
  return scratch.serve([...flags, ...more], { env });
}
