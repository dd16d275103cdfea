/** Scans with the built command, for tests. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { commandIn } from '../images/fixtures.ts';

export interface ScanOutput {
  readonly findings: readonly { readonly rule: string; readonly severity: string; readonly subject: string; readonly message: string; readonly status?: string; readonly fixed?: string; readonly installed?: string; readonly origin?: { readonly layer: number; readonly from: string; readonly base?: string; readonly createdBy?: string; readonly deletedIn?: number }; readonly package?: { readonly name: string; readonly purl: string } }[];
  readonly ignored: readonly { readonly rule: string; readonly ignored: { readonly reason: string } }[];
  readonly packages: readonly { readonly type: string; readonly name: string; readonly version: string; readonly architecture?: string; readonly layer: number; readonly purl: string; readonly paths: readonly string[]; readonly isDevelopment?: boolean }[];
  readonly updates?: readonly { readonly name: string; readonly installed: string; readonly candidate: string; readonly isSecurity: boolean }[];
  readonly notes?: readonly string[];
  readonly rebuild?: { readonly base: string; readonly mends: number; readonly remains: number; readonly adds: number };
}

/** A directory that goes away with the tests, and the command with a store and a cache in it. */
export function scanPlace(): { readonly scratch: string; readonly write: (name: string, content: string | Uint8Array) => string } & ReturnType<typeof commandIn> & { readonly json: (args: readonly string[]) => Promise<ScanOutput> } {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-scan-test-'));
  after(() => rmSync(scratch, { recursive: true, force: true }));
  const command = commandIn({ CAISSON_HOME: join(scratch, 'store'), XDG_CACHE_HOME: join(scratch, 'cache') });
  return {
    scratch, ...command,
    write: (name, content) => {
      const path = join(scratch, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return path;
    },
    json: async (args) => {
      const { stdout, stderr, status } = await command.run(['scan', '-f', 'json', '--packages', ...args]);
      assert.ok(status === 0 || status === 1, stderr);
      return JSON.parse(stdout) as ScanOutput;
    },
  };
}

/** `npm left-pad 1.3.0`, sorted. */
export function packageLines({ packages }: ScanOutput): readonly string[] {
  return packages.map(({ type, name, version }) => `${type} ${name} ${version}`).sort();
}
