/** Names of the host's file system as rules ask for them. */

/** Absolute, without `.`, `..`, double and trailing slashes; lexical, as the host is not here. Anything else is answered as it is. */
export function cleanPath(path: string): string {
  if (!path.startsWith('/')) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  // /var/run is a link to /run on every distribution of this decade.
  const clean = `/${parts.join('/')}`;
  return clean === '/var/run' || clean.startsWith('/var/run/') ? clean.slice(4) : clean;
}

/** `path` is `directory` or lies in it. */
export function isWithin(path: string, directory: string): boolean {
  const [clean, above] = [cleanPath(path), cleanPath(directory)];
  return above === '/' ? clean.startsWith('/') : clean === above || clean.startsWith(`${above}/`);
}

/** `path` holds `inner`, or is it. */
export function holds(path: string, inner: string): boolean {
  return isWithin(inner, path);
}
