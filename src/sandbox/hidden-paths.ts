/**
 * Where credentials live on a host: not shown inside unless `--show` says so. A path is hidden with all
 * below it; it looks as if it were not there.
 */

import { cacheDirectory } from '../host/node/cache-directory.ts';
import { toByteString } from './text.ts';

/** Below every home directory. */
const IN_HOME: readonly string[] = [
  '.ssh', '.gnupg', '.aws', '.azure', '.config/gcloud', '.config/gh', '.config/hub', '.config/glab-cli', '.config/git/credentials', '.config/doctl',
  '.config/op', '.config/rclone', '.config/containers/auth.json', '.kube', '.docker', '.netrc', '.npmrc', '.yarnrc.yml', '.pypirc', '.git-credentials',
  '.gitcookies', '.password-store', '.local/share/keyrings', '.vault-token', '.terraform.d/credentials.tfrc.json', '.terraformrc', '.cargo/credentials',
  '.cargo/credentials.toml', '.gem/credentials', '.m2/settings.xml', '.gradle/gradle.properties', '.pgpass', '.my.cnf', '.mylogin.cnf', '.s3cfg', '.boto',
  '.oci', '.ibmcloud', '.fly', '.mozilla', '.thunderbird', '.config/google-chrome', '.config/chromium', '.config/BraveSoftware', '.config/microsoft-edge',
  '.bash_history', '.zsh_history', '.python_history', '.node_repl_history', '.psql_history', '.mysql_history', '.sqlite_history', '.lesshst', '.viminfo',
];

/** What this program keeps for its next run: whoever writes there, writes code. No flag shows it. */
const OWN_CACHE = '.cache/caisson';

/** Of the system. */
const IN_SYSTEM: readonly string[] = [
  '/etc/shadow', '/etc/shadow-', '/etc/gshadow', '/etc/gshadow-', '/etc/sudoers', '/etc/sudoers.d', '/etc/krb5.keytab', '/etc/ssl/private', '/etc/kubernetes', '/etc/rancher',
  '/etc/ssh/ssh_host_rsa_key', '/etc/ssh/ssh_host_ecdsa_key', '/etc/ssh/ssh_host_ed25519_key', '/etc/wireguard', '/etc/NetworkManager/system-connections',
  '/run/secrets', '/run/credentials', '/run/user', '/var/run/secrets', '/var/lib/docker', '/var/lib/containerd', '/var/lib/kubelet', '/var/lib/private',
];

/** Byte-string paths on the host, below `root`. `homes` are directories as the root's passwd file names them. */
export function hiddenPaths(root: string, homes: readonly string[], hide: readonly string[], show: readonly string[]): readonly string[] {
  const prefix = root === '/' ? '' : root;
  const shown = new Set(show);
  const isShown = (path: string): boolean => shown.has(path) || show.some((granted) => path.startsWith(`${granted}/`));
  const paths = new Set<string>(IN_SYSTEM);
  for (const home of homes) {
    if (home === '/' || home === '') continue;
    for (const name of IN_HOME) paths.add(`${home}/${name}`);
  }
  for (const path of hide) paths.add(path);
  const own = cacheDirectory();
  return [
    ...[...paths].filter((path) => hide.includes(path) || !isShown(path)).map((path) => prefix + path),
    ...homes.filter((home) => home !== '').map((home) => `${prefix}${home === '/' ? '' : home}/${OWN_CACHE}`),
    ...(own === undefined ? [] : [toByteString(own)]),
  ];
}
