/** Paths of this machine, as texts: nothing is looked up. */

/** Absolute, without `.` and `..`. `home`: what `~` stands for. */
export function resolvePath(base: string, path: string, home: string | undefined): string {
  const expanded = home !== undefined && (path === '~' || path.startsWith('~/')) ? `${home}${path.slice(1)}` : path;
  const parts: string[] = [];
  for (const part of `${expanded.startsWith('/') ? '' : `${base}/`}${expanded}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
