/** A root directory of Debian for benchmarks. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** A tar of Debian's packages that are marked as essential, and apt: made once, which takes root or user namespaces. */
export function debianTar(directory) {
  const tar = join(directory, 'debian.tar');
  if (existsSync(tar)) return tar;
  mkdirSync(directory, { recursive: true });
  const { status, stderr, error } = spawnSync('mmdebstrap', ['--variant=minbase', '--quiet', 'bookworm', `${tar}.new.tar`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mmdebstrap failed: ${error?.message ?? stderr}`);
  renameSync(`${tar}.new.tar`, tar);
  return tar;
}
