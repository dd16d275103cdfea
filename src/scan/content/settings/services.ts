/** Databases, brokers and others that listen: who may reach them, and whether they ask for a password. Each reads its file as the service does. */
import type { ContentFinding } from '../../types.ts';
import { MOST_CONFIGURATION_LINES } from '../limits.ts';
import { parseObject } from '../secrets/checks.ts';
import { WORDS } from './word-list.ts';

interface Setting {
  readonly value: string;
  readonly line: number;
  readonly source: string;
}

type Settings = ReadonlyMap<string, Setting>;

const WEAK = new Set([...WORDS, 'foobared', 'elasticpassword', 'grafana', 'postgresql', 'mongo', 'rabbit', 's3cret']);
const isWeak = (password: string): boolean => password === '' || WEAK.has(password) || WEAK.has(password.toLowerCase());
const isEverywhere = (address: string): boolean => address.split(/[\s,]+/).some((each) => /^-?(?:0\.0\.0\.0|\*|::|\[::\]|::0|_global_|_site_)$/.test(each.replace(/["']/g, '')));

function told(rule: string, message: string, setting: Setting | undefined): ContentFinding {
  return setting === undefined ? { rule, message } : { rule, message, line: setting.line, source: setting.source };
}

function withoutPassword(setting: Setting): Setting {
  return { ...setting, source: `${setting.source.slice(0, Math.max(0, setting.source.lastIndexOf(setting.value)))}********` };
}

/** `name value` or `name = value` lines. The last one counts. */
function flat(text: string, comment = /^\s*[#;]/): Settings {
  const settings = new Map<string, Setting>();
  text.split('\n', MOST_CONFIGURATION_LINES).forEach((raw, index) => {
    const found = comment.test(raw) ? null : /^\s*([\w.-]+)(?:\s*=\s*|\s+|\s*$)(.*)$/.exec(raw.slice(0, 4096));
    if (found !== null) settings.set(found[1]!.toLowerCase().replace(/_/g, '-'), { value: found[2]!.trim().replace(/^(["'])(.*)\1$/, '$2'), line: index + 1, source: raw.trim().slice(0, 200) });
  });
  return settings;
}

/** A `#` after white space begins a comment. */
function withoutComment(line: string): string {
  const at = line.search(/\s#/);
  return (at === -1 ? line : line.slice(0, at)).trimEnd();
}

/** Keys of YAML by their paths: `net.bindIp`. Blocks only; flat keys with dots as they are. */
function yamlPaths(text: string): Settings {
  const settings = new Map<string, Setting>();
  let open: { readonly indent: number; readonly path: string }[] = [];
  text.split('\n', MOST_CONFIGURATION_LINES).forEach((raw, index) => {
    const found = /^( *)([\w.-]+)\s*:(?:\s+(.*))?$/.exec(withoutComment(raw.slice(0, 4096)));
    if (found === null) return;
    const indent = found[1]!.length;
    open = open.filter((each) => each.indent < indent);
    const path = [...open.map((each) => each.path).slice(-1), found[2]!].join('.');
    if (found[3] === undefined || found[3] === '') {
      if (open.length < 20) open.push({ indent, path });
    } else settings.set(path, { value: found[3].replace(/^(["'])(.*)\1$/, '$2'), line: index + 1, source: raw.trim().slice(0, 200) });
  });
  return settings;
}

/** redis.conf. Without a password protected-mode, on by default, refuses everybody from outside. */
function judgeRedis(text: string): readonly ContentFinding[] {
  const settings = flat(text);
  const password = settings.get('requirepass');
  if (password !== undefined && password.value !== '') return isWeak(password.value) ? [told('default-password', 'Redis has a password that everybody tries first', withoutPassword(password))] : [];
  if (settings.has('aclfile') || text.split('\n', MOST_CONFIGURATION_LINES).some((line) => /^\s*user\s+default\s/.test(line) && /[>#]\S|\boff\b/.test(line.slice(0, 4096)))) return [];
  const bind = settings.get('bind');
  const isOpen = settings.get('protected-mode')?.value.toLowerCase() === 'no' && (bind === undefined || isEverywhere(bind.value) || !/^(?:-?(?:127\.\S+|::1|localhost)\s*)+$/.test(bind.value));
  return isOpen ? [told('redis-open', 'Redis listens outside, has no password, and protected-mode is off', settings.get('protected-mode'))] : [];
}

/** `type database user [address [mask]] method [options]`. */
function judgePgHba(text: string): readonly ContentFinding[] {
  return text.split('\n', MOST_CONFIGURATION_LINES).flatMap((raw, index) => {
    const words = raw.replace(/#.*/, '').trim().split(/\s+/);
    const type = words[0]!;
    if (!/^(?:local|host(?:ssl|nossl|gssenc|nogssenc)?)$/.test(type)) return [];
    const hasMask = type !== 'local' && /^\d+\.\d+\.\d+\.\d+$|^[0-9a-f:]+$/i.test(words[3] ?? '') && /^\d+\.\d+\.\d+\.\d+$|^[0-9a-f:]+$/i.test(words[4] ?? '');
    const method = words[type === 'local' ? 3 : hasMask ? 5 : 4];
    const isLocal = type === 'local' || /^(?:127\.|::1|localhost|samehost)/.test(words[3] ?? '');
    const where = { value: '', line: index + 1, source: raw.trim().slice(0, 200) };
    if (method === 'trust') return [{ ...told('postgres-trust', isLocal ? 'PostgreSQL lets everybody in who is in the container' : 'PostgreSQL lets everybody in', where), severity: isLocal ? 'low' as const : 'critical' as const }];
    return !isLocal && (method === 'password' || method === 'md5') && type !== 'hostssl' ? [told('postgres-cleartext', `PostgreSQL takes passwords by "${method}"`, where)] : [];
  });
}

function judgeMysql(text: string): readonly ContentFinding[] {
  const settings = flat(text);
  const skip = settings.get('skip-grant-tables');
  const found = skip !== undefined && !/^(?:0|off|false)$/i.test(skip.value) ? [{ ...told('mysql-open', 'MySQL asks nobody for a password', skip), severity: 'critical' as const }] : [];
  const files = settings.get('secure-file-priv');
  return files !== undefined && files.value === '' && files.source.includes('=') ? [...found, { ...told('mysql-open', 'MySQL reads and writes files anywhere', files), severity: 'medium' as const }] : found;
}

/** YAML, or the older `name = value`. */
function judgeMongodb(text: string): readonly ContentFinding[] {
  const yaml = yamlPaths(text);
  const old = flat(text);
  const authorization = yaml.get('security.authorization') ?? old.get('auth');
  if (authorization !== undefined && /^(?:enabled|true)$/i.test(authorization.value)) return [];
  if (yaml.has('security.keyFile') || old.has('keyfile')) return [];
  const bind = yaml.get('net.bindIp') ?? old.get('bind-ip');
  const all = yaml.get('net.bindIpAll');
  if (bind !== undefined && isEverywhere(bind.value)) return [told('mongodb-open', 'MongoDB listens outside and asks nobody for a password', bind)];
  return all?.value === 'true' ? [told('mongodb-open', 'MongoDB listens outside and asks nobody for a password', all)] : [];
}

/** rabbitmq.conf, and the Erlang of rabbitmq.config and advanced.config. */
function judgeRabbitmq(text: string): readonly ContentFinding[] {
  const settings = flat(text, /^\s*[#%]/);
  const found: ContentFinding[] = [];
  const [loopback, guest] = [settings.get('loopback-users'), settings.get('loopback-users.guest')];
  if (loopback?.value === 'none') found.push(told('rabbitmq-open', '"guest" may log in from outside', loopback));
  else if (guest?.value === 'false') found.push(told('rabbitmq-open', '"guest" may log in from outside', guest));
  else {
    const lines = text.split('\n', MOST_CONFIGURATION_LINES);
    const line = lines.findIndex((each) => !/^\s*%/.test(each) && /\{\s*loopback_users\s*,\s*\[\s*\]\s*\}/.test(each.slice(0, 4096)));
    if (line !== -1) found.push({ rule: 'rabbitmq-open', message: '"guest" may log in from outside', line: line + 1, source: lines[line]!.trim().slice(0, 200) });
  }
  const password = settings.get('default-pass');
  if (password !== undefined && isWeak(password.value)) found.push(told('default-password', 'RabbitMQ has a password that everybody tries first', withoutPassword(password)));
  return found;
}

function judgeElasticsearch(text: string): readonly ContentFinding[] {
  const settings = yamlPaths(text);
  const security = settings.get('xpack.security.enabled') ?? settings.get('plugins.security.disabled');
  const isOff = security !== undefined && (security.value === 'false' || (security.value === 'true' && settings.get('plugins.security.disabled') === security));
  const host = settings.get('network.host') ?? settings.get('http.host') ?? settings.get('network.bind_host');
  return isOff && host !== undefined && isEverywhere(host.value) ? [told('elasticsearch-open', 'Elasticsearch listens outside and asks nobody for a password', security)] : [];
}

/** Options of memcached(1), one a line. */
function judgeMemcached(text: string): readonly ContentFinding[] {
  const lines = text.split('\n', MOST_CONFIGURATION_LINES);
  const line = lines.findIndex((each) => /^\s*-l\s*(?:0\.0\.0\.0|::|\*)/.test(each));
  return line === -1 || lines.some((each) => /^\s*(?:-S|--enable-sasl|-Y)\b/.test(each)) ? [] : [{ rule: 'memcached-open', message: 'memcached listens on all addresses', line: line + 1, source: lines[line]!.trim().slice(0, 200) }];
}

function judgeDocker(text: string): readonly ContentFinding[] {
  const settings = parseObject(text);
  const hosts = settings?.['hosts'];
  if (!Array.isArray(hosts) || settings?.['tlsverify'] === true) return [];
  const open = hosts.find((host) => typeof host === 'string' && /^tcp:\/\/(?!127\.|localhost|\[::1\])/.test(host)) as string | undefined;
  return open === undefined ? [] : [{ rule: 'docker-open', message: `The daemon listens at ${open.slice(0, 80)} without checking who calls` }];
}

function judgeTomcat(text: string): readonly ContentFinding[] {
  const bare = text.slice(0, 1 << 20).split('<!--').map((part, index) => (index === 0 ? part : part.slice(part.indexOf('-->') + 3))).join('');
  return [...bare.matchAll(/<user\s[^<>]{0,500}>/g)].flatMap(([tag]) => {
    const [user, password] = [/\busername="([^"]*)"/.exec(tag)?.[1] ?? '', /\bpassword="([^"]*)"/.exec(tag)?.[1]];
    return password !== undefined && (isWeak(password) || password === user) ? [{ rule: 'default-password', message: `Tomcat's "${user.slice(0, 40)}" has a password that everybody tries first` }] : [];
  });
}

function judgeJupyter(text: string): readonly ContentFinding[] {
  const lines = text.split('\n', MOST_CONFIGURATION_LINES);
  const line = lines.findIndex((each) => /^\s*c\.(?:NotebookApp|ServerApp|IdentityProvider)\.token\s*=\s*(?:u?''|u?"")\s*(?:#|$)/.test(each.slice(0, 500)));
  const hasPassword = lines.some((each) => /^\s*c\.(?:NotebookApp|ServerApp|PasswordIdentityProvider)\.(?:hashed_)?password\s*=\s*u?['"]./.test(each.slice(0, 500)));
  return line === -1 || hasPassword ? [] : [{ rule: 'jupyter-open', message: 'The token is empty, and there is no password', line: line + 1, source: lines[line]!.trim().slice(0, 200) }];
}

function judgeGrafana(text: string): readonly ContentFinding[] {
  const password = flat(text).get('admin-password');
  return password !== undefined && isWeak(password.value) ? [told('default-password', 'Grafana\'s "admin" has a password that everybody tries first', withoutPassword(password))] : [];
}

/** Files of services by their names, wherever they are but in documentation. */
const SERVICES: readonly (readonly [RegExp, (text: string) => readonly ContentFinding[]])[] = [
  [/(?:^|\/)redis(?:-\w+)?\.conf$/, judgeRedis],
  [/(?:^|\/)pg_hba\.conf$/, judgePgHba],
  [/(?:^|\/)(?:\.?my|mysqld|mariadb|50-server|server|docker)\.cnf$/, judgeMysql],
  [/(?:^|\/)mongo(?:d|db)\.(?:conf|ya?ml)(?:\.orig)?$/, judgeMongodb],
  [/(?:^|\/)(?:rabbitmq\.conf(?:ig)?|advanced\.config)$|(?:^|\/)rabbitmq\/conf\.d\/[^/]+\.conf$/, judgeRabbitmq],
  [/(?:^|\/)(?:elasticsearch|opensearch)\.ya?ml$/, judgeElasticsearch],
  [/(?:^|\/)memcached\.conf$/, judgeMemcached],
  [/(?:^|\/)docker\/daemon\.json$/, judgeDocker],
  [/(?:^|\/)tomcat-users\.xml$/, judgeTomcat],
  [/(?:^|\/)jupyter_(?:notebook|server|lab)_config\.py$/, judgeJupyter],
  [/(?:^|\/)grafana\.ini$/, judgeGrafana],
];
const DOCUMENTATION = /(?:^|\/)share\/(?:doc|man|redis\/examples)\/|(?:^|\/)(?:examples?|samples?|tests?|node_modules)\//;

export function isServiceFile(path: string): boolean {
  return !DOCUMENTATION.test(path) && SERVICES.some(([pattern]) => pattern.test(path));
}

export function judgeService(path: string, text: string): readonly ContentFinding[] {
  return SERVICES.filter(([pattern]) => pattern.test(path)).flatMap(([, judge]) => judge(text));
}

/** Environment variables by which images of services set their first password. */
const PASSWORD_VARIABLES = /(?:^|_)(?:PASSWORD|PASS|PASSWD|ROOT_PASSWORD)$/;
const YES = /^(?:1|yes|true|on)$/i;
const OPEN_VARIABLES: ReadonlyMap<string, RegExp> = new Map([
  ['MYSQL_ALLOW_EMPTY_PASSWORD', YES], ['MARIADB_ALLOW_EMPTY_ROOT_PASSWORD', YES], ['ALLOW_EMPTY_PASSWORD', YES], ['POSTGRES_HOST_AUTH_METHOD', /^trust$/i], ['ALLOW_ANONYMOUS_LOGIN', YES],
]);

/** Undefined: nothing is wrong with it. */
export function judgeVariable(name: string, value: string): ContentFinding | undefined {
  if (OPEN_VARIABLES.get(name)?.test(value) === true) return { rule: 'default-password', message: `The environment lets everybody in: ${name}=${value.slice(0, 20)}` };
  return PASSWORD_VARIABLES.test(name) && value !== '' && isWeak(value) ? { rule: 'default-password', message: `${name.slice(0, 60)} is one of the passwords that everybody tries first` } : undefined;
}
