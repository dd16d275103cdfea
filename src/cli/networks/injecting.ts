/** Puts the headers of `--inject-header` into what a container of this process sends, and makes it trust who answers it for that. */
import type { Container } from '../../container/index.ts';
import type { HostNetwork } from '../../host/types.ts';
import type { Authority } from '../../host/node/injection/authority.ts';
import { injectingNetwork } from '../../host/node/injection/injecting-network.ts';
import type { Injection } from '../../host/node/injection/injecting-network.ts';
import { parseHeaderRule, valueOf } from './header-injection.ts';
import { BUNDLE, CERTIFICATE } from './trust.ts';

/** Where distributions keep all that they trust. */
const BUNDLES = [BUNDLE, '/etc/pki/tls/certs/ca-bundle.crt', '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', '/etc/ssl/ca-bundle.pem', '/etc/ssl/cert.pem'];

function injectionsOf(rules: readonly string[]): readonly Injection[] {
  const found = new Map<string, Injection>();
  for (const rule of rules.map(parseHeaderRule)) {
    const { scheme, host, port, name } = rule;
    const key = `${host}:${port}`;
    found.set(key, { scheme, host, port, headers: [...found.get(key)?.headers ?? [], { name, value: valueOf(rule) }] });
  }
  return [...found.values()];
}

export interface Injecting {
  readonly network: HostNetwork;
  /** Before its programs start. */
  prepare(container: Container): void;
}

/** @throws UserError for a value that cannot be had */
export async function injecting(network: HostNetwork, rules: readonly string[]): Promise<Injecting> {
  const injections = injectionsOf(rules);
  const hosts = [...new Set(injections.filter(({ scheme }) => scheme === 'https').map(({ host }) => host))];
  const authority = hosts.length === 0 ? undefined : await (await import('../../host/node/injection/authority.ts')).createAuthority(hosts);
  return { network: injectingNetwork(network, injections, authority), prepare: (container) => authority !== undefined && trust(container, authority) };
}

function trust(container: Container, { certificate }: Authority): void {
  const bytes = Buffer.from(certificate);
  container.provideDirectory(CERTIFICATE.slice(0, CERTIFICATE.lastIndexOf('/')));
  container.provideFile(CERTIFICATE, bytes);
  for (const path of BUNDLES) {
    const own = container.files.readFile(path);
    if (typeof own !== 'number') container.provideFile(path, Buffer.concat([own, Buffer.from('\n'), bytes]));
    else if (path === BUNDLE) container.provideFile(path, bytes);
  }
}
