/** Ruby, Rust, .NET and PHP: lists of what is installed, and lock files. */
import { MOST_LOCK_BYTES, MOST_MANIFEST_BYTES } from '../limits.ts';
import { arrayOf, entriesOf, fieldOf, parseJson, stringOf, textOf } from '../text.ts';
import { PackageList, unreadable } from './checked.ts';
import { tomlPackages } from './lines.ts';
import type { PackageReader } from './types.ts';

/** `specifications/NAME-VERSION[-PLATFORM].gemspec`, written by RubyGems: plain assignments. */
export const GEM_INSTALLED: PackageReader = {
  name: 'gem', kind: 'installed',
  wants: ({ path }, name) => name.endsWith('.gemspec') && /(?:^|\/)specifications\/(?:default\/)?[^/]+$/.test(path),
  read: (file) => {
    const text = textOf(file.read(MOST_MANIFEST_BYTES));
    const assigned = (field: string): string | undefined => new RegExp(`^[ \\t]*\\w{1,20}\\.${field}\\s*=\\s*(?:Gem::Version\\.new\\(?\\s*)?["']([^"'\\n]{1,200})["']`, 'm').exec(text)?.[1];
    const list = new PackageList();
    list.add({ type: 'gem', name: assigned('name'), version: assigned('version'), license: /^[ \t]*\w{1,20}\.licenses?\s*=\s*\[?["']([^"'\n]{1,100})/m.exec(text)?.[1] });
    return list.result;
  },
};

/** `specs:` of each source: `    name (1.2.3)`; what it needs stands deeper. */
export function readGemfileLock(text: string): PackageList {
  const list = new PackageList();
  let isSource = false;
  for (const line of text.split('\n')) {
    if (/^\S/.test(line)) isSource = /^(?:GEM|GIT|PLUGIN SOURCE)\s*$/.test(line);
    const [, name, version] = isSource ? (/^ {4}(\S{1,200}) \(([^()\s]{1,200})\)\s*$/.exec(line) ?? []) : [];
    // `nokogiri (1.16.0-x86_64-linux)`: the platform is no part of the version.
    list.add({ type: 'gem', name, version: version?.replace(/-(?:x86|x64|aarch64|arm|arm64|universal|java|jruby|mswin|mingw).*$/, '') });
  }
  return list;
}

export const GEMFILE_LOCK: PackageReader = {
  name: 'bundler', kind: 'lock',
  wants: (_, name) => name === 'Gemfile.lock' || name === 'gems.locked',
  read: (file) => readGemfileLock(textOf(file.read(MOST_LOCK_BYTES))).result,
};

export const CARGO_LOCK: PackageReader = {
  name: 'cargo', kind: 'lock',
  wants: (_, name) => name === 'Cargo.lock',
  read: (file) => {
    const list = new PackageList();
    // The project's own crates have no source.
    for (const fields of tomlPackages(textOf(file.read(MOST_LOCK_BYTES)))) if (fields.get('source') !== undefined) list.add({ type: 'cargo', name: fields.get('name'), version: fields.get('version') });
    return list.result;
  },
};

/** `NAME.deps.json`, which a published program has beside it: what it was built with. */
export const NUGET_DEPS: PackageReader = {
  name: 'dotnet-deps', kind: 'installed',
  wants: (_, name) => name.endsWith('.deps.json'),
  read: (file) => {
    const document = parseJson(file.read(MOST_LOCK_BYTES));
    if (document === undefined) return unreadable('it is not JSON');
    const list = new PackageList();
    for (const [key, value] of entriesOf(fieldOf(document, 'libraries'))) {
      const slash = key.indexOf('/');
      if (slash > 0 && stringOf(value, 'type') === 'package') list.add({ type: 'nuget', name: key.slice(0, slash), version: key.slice(slash + 1) });
    }
    return list.result;
  },
};

export const NUGET_LOCK: PackageReader = {
  name: 'nuget', kind: 'lock',
  wants: (_, name) => name === 'packages.lock.json' || name === 'packages.config',
  read: (file) => {
    const list = new PackageList();
    if (file.path.endsWith('.config')) {
      for (const [element] of textOf(file.read(MOST_LOCK_BYTES)).matchAll(/<package\s[^<>]{1,2000}>/g)) {
        list.add({ type: 'nuget', name: /\bid="([^"]{1,200})"/.exec(element)?.[1], version: /\bversion="([^"]{1,200})"/.exec(element)?.[1], isDevelopment: /\bdevelopmentDependency="true"/.test(element) ? true : undefined });
      }
      return list.result;
    }
    const document = parseJson(file.read(MOST_LOCK_BYTES));
    if (document === undefined) return unreadable('it is not JSON');
    for (const [, framework] of entriesOf(fieldOf(document, 'dependencies'))) {
      for (const [name, value] of entriesOf(framework)) if (stringOf(value, 'type') !== 'Project') list.add({ type: 'nuget', name, version: stringOf(value, 'resolved') });
    }
    return list.result;
  },
};

function addComposer(list: PackageList, packages: readonly unknown[], isDevelopment: (name: string) => boolean): void {
  for (const one of packages) {
    const name = stringOf(one, 'name');
    list.add({ type: 'composer', name, version: stringOf(one, 'version')?.replace(/^v(?=\d)/, ''), isDevelopment: isDevelopment(name ?? '') ? true : undefined, license: arrayOf(one, 'license').filter((license) => typeof license === 'string').join(' OR ') });
  }
}

export const COMPOSER: PackageReader = {
  name: 'composer', kind: 'lock',
  wants: (_, name) => name === 'composer.lock',
  read: (file) => {
    const document = parseJson(file.read(MOST_LOCK_BYTES));
    if (document === undefined) return unreadable('it is not JSON');
    const list = new PackageList();
    addComposer(list, arrayOf(document, 'packages'), () => false);
    addComposer(list, arrayOf(document, 'packages-dev'), () => true);
    return list.result;
  },
};

/** `vendor/composer/installed.json`: of Composer 2, or the bare list of Composer 1. */
export const COMPOSER_INSTALLED: PackageReader = {
  name: 'composer-installed', kind: 'installed',
  wants: ({ path }) => path === 'composer/installed.json' || path.endsWith('/composer/installed.json'),
  read: (file) => {
    const document = parseJson(file.read(MOST_LOCK_BYTES));
    if (document === undefined) return unreadable('it is not JSON');
    const development = new Set(arrayOf(document, 'dev-package-names'));
    const list = new PackageList();
    addComposer(list, Array.isArray(document) ? document : arrayOf(document, 'packages'), (name) => development.has(name));
    return list.result;
  },
};
