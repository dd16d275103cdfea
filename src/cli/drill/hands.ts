/** What an engine does with what a guest has left: by our own code, and as one does it that takes no care. */
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Canaries } from './canaries.ts';
import type { Hands } from '../../drill/index.ts';
import type { Sandbox } from '../../sandbox/index.ts';
import { readInput } from '../../audit/index.ts';
import { printable } from '../errors.ts';

/** Of the sandbox's own interface, and of what the command line prints. */
export function ourHands(sandbox: Sandbox): Hands {
  return {
    copyOut: async (path) => sandbox.files.read(path).catch(() => ''),
    copyIn: async (path, text) => sandbox.files.write(path, text).catch(() => {}),
    showChanges: async () => printable((await sandbox.changes()).map(({ kind, path }) => `${kind} ${path}`).join(' ')),
    takeSettings: async (json) => {
      for (const { name } of readInput(json, 'inspect').configurations) printable(name);
      const settings = JSON.parse(json) as readonly { readonly Config: { readonly Labels: Readonly<Record<string, string>> } }[];
      await sandbox.commands.run(['/caisson-drill-is-not-there'], { env: settings[0]?.Config.Labels ?? {} }).catch(() => {});
    },
  };
}

/** What libraries did before CVE-2019-10744. */
function merge(target: Record<string, unknown>, source: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(source)) {
    const value = source[name];
    if (typeof value === 'object' && value !== null) merge((target[name] ??= {}) as Record<string, unknown>, value as Record<string, unknown>);
    else target[name] = value;
  }
}

/** Paths of the guest are paths of the host, links and all. */
export function carelessHands(sandbox: Sandbox, { files }: Canaries): Hands {
  const place = (path: string): string => {
    try {
      lstatSync(path);
      return path;
    } catch {
      return join(files.granted, path);
    }
  };
  return {
    copyOut: async (path) => readFileSync(place(path), 'utf8'),
    copyIn: async (path, text) => {
      mkdirSync(dirname(place(path)), { recursive: true });
      writeFileSync(place(path), text);
    },
    showChanges: async () => (await sandbox.changes()).map(({ kind, path }) => `${kind} ${path}`).join(' '),
    takeSettings: async (json) => merge({}, JSON.parse(json) as Record<string, unknown>),
  };
}
