/** What an image's configuration says of how it runs. */
import type { ContentFinding, ScanConfig } from '../../types.ts';
import { judgeVariable } from './services.ts';

const LOGIN_PORTS: ReadonlyMap<string, string> = new Map([['22/tcp', 'SSH'], ['23/tcp', 'telnet'], ['512/tcp', 'rexec'], ['513/tcp', 'rlogin'], ['514/tcp', 'rsh'], ['3389/tcp', 'RDP'], ['5900/tcp', 'VNC']]);
const TLS_OFF: ReadonlyMap<string, RegExp> = new Map([['NODE_TLS_REJECT_UNAUTHORIZED', /^0$/], ['PYTHONHTTPSVERIFY', /^0$/], ['GIT_SSL_NO_VERIFY', /^(?:1|true|yes)$/i], ['NPM_CONFIG_STRICT_SSL', /^false$/i], ['npm_config_strict_ssl', /^false$/i]]);

function hasNoVersion(reference: string): boolean {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return !name.includes('@') && (!name.includes(':') || name.endsWith(':latest'));
}

/** `openDirectories`: those that everybody may write to, absolute. */
export function judgeImage(config: ScanConfig, target: string, openDirectories: ReadonlySet<string>): readonly ContentFinding[] {
  const found: ContentFinding[] = [];
  const user = config.user.split(':')[0]!;
  if (user === '' || user === 'root' || user === '0') found.push({ rule: 'image-root', message: user === '' ? 'No user is set, so the image runs as root' : 'The image runs as root' });
  for (const port of config.exposedPorts) {
    const service = LOGIN_PORTS.get(port);
    if (service !== undefined) found.push({ rule: 'image-exposes-ssh', message: `Port ${port} is exposed: ${service}` });
  }
  for (const entry of config.env) {
    const equals = entry.indexOf('=');
    const [name, value] = [entry.slice(0, Math.max(0, equals)), entry.slice(equals + 1)];
    const weak = judgeVariable(name, value);
    if (weak !== undefined) found.push(weak);
    if (TLS_OFF.get(name)?.test(value) === true) found.push({ rule: 'image-tls-off', message: `${name}=${value.slice(0, 20)}` });
    if (name === 'LD_PRELOAD' && value !== '' && !/^\/usr\/(?:local\/)?lib\/\S*(?:jemalloc|tcmalloc|mimalloc)\S*$/.test(value)) found.push({ rule: 'image-preload', message: `LD_PRELOAD is "${value.slice(0, 100)}"` });
    if (name !== 'PATH') continue;
    for (const directory of value.split(':')) {
      const plain = directory.replace(/(.)\/+$/, '$1');
      if (!plain.startsWith('/')) found.push({ rule: 'image-path', message: plain === '' ? 'PATH has an empty part, which is the working directory' : `PATH has "${plain.slice(0, 60)}", which is relative` });
      else if (openDirectories.has(plain) || /^\/(?:var\/)?tmp(?:\/|$)|^\/dev\/shm(?:\/|$)/.test(plain)) found.push({ rule: 'image-path', message: `Everybody may put programs into ${plain.slice(0, 60)}, which is in PATH` });
    }
  }
  const base = config.labels['org.opencontainers.image.base.name'];
  if (base !== undefined && base !== '' && base !== 'scratch' && hasNoVersion(base)) found.push({ rule: 'image-latest', message: `It was built on "${base.slice(0, 100)}", which names no version` });
  if (/^[a-z0-9][\w./:-]*:latest$/.test(target)) found.push({ rule: 'image-latest', message: `"${target.slice(0, 100)}" is whatever was pushed last` });
  return found;
}
