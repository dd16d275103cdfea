/** Versions of each kind of package in order: one table. */
import type { PackageType } from '../packages/types.ts';
import { compareApk } from './apk.ts';
import { compareDebian } from './dpkg.ts';
import { compareGem } from './gem.ts';
import { compareMaven } from './maven.ts';
import type { Compare } from './order.ts';
import { comparePython } from './pep440.ts';
import { compareRpm } from './rpm.ts';
import { compareNuget, compareSemver } from './semver.ts';

/** Composer's own comparison (PHP `version_compare`) agrees with the semantic one on what packages are tagged with. */
export const COMPARE: Readonly<Record<PackageType, Compare>> = {
  deb: compareDebian, apk: compareApk, rpm: compareRpm, npm: compareSemver, cargo: compareSemver, golang: compareSemver, composer: compareSemver,
  nuget: compareNuget, pypi: comparePython, gem: compareGem, maven: compareMaven,
};

export type { Compare };
