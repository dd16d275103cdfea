/** The commands on registries, as data. */
import type { CommandSpec } from '../command.ts';
import type { Flag } from '../flags.ts';
import { REGISTRY_FLAGS } from '../images/image-specs.ts';

const SERVER = 'Server';
const BUCKET = 'Bucket';
const USERS = 'Who may do what';
const TLS = 'TLS';
const BOUNDS = 'Bounds';
const CARE = 'Care';
const OUTPUT = 'Output';

const DIRECTORY: Flag = { group: SERVER, name: 'dir', kind: 'string', placeholder: 'DIR', help: 'where everything is kept, or with --storage what is this instance\'s own (default: registry/ in the store\'s directory)' };
const STORAGE: readonly Flag[] = [
  { group: BUCKET, name: 'storage', kind: 'string', placeholder: 's3://BUCKET[/PREFIX]', help: 'where everything is kept, for several instances. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN let it in' },
  { group: BUCKET, name: 's3-endpoint', kind: 'string', placeholder: 'URL', help: 'server, if it is not Amazon\'s: https://s3.example:9000' },
  { group: BUCKET, name: 's3-region', kind: 'string', placeholder: 'REGION', help: 'region (default: AWS_REGION; with an endpoint us-east-1)' },
  { group: BUCKET, name: 's3-force-path-style', kind: 'string', placeholder: 'BOOL', help: 'true: https://HOST/BUCKET/KEY; false: https://BUCKET.HOST/KEY (default: true with an endpoint)' },
  { group: BUCKET, name: 's3-cacert', kind: 'string', placeholder: 'FILE', help: 'authority of the server\'s certificate, as PEM' },
  { group: BUCKET, name: 's3-plain-http', kind: 'boolean', help: 'the endpoint may be http:// also where it is not this machine' },
];
const CHUNK_SIZE: Flag = { group: BUCKET, name: 's3-chunk-size', kind: 'string', placeholder: 'SIZE', help: 'parts of a large blob; the same for all instances (default: 8m)' };
const CONFIG: Flag = { group: SERVER, name: 'config', kind: 'string', placeholder: 'FILE', help: 'rules of access, retention, quotas, upstreams and webhooks, and a bucket, as JSON (docs/images.md)' };
const GRACE: Flag = { group: CARE, name: 'gc-grace', kind: 'string', placeholder: 'TIME', help: 'how long what is not needed stays; a push must not take longer (default: 24h)' };
const FORMAT: Flag = { group: OUTPUT, name: 'format', kind: 'string', placeholder: 'FORMAT', help: 'json, or a Go template' };
const DRY_RUN: Flag = { group: CARE, name: 'dry-run', kind: 'boolean', help: 'say what would go; take nothing away' };

