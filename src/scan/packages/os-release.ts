/** Which distribution it is: os-release(5). */
import { MOST_MANIFEST_BYTES } from '../limits.ts';
import { textOf } from '../text.ts';
import type { Distribution, PackageReader } from './types.ts';

function unquoted(value: string): string {
  const text = value.trim();
  if (text.startsWith('"') && text.endsWith('"') && text.length > 1) return text.slice(1, -1).replace(/\\(.)/g, '$1');
  return text.startsWith("'") && text.endsWith("'") && text.length > 1 ? text.slice(1, -1) : text;
}

/** Undefined where it does not say. */
export function readOsRelease(text: string): Distribution | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*([A-Z0-9_]{1,64})=(.{0,1000})$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields.set(name, unquoted(value));
  }
  const id = fields.get('ID')?.toLowerCase();
  if (id === undefined || id === '') return undefined;
  const [codename, name, like] = [fields.get('VERSION_CODENAME'), fields.get('PRETTY_NAME'), fields.get('ID_LIKE')];
  return {
    id, version: fields.get('VERSION_ID') ?? '', ...(codename === undefined ? {} : { codename }), ...(name === undefined ? {} : { name }),
    ...(like === undefined ? {} : { like: like.toLowerCase().split(/\s+/).filter((word) => word !== '') }),
  };
}

export const OS_RELEASE: PackageReader = {
  name: 'os-release', kind: 'distribution',
  wants: ({ path }) => path === 'etc/os-release' || path === 'usr/lib/os-release',
  read: (file) => {
    const distribution = readOsRelease(textOf(file.read(MOST_MANIFEST_BYTES)));
    return distribution === undefined ? undefined : { packages: [], distribution };
  },
};
