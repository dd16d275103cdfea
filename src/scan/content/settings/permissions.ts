/** What the modes of files give to everybody. inode(7), capabilities(7). */
import { S_IFDIR, S_IFLNK, S_IFMT, S_ISGID, S_ISUID } from '../../../abi/stat.ts';
import type { ContentFinding, ScanFile } from '../../types.ts';
import { baseName, isRegular } from '../bytes.ts';
import { CAPABILITIES, KNOWN_CAPABILITIES, KNOWN_SETUID, ROOT_CAPABILITIES, SHELLS } from './setuid-table.ts';

const S_IWOTH = 0o002;
const S_IXANY = 0o111;

/** Where programs and libraries are looked for, whatever PATH says. */
const SEARCHED = /^(?:usr\/(?:local\/)?)?(?:s?bin|lib|lib32|lib64|libx32)$|^usr\/(?:local\/)?lib\/[a-z0-9_]+-linux-gnu\w*$|^usr\/local\/games$|^usr\/games$/;
const OBEYED = /^etc\/(?:cron(?:tab$|\.[a-z]+(?:\/|$))|profile(?:$|\.d(?:\/|$))|bash(?:\.bashrc|rc)$|zsh\/|sudoers(?:$|\.d(?:\/|$))|pam\.d(?:\/|$)|passwd$|shadow$|group$|gshadow$|ld\.so\.(?:preload|conf)|init\.d(?:\/|$)|rc\.local$|rc\d\.d(?:\/|$)|systemd\/system(?:\/|$)|ssh\/|crontabs\/|environment$|inittab$|apt\/(?:sources|trusted|apt\.conf))|^var\/spool\/cron(?:\/|$)|^root\/\.(?:bash|profile|zsh|ssh)|^(?:usr\/)?lib\/systemd\/system\//;

export function isSearched(path: string): boolean {
  return SEARCHED.test(path);
}

/** Of `security.capability`: the permitted ones. Linux, include/uapi/linux/capability.h, struct vfs_cap_data. */
export function capabilitiesOf(attribute: string): readonly string[] {
  const word = (at: number): number => [3, 2, 1, 0].reduce((value, index) => value * 256 + ((attribute.charCodeAt(at + index) || 0) & 255), 0);
  const revision = attribute.length < 12 ? 0 : word(0) >>> 24;
  if (revision < 1 || revision > 3) return [];
  const low = word(4);
  const high = revision === 1 ? 0 : word(12);
  return CAPABILITIES.filter((_, index) => (((index < 32 ? low : high) >>> (index & 31)) & 1) === 1);
}

function judgeProgram(file: ScanFile): readonly ContentFinding[] {
  const name = baseName(file.path);
  const found: ContentFinding[] = [];
  const isProgram = (file.mode & S_IXANY) !== 0;
  if (isProgram && (file.mode & (S_ISUID | S_ISGID)) !== 0) {
    const kind = (file.mode & S_ISUID) !== 0 ? 'set-uid' : 'set-gid';
    const owner = (file.mode & S_ISUID) !== 0 ? file.uid : file.gid;
    if (kind === 'set-uid' && owner === 0 && SHELLS.has(name.replace(/[-.\d]+$/, '') || name) && name !== 'busybox') found.push({ rule: 'setuid-shell', message: `${name} runs as root for everybody` });
    else if (!KNOWN_SETUID.has(name)) found.push({ rule: 'unknown-setuid', severity: owner === 0 && kind === 'set-uid' ? 'high' : 'low', message: `${name} is ${kind} ${owner === 0 ? 'root' : owner}, and none that distributions have` });
    if ((file.mode & S_IWOTH) !== 0) found.push({ rule: 'writable-system-file', severity: 'critical', message: `Everybody may change ${name}, which is ${kind}` });
  }
  const attribute = file.xattrs.get('security.capability');
  const capabilities = attribute === undefined ? [] : capabilitiesOf(attribute);
  const unknown = capabilities.filter((each) => KNOWN_CAPABILITIES.get(name)?.includes(each) !== true);
  if (unknown.length > 0) found.push({ rule: 'file-capability', ...(unknown.some((each) => ROOT_CAPABILITIES.has(each)) && { severity: 'high' as const }), message: `${name} has ${unknown.join(', ')}` });
  return found;
}

export function judgeMode(file: ScanFile): readonly ContentFinding[] {
  const found = isRegular(file) ? [...judgeProgram(file)] : [];
  const kind = file.mode & S_IFMT;
  if (kind === S_IFLNK || (file.mode & S_IWOTH) === 0) return found;
  if (kind === S_IFDIR && SEARCHED.test(file.path)) found.push({ rule: 'writable-path', message: 'Everybody may put programs or libraries here' });
  else if (OBEYED.test(file.path)) found.push({ rule: 'writable-system-file', message: `Everybody may change this ${kind === S_IFDIR ? 'directory' : 'file'}` });
  else if (isRegular(file) && (file.mode & S_IXANY) !== 0 && SEARCHED.test(file.path.slice(0, file.path.lastIndexOf('/'))) && found.length === 0) found.push({ rule: 'writable-system-file', message: 'Everybody may change this program' });
  return found;
}

/** Everybody may put files into it, sticky or not. */
export function isOpenDirectory({ mode }: ScanFile): boolean {
  return (mode & S_IFMT) === S_IFDIR && (mode & S_IWOTH) !== 0;
}

/** May be read by everybody. */
export function isReadable({ mode }: ScanFile): boolean {
  return (mode & 0o004) !== 0;
}