export const SERVE: CommandSpec = {
  name: 'registry serve', usage: '[FLAGS]', summary: 'run a registry of images', words: [0, 0],
  description: 'It speaks the OCI distribution specification 1.1, so Docker, podman, skopeo and "caisson push" use it as they use any other; a browser sees what is there at /ui/.\nThe address that it listens on is printed when it does. SIGTERM and SIGINT end it when the requests of the moment have ended; SIGHUP makes it read its files again.',
  flags: [
    { group: SERVER, name: 'listen', kind: 'string', placeholder: 'HOST:PORT', help: 'address (default: 127.0.0.1:5000; port 0: any free one)' }, DIRECTORY, CONFIG, ...STORAGE, CHUNK_SIZE,
    { group: SERVER, name: 'external-url', kind: 'string', placeholder: 'URL', help: 'how clients reach it, if something stands in between: https://registry.example' },
    { group: SERVER, name: 'metrics', kind: 'string', placeholder: 'HOST:PORT', help: 'figures for Prometheus at /metrics of this address' },
    { group: SERVER, name: 'audit-log', kind: 'string', placeholder: 'FILE', help: 'each change and each refusal, one JSON object a line' },
    { group: USERS, name: 'htpasswd', kind: 'string', placeholder: 'FILE', help: 'users and passwords, by "htpasswd -B"' },
    { group: USERS, name: 'token-auth', kind: 'boolean', help: 'give users tokens for their passwords, as Docker\'s own registry does' },
    { group: USERS, name: 'token-key', kind: 'string', placeholder: 'FILE', help: 'private key that signs tokens, as PKCS #8: P-256 or RSA (default: made, and kept in DIR)' },
    { group: USERS, name: 'token-realm', kind: 'string', placeholder: 'URL', help: 'tokens come from there, not from here' },
    { group: USERS, name: 'token-issuer', kind: 'string', placeholder: 'NAME', help: 'who signs those' },
    { group: USERS, name: 'token-service', kind: 'string', placeholder: 'NAME', help: 'whom tokens are for (default: caisson-registry)' },
    { group: USERS, name: 'token-keys', kind: 'string', placeholder: 'FILE', help: 'its public keys: a JSON Web Key Set, or PEM' },
    { group: TLS, name: 'tls-cert', kind: 'string', placeholder: 'FILE', help: 'certificate, as PEM' }, { group: TLS, name: 'tls-key', kind: 'string', placeholder: 'FILE', help: 'its key, as PEM' },
    { group: TLS, name: 'client-ca', kind: 'string', placeholder: 'FILE', help: 'authorities, as PEM; the common name of a client\'s certificate is its user. Required of all clients unless there is --htpasswd' },
    { group: BOUNDS, name: 'max-blob-size', kind: 'string', placeholder: 'SIZE', help: 'bytes of a layer as it is sent (default: 64g)' },
    { group: BOUNDS, name: 'rate-limit', kind: 'string', placeholder: 'N', help: 'requests a second of one user, or of one address without a user' },
    { group: CARE, name: 'gc-interval', kind: 'string', placeholder: 'TIME', help: 'collect garbage, after retention, so often; 0: never (default: 1h)' }, GRACE,
    { group: CARE, name: 'scrub-interval', kind: 'string', placeholder: 'TIME', help: 'compare all bytes with their digests so often (default: never)' },
  ],
  examples: [
    ['caisson registry serve', 'for this machine, on port 5000'], ['htpasswd -Bc users ann && caisson registry serve --listen :5000 --htpasswd users --tls-cert cert.pem --tls-key key.pem', 'for a team'],
    ['caisson registry serve --config rules.json --htpasswd users --token-auth --metrics 127.0.0.1:9100 --audit-log audit.jsonl', 'with rules, tokens, figures and an audit log'],
    ['caisson registry serve --storage s3://images/registry --s3-region eu-central-1', 'in a bucket, beside other instances'],
  ],
};
export const COLLECT: CommandSpec = {
  name: 'registry gc', usage: '[FLAGS]', summary: 'collect blobs that no manifest needs', words: [0, 0], flags: [DIRECTORY, ...STORAGE, CONFIG, GRACE, DRY_RUN, FORMAT],
  description: 'The registry may run meanwhile, and does the same by itself (--gc-interval).',
  examples: [['caisson registry gc --dry-run', 'how much would go'], ['caisson registry gc --gc-grace 0s', 'everything at once, when nobody pushes']],
};
export const PRUNE: CommandSpec = {
  name: 'registry prune', usage: '[FLAGS]', summary: 'take away the tags and manifests that retention does not keep', words: [0, 0], flags: [DIRECTORY, ...STORAGE, CONFIG, DRY_RUN, FORMAT],
  description: 'The rules are those of the configuration ("retention"). What is in use by an index or about another manifest stays.',
  examples: [['caisson registry prune --config rules.json --dry-run', 'look first']],
};
export const SCRUB: CommandSpec = {
  name: 'registry scrub', usage: '[FLAGS]', summary: 'compare all bytes with their digests', words: [0, 0], flags: [DIRECTORY, ...STORAGE, CONFIG, FORMAT],
  description: 'A blob that has changed is moved away, so that the next push of it repairs the image. Exit status 1 if there was one.',
  examples: [['caisson registry scrub', '']],
};

export const LIST: CommandSpec = {
  name: 'registry ls', usage: '[FLAGS] REGISTRY', summary: 'list the repositories of a registry', words: [1, 1], flags: [FORMAT, ...REGISTRY_FLAGS],
  examples: [['caisson registry ls localhost:5000', '']],
};
export const TAGS: CommandSpec = {
  name: 'registry tags', usage: '[FLAGS] REPOSITORY', summary: 'list the tags of a repository', words: [1, 1], flags: [FORMAT, ...REGISTRY_FLAGS],
  examples: [['caisson registry tags debian', ''], ['caisson registry tags --format json localhost:5000/team/app', 'as JSON']],
};
export const REFERRERS: CommandSpec = {
  name: 'registry referrers', usage: '[FLAGS] IMAGE', summary: 'list what is about an image: signatures, attestations, bills of materials', words: [1, 1],
  flags: [{ group: OUTPUT, name: 'artifact-type', kind: 'string', placeholder: 'TYPE', help: 'only those of this type' }, FORMAT, ...REGISTRY_FLAGS],
  examples: [['caisson registry referrers localhost:5000/team/app:1', ''], ['caisson registry referrers --artifact-type application/spdx+json localhost:5000/team/app:1', 'of one type']],
};

export const REGISTRY_COMMANDS: readonly CommandSpec[] = [SERVE, LIST, TAGS, REFERRERS, COLLECT, PRUNE, SCRUB];
