/** How programs in a container find the authority of `--inject-header`. */

/** All that a container trusts, as Debian, Alpine and Arch have it. */
export const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
/** The authority alone. */
export const CERTIFICATE = '/etc/ssl/certs/caisson-injection.pem';

/** For programs that look elsewhere. `NAME=VALUE`; empty where no header goes to an https host. */
export function trustVariables(rules: readonly string[] = []): readonly string[] {
  if (rules.every((rule) => rule.trim().startsWith('http:'))) return [];
  return [`SSL_CERT_FILE=${BUNDLE}`, `REQUESTS_CA_BUNDLE=${BUNDLE}`, `NODE_EXTRA_CA_CERTS=${CERTIFICATE}`];
}
