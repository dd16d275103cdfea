/** Secrets that must be found, and what looks like them and must not be. */
import { generateKeyPairSync } from 'node:crypto';
import type { Case } from './labelled.ts';
import { made } from './testing.ts';

/** Bit by bit, so that a wrong table in the code under test shows. */
function crc32(text: string): number {
  let crc = -1;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

function base62(value: number): string {
  const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let text = '';
  for (let rest = value; text.length < 6; rest = Math.floor(rest / 62)) text = letters[rest % 62]! + text;
  return text;
}

function withChecksum(prefix: string): string {
  const body = made('base62', 30);
  return `${prefix}${body}${base62(crc32(body))}`;
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

const jwt = (claims: unknown): string => `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}.${made('url', 43)}`;
const { privateKey: ecKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { privateKey: rsaKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const pkcs8 = ecKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const pkcs1 = rsaKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const encrypted = ecKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
const oldEncrypted = rsaKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString();
const publicKey = pkcs8.replace(/PRIVATE/g, 'PUBLIC');

/** OpenSSH's format with a cipher of this name; only its head matters. */
function opensshKey(cipher: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(cipher.length);
  const body = Buffer.concat([Buffer.from('openssh-key-v1\0'), length, Buffer.from(cipher), Buffer.alloc(200, 7)]).toString('base64');
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.match(/.{1,70}/g)!.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

const putty = (encryption: string): string => `PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: ${encryption}\r\nComment: me\r\nPublic-Lines: 2\r\n${made('base64', 64)}\r\n${made('base64', 20)}\r\nPrivate-Lines: 1\r\n${made('base64', 48)}\r\nPrivate-MAC: ${made('hex', 64)}\r\n`;
const auth = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString('base64');
const plant = (name: string, rule: string, path: string, content: string): Case => ({ kind: 'secret', name, rule, files: [{ path, content }] });
const miss = (name: string, path: string, content: string): Case => ({ kind: 'secret', name, files: [{ path, content }] });

export const SECRET_PLANTS: readonly Case[] = [
  plant('AWS key in Python', 'aws-access-key', 'app/settings.py', `KEY = "AKIA${made('base32', 16)}"\n`),
  plant('AWS credentials', 'aws-credentials', 'root/.aws/credentials', `[default]\naws_access_key_id = AKIA${made('base32', 16)}\naws_secret_access_key = ${made('base64', 40)}\n`),
  plant('AWS secret in an environment file', 'secret-assignment', 'app/.env', `AWS_SECRET_ACCESS_KEY=${made('base62', 40)}\n`),
  plant('Google API key', 'gcp-api-key', 'app/static/app.js', `var key = 'AIza${made('url', 35)}';\n`),
  plant('Google service account', 'gcp-service-account', 'app/gcp.json', JSON.stringify({ type: 'service_account', client_email: 'a@b.iam.gserviceaccount.com', private_key: pkcs1 })),
  plant('Azure storage', 'azure-storage-key', 'app/app.config', `DefaultEndpointsProtocol=https;AccountName=x;AccountKey=${made('base64', 86)}==;EndpointSuffix=core.windows.net\n`),
  plant('Azure client secret', 'azure-client-secret', 'app/azure.yaml', `secret: ${made('base62', 3)}8Q~${made('base62', 33)}\n`),
  plant('GitHub token', 'github-token', 'app/deploy.sh', `git clone https://x-access-token:${withChecksum('ghp_')}@github.com/a/b\n`),
  plant('GitHub OAuth token', 'github-token', 'root/.config/gh/hosts.yml', `github.com:\n    oauth_token: ${withChecksum('gho_')}\n`),
  plant('GitHub fine-grained token', 'github-fine-grained-token', 'app/ci.yml', `token: github_pat_${made('base62', 22)}_${made('base62', 59)}\n`),
  plant('GitLab token', 'gitlab-token', 'root/.python-gitlab.cfg', `private_token = glpat-${made('base62', 20)}\n`),
  plant('Slack token', 'slack-token', 'app/bot.js', `const t = "xoxb-${made('digits', 12)}-${made('digits', 12)}-${made('base62', 24)}";\n`),
  plant('Slack webhook', 'slack-webhook', 'app/notify.sh', `curl https://hooks.slack.com/services/T${made('base32', 9).replace(/[a-z]/g, 'A')}/B${made('base32', 9)}/${made('base62', 24)}\n`),
  plant('Stripe key', 'stripe-key', 'app/pay.rb', `Stripe.api_key = 'sk_live_${made('base62', 24)}'\n`),
  plant('npm token', 'npm-token', 'app/publish.sh', `NPM=${withChecksum('npm_')}\n`),
  plant('npmrc', 'npmrc-credentials', 'root/.npmrc', `//registry.npmjs.org/:_authToken=${made('hex', 8)}-${made('hex', 4)}-${made('hex', 4)}-${made('hex', 4)}-${made('hex', 12)}\n`),
  plant('npmrc with a password', 'npmrc-credentials', 'home/me/.npmrc', `registry=https://r.corp/\n_auth=${auth('me', made('base62', 12))}\n`),
  plant('PyPI token', 'pypi-token', 'root/upload.sh', `export T=pypi-AgEIcHlwaS5vcmc${made('url', 120)}\n`),
  plant('pypirc', 'pip-credentials', 'root/.pypirc', `[pypi]\nusername = me\npassword = ${made('base62', 14)}\n`),
  plant('pip.conf', 'url-password', 'etc/pip.conf', `[global]\nindex-url = https://build:${made('base62', 16)}@pypi.corp.io/simple\n`),
  plant('Docker configuration', 'docker-auth', 'root/.docker/config.json', JSON.stringify({ auths: { 'https://index.docker.io/v1/': { auth: auth('me', made('base62', 16)) } } })),
  plant('Docker Hub token', 'docker-hub-token', 'app/push.sh', `docker login -u me -p dckr_pat_${made('url', 27)}\n`),
  plant('SendGrid', 'sendgrid-key', 'app/mail.php', `$k = "SG.${made('url', 22)}.${made('url', 43)}";\n`),
  plant('Twilio', 'twilio-key', 'app/sms.py', `sid = "SK${made('hex', 32)}"\n`),
  plant('OpenAI', 'openai-key', 'app/ai.py', `openai.api_key = "sk-${made('base62', 20)}T3BlbkFJ${made('base62', 20)}"\n`),
  plant('Anthropic', 'anthropic-key', 'app/claude.env', `KEY=sk-ant-api03-${made('url', 93)}AA\n`),
  plant('Hugging Face', 'huggingface-token', 'root/.cache_token', `hf_${made('letters', 34)}\n`),
  plant('DigitalOcean', 'digitalocean-token', 'app/infra.tf', `token = "dop_v1_${made('hex', 64)}"\n`),
  plant('Telegram', 'telegram-token', 'app/tg.py', `bot = Bot("${made('digits', 9).replace(/^0/, '7')}:AA${made('url', 33)}")\n`),
  plant('Vault', 'vault-token', 'root/.vault-token', `hvs.${made('url', 95)}`),
  plant('age key', 'age-key', 'root/key.txt', `AGE-SECRET-KEY-1${made('bech32', 58)}\n`),
  plant('JSON web token', 'jwt', 'app/client.js', `fetch(u, { headers: { a: "${jwt({ sub: 'svc-7', role: 'admin', exp: 4e9 })}" } })\n`),
  plant('PKCS #8 key', 'private-key', 'etc/ssl/private/site.key', pkcs8),
  plant('PKCS #1 key', 'private-key', 'app/keys/server.pem', pkcs1),
  plant('OpenSSH key', 'private-key', 'root/.ssh/id_ed25519', opensshKey('none')),
  plant('encrypted OpenSSH key', 'encrypted-private-key', 'root/.ssh/id_rsa', opensshKey('aes256-ctr')),
  plant('encrypted PKCS #8 key', 'encrypted-private-key', 'app/enc.pem', encrypted),
  plant('encrypted PKCS #1 key', 'encrypted-private-key', 'app/old.pem', oldEncrypted),
  plant('PuTTY key', 'private-key', 'root/my.ppk', putty('none')),
  plant('key in YAML', 'private-key', 'app/values.yaml', `tls:\n  key: |\n${pkcs8.split('\n').map((line) => `    ${line}`).join('\n')}\n`),
  plant('key in an environment file', 'private-key', 'app/prod.env', `KEY="${pkcs8.replace(/\n/g, '\\n')}"\n`),
  plant('netrc', 'netrc-password', 'root/.netrc', `machine git.corp.io\n  login me\n  password ${made('base62', 12)}\n`),
  plant('pgpass', 'pgpass-password', 'root/.pgpass', `db.corp.io:5432:*:app:${made('base62', 12)}\n`),
  plant('git credentials', 'url-password', 'root/.git-credentials', `https://me:${made('base62', 20)}@git.corp.io\n`),
  plant('kubeconfig', 'kubeconfig-credentials', 'root/.kube/config', `apiVersion: v1\nclusters: []\nusers:\n- name: a\n  user:\n    token: ${made('base62', 40)}\n`),
  plant('Terraform state', 'terraform-state', 'app/terraform.tfstate', JSON.stringify({ version: 4, terraform_version: '1.5.0', resources: [{ instances: [{ attributes: { master_password: made('base62', 18) } }] }] })),
  plant('address of a database', 'url-password', 'app/config.yml', `url: postgres://app:${made('base62', 14)}@db.internal:5432/app\n`),
  plant('address of a cache', 'url-password', 'app/cache.py', `R = "redis://:${made('base62', 14)}@cache.internal:6379/0"\n`),
  plant('password in YAML', 'secret-assignment', 'app/application.yml', `spring:\n  datasource:\n    password: Tr0ub4dor&${made('digits', 3)}\n`),
  plant('password in properties', 'secret-assignment', 'app/app.properties', `db.password=k9#${made('base62', 10)}\n`),
  plant('password in Java', 'secret-assignment', 'app/Main.java', `private static final String DB_PASSWORD = "w7!${made('base62', 9)}";\n`),
  plant('secret in JSON', 'secret-assignment', 'app/appsettings.json', `{"Jwt": {"client_secret": "${made('base62', 32)}"}}\n`),
  plant('password in XML', 'secret-assignment', 'app/settings.xml', `<server><id>r</id><password>q8$${made('base62', 10)}</password></server>\n`),
  plant('MySQL options', 'mysql-password', 'root/.my.cnf', `[client]\nuser=root\npassword=h4${made('base62', 10)}\n`),
  plant('WordPress', 'wordpress-secret', 'var/www/html/wp-config.php', `<?php\ndefine( 'DB_PASSWORD', 'z3${made('base62', 12)}' );\n`),
  { kind: 'secret', name: 'environment', rule: 'secret-assignment', files: [], config: { env: [`DB_PASSWORD=u5${made('base62', 12)}`] } },
  { kind: 'secret', name: 'environment with a token', rule: 'github-token', files: [], config: { env: [`GIT=${withChecksum('ghp_')}`] } },
  { kind: 'secret', name: 'label', rule: 'url-password', files: [], config: { labels: { source: `https://ci:${made('base62', 14)}@git.corp.io/x` } } },
  { kind: 'secret', name: 'history', rule: 'npm-token', files: [], config: { history: [{ createdBy: `|1 NPM_TOKEN=${withChecksum('npm_')} /bin/sh -c npm ci`, comment: undefined, created: undefined, layer: 0 }] } },
];

export const SECRET_MISSES: readonly Case[] = [
  miss('AWS example key', 'app/settings.py', 'KEY = "AKIAIOSFODNN7EXAMPLE"\nSECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"\n'),
  miss('AWS key too short', 'app/a.py', `KEY = "AKIA${made('base32', 12)}"\n`),
  miss('AWS key inside of a word', 'app/b.txt', `X${made('base62', 9)}AKIA${made('base32', 16)}${made('base62', 20)}\n`),
  miss('GitHub token with another checksum', 'app/c.sh', `T=ghp_${made('base62', 36)}\n`),
  miss('GitHub placeholder', 'app/d.md', 'export TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n'),
  miss('npm name', 'app/e.js', 'process.env.npm_config_registry; process.env.npm_package_version\n'),
  miss('npm token with another checksum', 'app/f.sh', `T=npm_${made('base62', 36)}\n`),
  miss('npmrc with a variable', 'root/.npmrc', '//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nalways-auth=true\n'),
  miss('npmrc without a token', 'usr/local/etc/npmrc', 'registry=https://registry.npmjs.org/\n# _authToken=x\n'),
  miss('Slack placeholder', 'app/g.env', 'SLACK=xoxb-your-token-here\n'),
  miss('Slack test token', 'app/h.js', 'const t = "xoxb-000000000000-000000000000-xxxxxxxxxxxxxxxxxxxxxxxx";\n'),
  miss('Stripe test key', 'app/i.rb', `Stripe.api_key = 'sk_test_${made('base62', 24)}'\n`),
  miss('Google placeholder', 'app/j.js', 'key: "AIzaSyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"\n'),
  miss('SendGrid placeholder', 'app/k.py', 'SG.xxxxxxxxxxxxxxxxxxxxxx.yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n'),
  miss('the token of every tutorial', 'app/l.js', `t = "${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ sub: '1234567890', name: 'John Doe', iat: 1516239022 })}.${made('url', 43)}"\n`),
  miss('token without a signature', 'app/m.js', `t = "${base64url({ alg: 'none' })}.${base64url({ sub: 'me', role: 'x' })}."\n`),
  miss('not quite a web token', 'app/n.css', `a: eyJ${made('url', 40)}.eyJ${made('url', 40)}.${made('url', 43)}\n`),
  miss('public key', 'etc/ssl/site.pub', publicKey),
  miss('certificate', 'etc/ssl/certs/ca.pem', `-----BEGIN CERTIFICATE-----\n${made('base64', 64)}\n-----END CERTIFICATE-----\n`),
  miss('first line of a key', 'app/o.py', 'if line == "-----BEGIN RSA PRIVATE KEY-----":\n    inside = True\nelif line == "-----END RSA PRIVATE KEY-----":\n    pass\n'),
  miss('key with dots', 'app/p.md', '-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n'),
  miss('public ssh key', 'root/.ssh/id_ed25519.pub', `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${made('base64', 43)} me\n`),
  miss('public PuTTY key', 'root/p.txt', 'a PuTTY-User-Key-File-3: is made by PuTTYgen\n'),
  miss('netrc without a password', 'root/.netrc', 'machine a.io\n  login me\n'),
  miss('netrc with a placeholder', 'root/.netrc', 'machine a.io login me password ${PASSWORD}\n'),
  miss('pgpass with a comment', 'root/.pgpass', '# hostname:port:database:username:password\n'),
  miss('Docker configuration without credentials', 'root/.docker/config.json', JSON.stringify({ auths: { 'ghcr.io': {} }, credsStore: 'desktop' })),
  miss('kubeconfig without credentials', 'root/.kube/config', 'apiVersion: v1\nclusters: []\nusers:\n- name: a\n  user:\n    exec:\n      command: aws\n'),
  miss('Terraform state without secrets', 'app/terraform.tfstate', JSON.stringify({ version: 4, terraform_version: '1.5.0', resources: [{ instances: [{ attributes: { password: '', name: 'x', token_ttl: '3600' } }] }] })),
  miss('public account', 'app/gcp.json', JSON.stringify({ type: 'authorized_user_template', private_key: 'PUT THE PRIVATE KEY HERE' })),
  miss('address with a placeholder', 'app/q.yml', 'url: postgres://user:password@localhost/db\nother: mysql://root:<password>@db/app\n'),
  miss('address with a variable', 'app/r.sh', 'curl https://$USER:$PASS@host.corp/x; git clone https://x:${TOKEN}@git.corp/y\n'),
  miss('address with a port', 'app/s.txt', 'see http://proxy.corp:8080/a@b and ssh://git@host:22/x.git\n'),
  miss('example host', 'app/t.txt', 'ftp://me:s3cr3tpw@example.com/x https://a:bcdefg@example.org/\n'),
  miss('password from the environment', 'app/u.py', 'password = os.environ["DB_PASSWORD"]\nsecret = get_secret("db")\ntoken = config.token\n'),
  miss('password in a form', 'app/v.html', '<input type="password" name="password" placeholder="Password">\n'),
  miss('words about passwords', 'app/w.yml', 'password: changeme\nmessage: "Password: must have 8 characters"\npassword_policy: strict\ntoken_url: https://a.io/token\n'),
  miss('translations', 'app/locale/de.json', '{"password": "Passwort", "token": "Zugangstoken", "secret": "Geheimnis"}\n'),
  miss('hash of a password', 'app/x.ini', `password = $2b$12$${made('base62', 53)}\nadmin_password = {SHA256}${made('base64', 43)}=\n`),
  miss('password that is a reference', 'app/y.yaml', 'password: {{ .Values.password }}\nsecret: !Ref Secret\ntoken: ${TOKEN}\napi_key: <your-api-key>\n'),
  miss('constants', 'app/z.java', 'static final String PASSWORD = "password";\nString TOKEN_KEY = "access_token"; String secret = SECRET_NAME;\n'),
  miss('digest', 'app/aa.txt', `sha256:${made('hex', 64)}\nintegrity sha512-${made('base64', 86)}==\n`),
  miss('lock file', 'app/package-lock.json', `{"packages": {"node_modules/token": {"integrity": "sha512-${made('base64', 86)}=="}}}\n`),
  miss('identifier', 'app/ab.json', `{"id": "${made('hex', 8)}-${made('hex', 4)}-4${made('hex', 3)}-a${made('hex', 3)}-${made('hex', 12)}"}\n`),
  miss('documentation', 'usr/share/doc/thing/README', `password = k9#${made('base62', 10)}\n${pkcs8}`),
  miss('manual', 'usr/share/man/man5/thing.5', `AKIA${made('base32', 16)}\n`),
  miss('test of another package', 'usr/lib/python3/dist-packages/thing/tests/key.pem', pkcs8),
  miss('example of another package', 'app/node_modules/thing/test/fixtures/key.pem', pkcs1),
  miss('sample of an environment file', 'app/.env.example', 'DB_PASSWORD=sup3rsecret9\nAPI_KEY=abc123def456\n'),
  miss('tests of a project', 'app/tests/test_login.py', 'password = "c0rrect-horse9"\n'),
  miss('password prompt', 'app/ac.sh', 'read -s -p "Password: " PASSWORD\necho "$PASSWORD" | docker login --password-stdin\n'),
  miss('binary', 'app/data.x', `\0\0\0AKIA${made('base32', 16)}`),
  miss('Azure emulator', 'app/ad.config', 'AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==\n'),
  miss('WordPress sample', 'var/www/html/wp-config-sample.php', "<?php\ndefine( 'DB_PASSWORD', 'password_here' );\ndefine( 'AUTH_KEY', 'put your unique phrase here' );\n"),
  { kind: 'secret', name: 'variables of a Python image', files: [], config: { env: ['PATH=/usr/local/bin:/usr/bin', 'GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305', 'PYTHON_SHA256=8de9b3ba3a2e4ab0f6f5b1b4a1e1a9b1c6c2c2ae8a4b8b59f2e5f8f9f5f9a5b0', 'DB_PASSWORD_FILE=/run/secrets/db', 'TOKEN='] } },
  { kind: 'secret', name: 'labels', files: [], config: { labels: { 'org.opencontainers.image.revision': made('hex', 40), 'org.opencontainers.image.source': 'https://github.com/a/b' } } },
  { kind: 'secret', name: 'history of a build', files: [], config: { history: [{ createdBy: 'RUN /bin/sh -c set -eux; wget -O python.tar.xz "https://www.python.org/ftp/x.tar.xz"; echo "$PYTHON_SHA256 *python.tar.xz" | sha256sum -c - # buildkit', comment: 'buildkit.dockerfile.v0', created: undefined, layer: 1 }, { createdBy: 'RUN --mount=type=secret,id=npm NPM_TOKEN=$(cat /run/secrets/npm) npm ci', comment: undefined, created: undefined, layer: 2 }] } },
];
