/** What a file's place says of what is in it: documentation, the distribution's own files, other people's packages, tests. Paths begin without a slash. */
import { baseName, extensionOf } from '../bytes.ts';

/** Never text in which somebody keeps a secret, or too much of it. */
const BINARY = new Set('png jpg jpeg gif bmp ico webp svg tif tiff psd mp3 mp4 ogg wav avi mov mkv webm flac woff woff2 ttf otf eot so a o ko lib dll exe pyc pyo pyd mo gmo gz bz2 xz zst lz4 zip jar war ear class whl egg deb rpm apk tar tgz rar 7z iso img db sqlite sqlite3 mdb wasm pdf doc docx xls xlsx ppt pptx dat bin pack idx rlib rmeta gem crate nupkg'.split(' '));
const DOCUMENTATION = /(?:^|\/)share\/(?:doc|man|info|help|gtk-doc|locale|i18n|zoneinfo|licenses|common-licenses|terminfo|perl\/[^/]+\/(?:pod|unicore)|vim|emacs|bash-completion|zsh|fish|lintian|bug|mime|icons|fonts)\//;
const SYSTEM = /^(?:usr\/(?:lib|lib32|lib64|libexec|share|include|bin|sbin|src\/linux)|lib|lib32|lib64|bin|sbin|var\/lib\/(?:dpkg|apt|rpm|pacman)|lib\/apk|etc\/(?:ssl\/certs|ca-certificates|alternatives|apparmor\.d|pki\/ca-trust))(?:\/|$)/;
const DEPENDENCY = /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor|bower_components|gems|\.cargo\/registry|go\/pkg\/mod|\.m2\/repository|\.npm\/_cacache|\.cache|python3?\.?\d*\/test)\//;
const TESTS = /(?:^|\/)(?:tests?|__tests__|testdata|test-data|testing|fixtures?|specs?|mocks?|examples?|samples?|demos?)\/|_test\.\w+$|(?:^|\/)test_[^/]+\.py$|\.(?:test|spec)\.\w+$/i;
const PROSE = /(?:^|\/)docs?\/|(?:^|\/)(?:README|CHANGELOG|CHANGES|HISTORY|LICENSE|COPYING|NEWS|AUTHORS|CONTRIBUTING|PKG-INFO|METADATA)[^/]*$|\.(?:md|markdown|rst|adoc|html?|tex|pod|po|pot)$|(?:\.|-|_)(?:example|sample|template|dist|tmpl)$|\.(?:example|sample|template)\./i;
/** Files in which values stand without quotes. */
const UNQUOTED = new Set('env ini conf cfg cnf config properties yaml yml toml sh bash zsh profile service txt envrc list log tfvars hcl'.split(' '));
const LOCK_FILES = new Set(['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', 'composer.lock', 'poetry.lock', 'uv.lock', 'Cargo.lock', 'Gemfile.lock', 'go.sum', 'Pipfile.lock']);

export interface Place {
  /** Nothing is looked for: documentation, what is no text, and host keys, which have a rule of their own. */
  readonly isLeftOut: boolean;
  /** Private keys and tokens here are those of other people's tests. */
  readonly isOthersTest: boolean;
  /** Values of variables are looked at. */
  readonly hasAssignments: boolean;
  /** Values without quotes too. */
  readonly isUnquoted: boolean;
}

export function placeOf(path: string): Place {
  const name = baseName(path);
  const extension = extensionOf(path);
  const isLeftOut = /^etc\/ssh\/ssh_host_\w+_key$/.test(path) || DOCUMENTATION.test(path) || BINARY.has(extension) || /\.so\.[\d.]+$/.test(name);
  const others = SYSTEM.test(path) || DEPENDENCY.test(path);
  const isMinified = /\.min\.\w+$|\.map$|\.bundle\.js$/.test(name);
  return {
    isLeftOut,
    isOthersTest: others && (TESTS.test(path) || PROSE.test(path)),
    hasAssignments: !isLeftOut && !others && !isMinified && !TESTS.test(path) && !PROSE.test(path) && !LOCK_FILES.has(name),
    isUnquoted: extension === '' || UNQUOTED.has(extension) || name.startsWith('.env') || /^(?:Dockerfile|Containerfile|Makefile)/.test(name),
  };
}
