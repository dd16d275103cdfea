/** Rules on secrets, as reports show them. */
import type { Rule } from '../../../findings/index.ts';
import { TOKEN_RULES } from './token-rules.ts';

const REMEDY = 'revoke it, and give it to the build as a secret mount or to the container when it runs';

const rule = (id: string, summary: string, severity: Rule['severity'], remedy = REMEDY): Rule => ({ id, summary, remedy, severity });

export const SECRET_RULES: readonly Rule[] = [
  ...TOKEN_RULES.map(({ id, title, severity }) => rule(id, `${/^[AEIO]/.test(title) ? 'An' : 'A'} ${title} is in the image.`, severity)),
  rule('private-key', 'A private key without a passphrase is in the image.', 'high', 'replace the key pair, and mount the key when the container runs'),
  rule('encrypted-private-key', 'A private key with a passphrase is in the image: as good as its passphrase.', 'low', 'mount the key when the container runs'),
  rule('url-password', 'An address has a password in it.', 'high'),
  rule('secret-assignment', 'A password or key is written out as the value of a setting.', 'medium'),
  rule('netrc-password', 'A netrc file has a password.', 'high'),
  rule('pgpass-password', 'A password file of PostgreSQL is in the image.', 'high'),
  rule('aws-credentials', 'A credentials file of AWS is in the image.', 'critical'),
  rule('npmrc-credentials', 'An npmrc has credentials of a registry.', 'critical'),
  rule('pip-credentials', 'A configuration of pip or twine has a password.', 'high'),
  rule('docker-auth', 'A configuration of Docker has credentials of a registry.', 'critical'),
  rule('gcp-service-account', 'The key of a Google service account is in the image.', 'critical'),
  rule('terraform-state', 'A state of Terraform has secrets of resources.', 'high', 'keep states in a backend, not in an image'),
  rule('kubeconfig-credentials', 'Credentials of a Kubernetes cluster are in the image.', 'critical'),
  rule('mysql-password', 'An option file of MySQL has a password.', 'high'),
  rule('s3-credentials', 'A configuration of an S3 client has a secret key.', 'critical'),
  rule('cargo-credentials', 'Credentials of cargo are in the image.', 'critical'),
  rule('gem-credentials', 'Credentials of RubyGems are in the image.', 'critical'),
  rule('wordpress-secret', 'A configuration of WordPress has its password and keys.', 'high'),
  rule('secrets-left-out', 'A file was not looked at to its end.', 'info', 'look at the file by hand'),
];
