/** Files that say what is installed, as their tools write them (shortened), and the packages in each. */
export interface PackageFile {
  readonly path: string;
  readonly text: string;
  /** `type name version` */
  readonly packages: readonly string[];
}

const json = (value: unknown): string => JSON.stringify(value, undefined, 2);

export const PACKAGE_FILES: readonly PackageFile[] = [
  {
    path: 'var/lib/dpkg/status',
    text: 'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9+deb12u4\nDescription: C\n long\n .\n text\n\nPackage: left\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n\nPackage: broken\nStatus: install ok half-configured\nVersion: 1:2-3\nArchitecture: amd64\nSource: broken-src (2-2)\n',
    packages: ['deb libc6 2.36-9+deb12u4', 'deb broken 1:2-3'],
  },
  { path: 'var/lib/dpkg/status.d/tzdata', text: 'Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n', packages: ['deb tzdata 2024a-0+deb12u1'] },
  { path: 'lib/apk/db/installed', text: 'C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\no:musl\nL:MIT\nF:lib\nR:ld-musl-x86_64.so.1\n\nP:libcrypto3\nV:3.3.1-r3\nA:x86_64\no:openssl\n\n', packages: ['apk musl 1.2.5-r0', 'apk libcrypto3 3.3.1-r3'] },
  { path: 'app/node_modules/left-pad/package.json', text: json({ name: 'left-pad', version: '1.3.0', license: 'WTFPL' }), packages: ['npm left-pad 1.3.0'] },
  { path: 'app/node_modules/@types/node/package.json', text: json({ name: '@types/node', version: '20.1.0' }), packages: ['npm @types/node 20.1.0'] },
  { path: 'app/node_modules/left-pad/test/package.json', text: json({ name: 'a-fixture', version: '9.9.9' }), packages: [] },
  { path: 'app/package-lock.json', text: json({ lockfileVersion: 3, packages: { '': {}, 'node_modules/not-installed': { version: '1.0.0' } } }), packages: [] },
  {
    path: 'lock3/package-lock.json',
    text: json({ lockfileVersion: 3, packages: { '': { name: 'mine', version: '1.0.0' }, 'node_modules/a': { version: '1.2.3' }, 'node_modules/a/node_modules/@s/b': { version: '2.0.0', dev: true }, 'node_modules/alias': { name: 'real', version: '3.0.0' }, 'node_modules/linked': { resolved: 'packages/x', link: true } } }),
    packages: ['npm a 1.2.3', 'npm @s/b 2.0.0', 'npm real 3.0.0'],
  },
  { path: 'lock1/npm-shrinkwrap.json', text: json({ dependencies: { a: { version: '1.0.0', dependencies: { b: { version: '2.0.0' } } }, c: { version: 'npm:real-c@4.5.6' }, d: { version: 'git+https://x/y.git#1' } } }), packages: ['npm a 1.0.0', 'npm b 2.0.0', 'npm real-c 4.5.6'] },
  {
    path: 'yarn1/yarn.lock',
    text: '# yarn lockfile v1\n\n\n"@babel/core@^7.0.0", "@babel/core@^7.1.0":\n  version "7.24.0"\n  resolved "https://registry/x"\n  dependencies:\n    version "^1.0.0"\n\nalias@npm:real@^1.0.0:\n  version "1.5.0"\n\nlodash@^4.17.0:\n  version "4.17.21"\n',
    packages: ['npm @babel/core 7.24.0', 'npm real 1.5.0', 'npm lodash 4.17.21'],
  },
  { path: 'yarn4/yarn.lock', text: '__metadata:\n  version: 8\n\n"lodash@npm:^4.17.0":\n  version: 4.17.21\n  resolution: "lodash@npm:4.17.21"\n\n"@types/node@npm:^20.0.0":\n  version: 20.2.0\n\n"mine@workspace:.":\n  version: 0.0.0-use.local\n', packages: ['npm lodash 4.17.21', 'npm @types/node 20.2.0'] },
  {
    path: 'pnpm/pnpm-lock.yaml',
    text: "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        version: 1.0.0\n\npackages:\n\n  '@s/b@2.0.0':\n    resolution: {integrity: x}\n\n  a@1.0.0(react@18.0.0):\n    resolution: {integrity: x}\n\n  /old/3.1.0_react@17.0.0:\n    resolution: {integrity: x}\n\n  /six@6.0.0:\n    resolution: {integrity: x}\n\nsnapshots:\n\n  z@9.0.0: {}\n",
    packages: ['npm @s/b 2.0.0', 'npm a 1.0.0', 'npm old 3.1.0', 'npm six 6.0.0'],
  },
  { path: 'usr/lib/python3/site-packages/requests-2.31.0.dist-info/METADATA', text: 'Metadata-Version: 2.1\nName: requests\nVersion: 2.31.0\nLicense: Apache 2.0\n\nName: not-this\nVersion: 9\n', packages: ['pypi requests 2.31.0'] },
  { path: 'usr/lib/python3/site-packages/old.egg-info', text: 'Name: Old.Package\nVersion: 0.1\n', packages: ['pypi Old.Package 0.1'] },
  { path: 'py/requirements.txt', text: '# comment\nDjango==4.2.1 \\\n    --hash=sha256:abc\nflask>=2\nurllib3[socks]==1.26.18 ; python_version < "3.10"  # why\n-r other.txt\nstar==1.*\n', packages: ['pypi Django 4.2.1', 'pypi urllib3 1.26.18'] },
  { path: 'py/poetry.lock', text: '[[package]]\nname = "attrs"\nversion = "23.1.0"\noptional = false\n\n[package.dependencies]\nname = "no"\n\n[[package]]\nname = "black"\nversion = "23.3.0"\ncategory = "dev"\n\n[metadata]\nversion = "2.0"\n', packages: ['pypi attrs 23.1.0', 'pypi black 23.3.0'] },
  { path: 'uv/uv.lock', text: 'version = 1\n\n[[package]]\nname = "mine"\nversion = "0.1.0"\nsource = { virtual = "." }\n\n[[package]]\nname = "idna"\nversion = "3.6"\nsource = { registry = "https://pypi.org/simple" }\n', packages: ['pypi idna 3.6'] },
  { path: 'py/Pipfile.lock', text: json({ _meta: {}, default: { certifi: { version: '==2023.7.22' } }, develop: { pytest: { version: '==7.4.0' } } }), packages: ['pypi certifi 2023.7.22', 'pypi pytest 7.4.0'] },
  { path: 'usr/lib/ruby/specifications/rack-2.2.7.gemspec', text: '# -*- encoding: utf-8 -*-\nGem::Specification.new do |s|\n  s.name = "rack".freeze\n  s.version = "2.2.7"\n  s.licenses = ["MIT".freeze]\nend\n', packages: ['gem rack 2.2.7'] },
  { path: 'ruby/Gemfile.lock', text: 'GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.4-x86_64-linux)\n      racc (~> 1.4)\n    racc (1.7.1)\n\nPATH\n  remote: .\n  specs:\n    mine (0.1.0)\n\nDEPENDENCIES\n  nokogiri\n', packages: ['gem nokogiri 1.15.4', 'gem racc 1.7.1'] },
  { path: 'rust/Cargo.lock', text: 'version = 3\n\n[[package]]\nname = "mine"\nversion = "0.1.0"\n\n[[package]]\nname = "serde"\nversion = "1.0.188"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n', packages: ['cargo serde 1.0.188'] },
  { path: 'net/app.deps.json', text: json({ libraries: { 'app/1.0.0': { type: 'project' }, 'Newtonsoft.Json/13.0.1': { type: 'package' } } }), packages: ['nuget Newtonsoft.Json 13.0.1'] },
  { path: 'net2/packages.lock.json', text: json({ version: 1, dependencies: { 'net8.0': { 'Serilog': { type: 'Direct', resolved: '3.1.1' }, 'mine': { type: 'Project' } } } }), packages: ['nuget Serilog 3.1.1'] },
  { path: 'net3/packages.config', text: '<?xml version="1.0"?>\n<packages>\n  <package id="NUnit" version="3.13.3" targetFramework="net48" />\n</packages>\n', packages: ['nuget NUnit 3.13.3'] },
  { path: 'php/composer.lock', text: json({ 'packages': [{ name: 'symfony/console', version: 'v6.3.0' }], 'packages-dev': [{ name: 'phpunit/phpunit', version: '10.2.0' }] }), packages: ['composer symfony/console 6.3.0', 'composer phpunit/phpunit 10.2.0'] },
  { path: 'php2/vendor/composer/installed.json', text: json({ 'packages': [{ name: 'monolog/monolog', version: '3.4.0', license: ['MIT'] }], 'dev-package-names': [] }), packages: ['composer monolog/monolog 3.4.0'] },
  { path: 'php2/composer.lock', text: json({ packages: [{ name: 'never/installed', version: '1.0.0' }] }), packages: [] },
];
