/** Python: what is installed (dist-info, egg-info; PEP 376, 427), and what is to be (requirements, poetry.lock, uv.lock, pdm.lock, Pipfile.lock). */
import { MOST_LOCK_BYTES, MOST_MANIFEST_BYTES } from '../limits.ts';
import { entriesOf, fieldOf, parseJson, stringOf, textOf } from '../text.ts';
import { PackageList, unreadable } from './checked.ts';
import { tomlPackages } from './lines.ts';
import type { PackageReader } from './types.ts';

/** PEP 503. */
export function normalizedName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}

/** The header of METADATA (RFC 822 form): all before the first empty line. */
function metadataOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') break;
    const [, name, value] = /^(Name|Version|License|License-Expression):(.*)$/is.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value.trim());
  }
  return fields;
}

const METADATA = /\.(?:dist-info\/METADATA|egg-info\/PKG-INFO|egg\/EGG-INFO\/PKG-INFO|egg-info)$/;

export const PYTHON_INSTALLED: PackageReader = {
  name: 'python', kind: 'installed',
  wants: ({ path }) => METADATA.test(path),
  read: (file) => {
    const fields = metadataOf(textOf(file.read(MOST_MANIFEST_BYTES)));
    const list = new PackageList();
    const license = fields.get('license-expression') ?? fields.get('license');
    list.add({ type: 'pypi', name: fields.get('name'), version: fields.get('version'), license: license === 'UNKNOWN' || (license?.length ?? 0) > 100 ? undefined : license });
    return list.result;
  },
};

export const PYTHON_TOML_LOCK: PackageReader = {
  name: 'python-lock', kind: 'lock',
  wants: (_, name) => name === 'poetry.lock' || name === 'uv.lock' || name === 'pdm.lock',
  read: (file) => {
    const list = new PackageList();
    for (const fields of tomlPackages(textOf(file.read(MOST_LOCK_BYTES)))) {
      // What uv.lock has of the project itself is no package of the index.
      if (/\b(?:virtual|editable)\s*=/.test(fields.get('source') ?? '')) continue;
      list.add({ type: 'pypi', name: fields.get('name'), version: fields.get('version'), isDevelopment: fields.get('category') === 'dev' ? true : undefined });
    }
    return list.result;
  },
};

export const PIPFILE_LOCK: PackageReader = {
  name: 'pipenv', kind: 'lock',
  wants: (_, name) => name === 'Pipfile.lock',
  read: (file) => {
    const document = parseJson(file.read(MOST_LOCK_BYTES));
    if (document === undefined) return unreadable('it is not JSON');
    const list = new PackageList();
    for (const group of ['default', 'develop']) {
      for (const [name, value] of entriesOf(fieldOf(document, group))) list.add({ type: 'pypi', name, version: stringOf(value, 'version')?.replace(/^={2,3}/, ''), isDevelopment: group === 'develop' ? true : undefined });
    }
    return list.result;
  },
};

/** Only `name==version` says what will be there; whatever else pip would choose, it chooses anew each time. */
export function readRequirements(text: string): PackageList {
  const list = new PackageList();
  for (const line of text.split('\n')) {
    const [, name, version] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,200})\s*(?:\[[^\]]{0,200}\]\s*)?={2,3}\s*([^\s;#,*\\]{1,200})\s*(?:[;#\\].*|--hash.*)?$/s.exec(line.slice(0, 2000).trim()) ?? [];
    list.add({ type: 'pypi', name, version });
  }
  return list;
}

export const REQUIREMENTS: PackageReader = {
  name: 'requirements', kind: 'lock',
  wants: (_, name) => /^requirements(?:[-_.][A-Za-z0-9-_.]*)?\.txt$/.test(name),
  read: (file) => readRequirements(textOf(file.read(MOST_LOCK_BYTES))).result,
};
