/** npm: what is installed in `node_modules`, and lock files (package-lock.json, npm-shrinkwrap.json of versions 1 to 3; yarn.lock of Yarn 1 and later ones; pnpm-lock.yaml). */
import { MOST_LOCK_BYTES, MOST_MANIFEST_BYTES, MOST_NESTING } from '../limits.ts';
import { entriesOf, fieldOf, isObject, parseJson, stringOf, textOf } from '../text.ts';
import { PackageList, unreadable } from './checked.ts';
import { nameBeforeVersion } from './lines.ts';
import type { PackageReader } from './types.ts';

function licenseOf(document: unknown): string | undefined {
  const license = fieldOf(document, 'license');
  return typeof license === 'string' ? license : stringOf(license, 'type');
}

/** `node_modules/NAME` or `node_modules/@SCOPE/NAME`, not a directory deeper in a package. */
const INSTALLED = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/;

export const NPM_INSTALLED: PackageReader = {
  name: 'npm', kind: 'installed',
  wants: ({ path }, name) => name === 'package.json' && (INSTALLED.test(path) || /(?:^|\/)usr\/share\/nodejs\//.test(path)),
  read: (file) => {
    const document = parseJson(file.read(MOST_MANIFEST_BYTES));
    if (document === undefined) return unreadable('it is not JSON');
    const list = new PackageList();
    list.add({ type: 'npm', name: stringOf(document, 'name'), version: stringOf(document, 'version'), license: licenseOf(document) });
    return list.result;
  },
};

/** Version 1: packages within packages. */
function addDependencies(list: PackageList, dependencies: unknown, depth: number): void {
  if (depth > MOST_NESTING) return;
  for (const [name, value] of entriesOf(dependencies)) {
    const version = stringOf(value, 'version') ?? '';
    const [, alias, aliased] = /^npm:(.+)@([^@]+)$/.exec(version) ?? [];
    if (/^\d/.test(aliased ?? version)) list.add({ type: 'npm', name: alias ?? name, version: aliased ?? version, isDevelopment: fieldOf(value, 'dev') === true ? true : undefined });
    addDependencies(list, fieldOf(value, 'dependencies'), depth + 1);
  }
}

/** Versions 2 and 3: packages by where they are installed. Links lead to directories of the project. */
function addInstalled(list: PackageList, packages: unknown): void {
  for (const [path, value] of entriesOf(packages)) {
    const last = path.lastIndexOf('node_modules/');
    if (last < 0 || fieldOf(value, 'link') === true) continue;
    const isDevelopment = fieldOf(value, 'dev') === true || fieldOf(value, 'devOptional') === true ? true : undefined;
    list.add({ type: 'npm', name: stringOf(value, 'name') ?? path.slice(last + 'node_modules/'.length), version: stringOf(value, 'version'), license: stringOf(value, 'license'), isDevelopment });
  }
}

export const NPM_LOCK: PackageReader = {
  name: 'npm-lock', kind: 'lock',
  wants: (_, name) => name === 'package-lock.json' || name === 'npm-shrinkwrap.json' || name === '.package-lock.json',
  read: (file) => {
    const document = parseJson(file.read(MOST_LOCK_BYTES));
    if (!isObject(document)) return unreadable('it is not JSON');
    const list = new PackageList();
    if (isObject(fieldOf(document, 'packages'))) addInstalled(list, fieldOf(document, 'packages'));
    else addDependencies(list, fieldOf(document, 'dependencies'), 0);
    return list.result;
  },
};

/** Yarn 1 has `  version "1.2.3"`, later ones `  version: 1.2.3` and `  resolution: "name@npm:1.2.3"`. `alias@npm:name@1` names what is installed as `alias`. */
export function readYarnLock(text: string): PackageList {
  const list = new PackageList();
  let name = '';
  for (const line of text.split('\n')) {
    if (line !== '' && !/^[\s#]/.test(line)) {
      const first = line.replace(/^"/, '');
      const [, aliased] = /^@?[^@]+@npm:(@?[^@\d^~*"][^@]*)@/.exec(first) ?? [];
      name = aliased ?? nameBeforeVersion(first);
    }
    const [, version] = /^ {2}version:? "?([^"\s]{1,200})"?\s*$/.exec(line) ?? [];
    if (version !== undefined && name !== '__metadata:' && version !== '0.0.0-use.local') list.add({ type: 'npm', name, version });
  }
  return list;
}

export const YARN_LOCK: PackageReader = {
  name: 'yarn', kind: 'lock',
  wants: (_, name) => name === 'yarn.lock',
  read: (file) => readYarnLock(textOf(file.read(MOST_LOCK_BYTES))).result,
};

/** Keys of `packages:`: `/name/1.2.3:` (version 5), `/name@1.2.3:` (6), `name@1.2.3:` (9), with what is needed beside in brackets or behind `_`. */
export function readPnpmLock(text: string): PackageList {
  const list = new PackageList();
  let isPackages = false;
  for (const line of text.split('\n')) {
    if (/^\S/.test(line)) isPackages = line.startsWith('packages:');
    const [, key] = isPackages ? (/^ {2}(\S.{0,1000}):(?:\s*\{\})?\s*$/.exec(line) ?? []) : [];
    if (key === undefined) continue;
    const plain = key.replace(/^['"]|['"]$/g, '').replace(/^\//, '').replace(/\(.*$/, '');
    const [, name, version] = /^((?:@[^/]+\/)?[^/@]+)\/(\d[^/_]*)/.exec(plain) ?? /^(@?[^@]+)@(\d[^_]*)/.exec(plain) ?? [];
    list.add({ type: 'npm', name, version });
  }
  return list;
}

export const PNPM_LOCK: PackageReader = {
  name: 'pnpm', kind: 'lock',
  wants: (_, name) => name === 'pnpm-lock.yaml',
  read: (file) => readPnpmLock(textOf(file.read(MOST_LOCK_BYTES))).result,
};
