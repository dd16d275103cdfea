/** Each kind of version against the cases that its own documentation or test suite has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PackageType } from '../packages/types.ts';
import { COMPARE } from './index.ts';

/** Rows `A < B`, `A = B`, `A > B`; each is tried in both directions. */
const CASES: Readonly<Partial<Record<PackageType, { readonly source: string; readonly rows: readonly string[] }>>> = {
  deb: {
    source: 'Debian Policy 5.6.12 and dpkg lib/dpkg/t/t-version.c',
    rows: ['1:1 > 2', '1.0~rc1 < 1.0', '1.0 = 1.0-0', '1.0-1 < 1.0-1+b1', '1.0+dfsg-1 > 1.0-1', '1.2 < 1.10', '1.0~~ < 1.0~~a', '1.0~~a < 1.0~', '1.0~ < 1.0', '1.0 < 1.0a', '0-0 < 0-a', '1.0a < 1.0+', '001 = 1', '2:0 > 1:9', '1-2-3 > 1-2', '0:1 = 1', '1.a < 1.aa', '1.8.Z < 1.8.z'],
  },
  rpm: {
    source: 'rpm tests/rpmvercmp.at',
    rows: ['1.0 = 1.0', '1.0 < 2.0', '2.0.1a > 2.0.1', '5.5p1 < 5.5p2', '5.5p10 > 5.5p1', '10xyz < 10.1xyz', 'xyz10 < xyz10.1', 'xyz.4 < 8', '5.5p2 < 5.6p1', '5.6p1 < 6.5p1', '6.0.rc1 > 6.0', '10b2 > 10a1', '1.0aa > 1.0a', '10.0001 = 10.1', '10.0001 < 10.0039',
      '4.999.9 < 5.0', '20101122 > 20101121', '2_0 = 2.0', '2_0 = 2_0', 'a+ = a_', '+a = _a', '+ = _', '1.0~rc1 < 1.0', '1.0~rc1~git123 < 1.0~rc1', '1.0~rc2 > 1.0~rc1', '1.0^ > 1.0', '1.0^git1 < 1.0^git2', '1.0^git1 < 1.01', '1.0^20160101 < 1.0.1', '1.0^20160101^git1 < 1.0^20160102',
      '1.0~rc1^git1 > 1.0~rc1', '1.0^git1~pre < 1.0^git1', '1b.fc17 = 1b.fc17', '1b.fc17 < 1.fc17', '1g.fc17 > 1.fc17', '1:1.0 > 2.0', '1.0-1 = 1.0', '1.0-1 < 1.0-2'],
  },
  apk: {
    source: 'apk-tools test/version.data',
    rows: ['2.34 > 0.1.0_alpha', '0.1.0_alpha < 0.1.0_beta', '1.2_alpha < 1.2', '1.2_p1 > 1.2', '1.2.3-r1 > 1.2.3-r0', '0.12.1 < 0.12.10', '1.3a > 1.3', '23_foo < 4_beta', '4.2_beta < 4.2_rc1', '3.0.10-r0 > 3.0.9-r0', '20040626 > 9', '1.2b > 1.2a', '1.2_p < 1.2_p1', '1.05 < 1.1', '1.2_rc1 < 1.2_p1', '1.2_alpha1 < 1.2_alpha2', '1.0.4-r3 < 1.0.4-r4'],
  },
  npm: {
    source: 'semver.org 2.0.0, 11',
    rows: ['1.0.0-alpha < 1.0.0-alpha.1', '1.0.0-alpha.1 < 1.0.0-alpha.beta', '1.0.0-alpha.beta < 1.0.0-beta', '1.0.0-beta < 1.0.0-beta.2', '1.0.0-beta.2 < 1.0.0-beta.11', '1.0.0-beta.11 < 1.0.0-rc.1', '1.0.0-rc.1 < 1.0.0', '1.0.0 < 2.0.0', '2.0.0 < 2.1.0', '2.1.0 < 2.1.1', '1.0.0+a = 1.0.0+b', '1.0.0-99999999999999999998 < 1.0.0-99999999999999999999'],
  },
  golang: { source: 'golang.org/x/mod/semver and pseudo-versions', rows: ['v1.0.0 = 1.0.0', 'v0.0.0-20190101000000-abcdefabcdef < v0.0.0-20200101000000-000000000000', 'v1.2.4-0.20191109021931-daa7c04131f5 < v1.2.4', 'v2.0.0+incompatible = v2.0.0', '1.21.13 < 1.22.0', '1.22rc1 < 1.22'] },
  pypi: {
    source: 'PEP 440, "Summary of permitted suffixes and relative ordering"',
    rows: ['1.dev0 < 1.0.dev456', '1.0.dev456 < 1.0a1', '1.0a1 < 1.0a2.dev456', '1.0a2.dev456 < 1.0a12.dev456', '1.0a12.dev456 < 1.0a12', '1.0a12 < 1.0b1.dev456', '1.0b1.dev456 < 1.0b2', '1.0b2 < 1.0b2.post345.dev456', '1.0b2.post345.dev456 < 1.0b2.post345', '1.0b2.post345 < 1.0rc1.dev456',
      '1.0rc1.dev456 < 1.0rc1', '1.0rc1 < 1.0', '1.0 < 1.0+abc.5', '1.0+abc.5 < 1.0+abc.7', '1.0+abc.7 < 1.0+5', '1.0+5 < 1.0.post456.dev34', '1.0.post456.dev34 < 1.0.post456', '1.0.post456 < 1.0.15', '1.0.15 < 1.1.dev1', '2013.10 < 1!1.0', '1.0-1 = 1.0.post1', '1.0.0 = 1', 'v1.0-Alpha_1 = 1.0a1', '1.0c1 = 1.0rc1'],
  },
  gem: {
    source: 'RubyGems test/rubygems/test_gem_version.rb, test_spaceship',
    rows: ['1.0 = 1', '1.0 > 1.0.a', '1.8.2 > 0.0.0', '1.8.2 > 1.8.2.a', '1.8.2.b > 1.8.2.a', '1.8.2.a < 1.8.2', '1.8.2.a10 > 1.8.2.a9', '0.beta.1 < 0.0.1', '0.0.beta < 0.0.beta.1', '5.a < 5.0.0.rc2', '5.x > 5.0.0.rc2', '1.9.3 = 1.9.3', '1.9.3 < 1.9.3.1', '1.0.0-1 < 1.0.0'],
  },
  maven: {
    source: 'Maven POM reference, "Version Order Specification"',
    rows: ['1 < 1.1', '1-snapshot < 1', '1 < 1-sp', '1-foo2 < 1-foo10', '1.foo = 1-foo', '1-foo < 1-1', '1-1 < 1.1', '1.ga = 1-ga', '1-ga = 1-0', '1-0 = 1.0', '1.0 = 1', '1-sp > 1-ga', '1-sp.1 > 1-ga.1', '1-sp-1 < 1-ga-1', '1-ga-1 = 1-1', '1-a1 = 1-alpha-1', '1.0.0 = 1', '1.final = 1', '1. = 1', '1- = 1', '1.0.0-foo.0.0 = 1-foo',
      '1.0.0-0.0.0 = 1', '1-1.foo-bar1baz-.1 = 1-1.foo-bar-1-baz-0.1', '1.0-alpha < 1.0-beta', '1.0-beta < 1.0-milestone', '1.0-milestone < 1.0-rc', '1.0-rc = 1.0-cr', '1.0-rc < 1.0-snapshot', '1.0-snapshot < 1.0', '1.0 < 1.0-sp', '1.0.RC2 < 1.0-RC3', '1.0-RC3 < 1.0.1'],
  },
  nuget: { source: 'NuGet documentation, "Package versioning"', rows: ['1.0 = 1.0.0.0', '1.0.0-ALPHA = 1.0.0-alpha', '1.0.1-alpha10 < 1.0.1-alpha2', '1.0.1-alpha < 1.0.1-beta', '1.0.1-rc.2 < 1.0.1-rc.10', '1.0.1-zzz < 1.0.1', '1.0.0.1 > 1.0.0', '1.00 = 1.0', '1.0.0+a = 1.0.0'] },
};

for (const [type, { source, rows }] of Object.entries(CASES)) {
  test(`versions of ${type} are in the order of ${source}`, () => {
    const compare = COMPARE[type as PackageType];
    for (const row of rows) {
      const [left = '', sign = '', right = ''] = row.split(' ');
      const wanted = { '<': -1, '=': 0, '>': 1 }[sign];
      assert.equal(Math.sign(compare(left, right)), wanted, row);
      assert.equal(Math.sign(compare(right, left)) + 0, -(wanted ?? 0) + 0, `${row}, the other way round`);
    }
  });
}
