/** PAM's stacks (pam.conf(5)) and sudo's rules (sudoers(5)), one file at a time. */
import type { ContentFinding } from '../../types.ts';
import { MOST_CONFIGURATION_LINES, MOST_RULE_LENGTH } from '../limits.ts';

interface Line {
  readonly text: string;
  readonly line: number;
}

/** Lines without comments, those that end with a backslash put together. */
function logicalLines(text: string, isComment: (line: string) => boolean): readonly Line[] {
  const lines: Line[] = [];
  let pending: Line | undefined;
  text.split('\n', MOST_CONFIGURATION_LINES).forEach((raw, index) => {
    if (pending === undefined && isComment(raw)) return;
    const joined = { text: (pending?.text ?? '') + raw.replace(/\\$/, ' '), line: pending?.line ?? index + 1 };
    if (raw.endsWith('\\') && joined.text.length < 65_536) pending = joined;
    else {
      pending = undefined;
      if (joined.text.trim() !== '') lines.push(joined);
    }
  });
  if (pending !== undefined) lines.push(pending);
  return lines;
}

interface PamLine extends Line {
  readonly type: string;
  readonly control: string;
  readonly module: string;
  readonly options: readonly string[];
}

function pamLines(text: string): readonly PamLine[] {
  return logicalLines(text, (line) => /^\s*(?:#|$)/.test(line)).flatMap((line) => {
    const found = /^\s*-?(auth|account|password|session)\s+(\[[^\]]*\]|\w+)\s+(\S+)\s*(.*)$/.exec(line.text.slice(0, MOST_RULE_LENGTH).replace(/#.*/, ''));
    return found === null ? [] : [{ ...line, type: found[1]!, control: found[2]!.toLowerCase(), module: found[3]!.replace(/^.*\//, ''), options: found[4]!.split(/\s+/) }];
  });
}

/** A file of /etc/pam.d. `isShared`: one that others include, such as common-auth, in which Debian has nullok itself. */
export function judgePam(text: string, isShared: boolean): readonly ContentFinding[] {
  const lines = pamLines(text);
  const auth = lines.filter(({ type }) => type === 'auth');
  const refuses = auth.some(({ module, control }) => module !== 'pam_permit.so' && /^(?:required|requisite|include|substack|sufficient|\[)/.test(control)) || /^@include\s/m.test(text);
  return auth.flatMap((each) => {
    const told = (rule: string, message: string): ContentFinding => ({ rule, message, line: each.line, source: each.text.trim().slice(0, 200) });
    if (each.module === 'pam_permit.so' && (each.control === 'sufficient' || /^\[.*success=(?:done|ok)/.test(each.control) || !refuses)) return [told('pam-permit', 'pam_permit.so lets everybody in without a password')];
    if (each.module === 'pam_unix.so' && each.options.some((option) => /^nullok(?:_secure)?$/.test(option)) && !isShared) return [told('pam-nullok', 'An account without a password needs none here')];
    if (each.module === 'pam_wheel.so' && each.options.includes('trust')) return [told('pam-trust', 'Members of a group need no password here')];
    if (/^pam_rhosts(?:_auth)?\.so$/.test(each.module)) return [told('pam-trust', 'What other hosts say of their users is believed')];
    if (each.module === 'pam_succeed_if.so' && each.control === 'sufficient') return [told('pam-trust', 'A condition stands in for the password')];
    return [];
  });
}

/** Programs from which one gets a shell, if one may run them as root (GTFOBins). */
const ESCAPES = new Set('ash awk bash bundle busybox cat chmod chown cp csh curl dash dd dmesg docker ed emacs env expect find flock ftp gawk gdb git go irb java jjs journalctl ksh less ln lua make man mawk more mount mv nano nc nice nmap node openssl perl php pico pip podman python python2 python3 rpm rsync ruby run-parts rvim scp screen script sed setarch sh socat sqlite3 ssh strace su systemctl tar taskset tclsh tcpdump tee time timeout tmux unshare vi view vim watch wget xargs zip zsh apt apt-get dpkg'.split(' '));

const RULE = /^\s*("[^"]+"|[^\s=,]+(?:\s*,\s*[^\s=,]+)*)\s+([^=]+)=(.*)$/;

function judgeSudoRule(line: Line, who: string, what: string): readonly ContentFinding[] {
  const told = (rule: string, message: string): ContentFinding => ({ rule, message, line: line.line, source: line.text.trim().slice(0, 200) });
  let asks = true;
  const found: ContentFinding[] = [];
  for (const part of what.split(/\s*,\s*(?![^(]*\))/)) {
    const [, runas, tags, command] = /^\s*(\([^)]*\))?\s*((?:[A-Z_]+:\s*)*)(.*)$/.exec(part)!;
    if (/NOPASSWD:/.test(tags!)) asks = false;
    if (/(?<!NO)PASSWD:/.test(tags!)) asks = true;
    const asRoot = runas === undefined || /\(\s*(?:ALL|root|#0)\b/.test(runas) || /^\(\s*:/.test(runas);
    if (asks || !asRoot || who === 'root') continue;
    const name = command!.trim().split(/\s+/)[0]!;
    if (name === 'ALL') found.push(told('sudo-without-password', `${who.slice(0, 60)} may do everything as root without a password`));
    else if (name.endsWith('/') || ESCAPES.has(name.replace(/^.*\//, '').replace(/\d(?:\.\d+)*$/, (version) => (version.length > 1 ? '' : version))) || /[*?]$/.test(name)) found.push(told('sudo-escape', `${who.slice(0, 60)} may run ${name.slice(0, 80)} as root without a password`));
  }
  return found;
}

/** /etc/sudoers, or a file of /etc/sudoers.d. Aliases are told by their names. */
export function judgeSudoers(text: string): readonly ContentFinding[] {
  return logicalLines(text, (line) => /^\s*#(?!include)/.test(line)).flatMap((line) => {
    const rule = line.text.slice(0, MOST_RULE_LENGTH).replace(/\s#(?!\d).*$/, '');
    if (/^\s*(?:[@#]include|(?:User|Runas|Host|Cmnd|Cmd)_Alias\s)/.test(rule)) return [];
    const told = (id: string, message: string): readonly ContentFinding[] => [{ rule: id, message, line: line.line, source: line.text.trim().slice(0, 200) }];
    if (/^\s*Defaults/.test(rule)) {
      if (/!\s*authenticate\b/.test(rule)) return told('sudo-without-password', 'Nobody is asked for a password');
      if (/!\s*env_reset\b/.test(rule)) return told('sudo-environment', 'The whole environment is kept');
      return /env_keep\s*\+?=.*\b(?:LD_PRELOAD|LD_LIBRARY_PATH|PYTHONPATH|PERL5LIB|RUBYLIB|NODE_OPTIONS|BASH_ENV)\b/.test(rule) ? told('sudo-environment', 'A variable that loads code is kept') : [];
    }
    const found = RULE.exec(rule);
    return found === null ? [] : judgeSudoRule(line, found[1]!.trim(), found[3]!);
  });
}

/** A name that an includedir reads: without a dot and not a backup. */
export function isReadBySudo(name: string): boolean {
  return !name.includes('.') && !name.endsWith('~');
}
