/**
 * An authority of one container, which signs certificates for the hosts whose requests get headers. Its key never leaves this process and is gone with it; what the
 * container trusts is the certificate, which is good for those hosts only (RFC 5280 4.2.1.10).
 */
// The library finds its parts by it.
import 'reflect-metadata';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints, id_ce_nameConstraints } from '@peculiar/asn1-x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Clocks of machines differ. */
const BEFORE_MS = DAY_MS;
/** No client takes one that is good for longer (CA/Browser Forum, Baseline Requirements 6.3.2). */
const AFTER_MS = 397 * DAY_MS;
const SERIAL_BYTES = 16;

export interface Authority {
  /** PEM: what the container is to trust. */
  readonly certificate: string;
  /** To answer as one of its hosts. */
  contextOf(host: string): SecureContext | undefined;
}

function validity(): { readonly notBefore: Date; readonly notAfter: Date; readonly serialNumber: string } {
  const now = Date.now();
  const serial = Buffer.from(webcrypto.getRandomValues(new Uint8Array(SERIAL_BYTES)));
  // A positive number.
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return { notBefore: new Date(now - BEFORE_MS), notAfter: new Date(now + AFTER_MS), serialNumber: serial.toString('hex') };
}

/** An address in a constraint has its mask behind it. */
function constraintOf(host: string): GeneralName {
  if (isIP(host) === 0) return new GeneralName({ dNSName: host });
  const bytes = host.split('.').map(Number);
  return new GeneralName({ iPAddress: new OctetString(Uint8Array.from([...bytes, 255, 255, 255, 255])) as unknown as string });
}

function constraintsOf(hosts: readonly string[]): x509.Extension {
  const permitted = new GeneralSubtrees(hosts.map((host) => new GeneralSubtree({ base: constraintOf(host) })));
  return new x509.Extension(id_ce_nameConstraints, true, AsnConvert.serialize(new NameConstraints({ permittedSubtrees: permitted })));
}

async function privateKeyOf({ privateKey }: CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
}

/** `hosts`: names in lower case, and IPv4 addresses. */
export async function createAuthority(hosts: readonly string[]): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto as unknown as Crypto);
  const generate = (): Promise<CryptoKeyPair> => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<CryptoKeyPair>;
  const keys = await generate();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(), name: 'CN=Caisson, for this container only', signingAlgorithm: ALGORITHM, keys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey), constraintsOf(hosts)],
  });
  const contexts = new Map<string, SecureContext>();
  for (const host of hosts) {
    const own = await generate();
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(), subject: `CN=${host.slice(0, 64)}`, issuer: root.subject, signingKey: keys.privateKey, publicKey: own.publicKey, signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true), new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }]), await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    contexts.set(host, createSecureContext({ key: await privateKeyOf(own), cert: certificate.toString('pem'), minVersion: 'TLSv1.2' }));
  }
  return { certificate: `${root.toString('pem')}\n`, contextOf: (host) => contexts.get(host) };
}
