/** The file of a profile: YAML in a fixed order, a line for each thing that is allowed. What is in it may come from a hostile container: it is quoted, and no byte of it reaches a terminal as it is. */
import { SYSCALL_ROWS } from '../../kernel/syscalls/table.ts';
import { YamlError, ValueReader, parseDocuments } from '../../yaml/index.ts';
import { nearest } from '../../image/nearest.ts';
import { RulesError } from '../errors.ts';
import { MOST_PROFILE_BYTES, MOST_PROFILE_IMAGES, MOST_PROFILE_LINE, MOST_PROFILE_LINES } from '../limits.ts';
import { toBytes, toText } from '../text.ts';
import { CAPABILITIES } from './capabilities.ts';
import { patternError } from './patterns.ts';
import { PATH_SECTIONS, SECTIONS } from './profile.ts';
import type { Profile, Section } from './profile.ts';

export const PROFILE_VERSION = 1;
/** No quotes are needed: no YAML word, number or mark begins with a slash or one of these words. */
const PLAIN = /^(?:\/|unix \/)[\w./+~=*-]*(?: \([\w.-]*\))?$/;
const NUMBER = '@{pid}';
const CALL = /^(?:[a-z_][a-z0-9_]*|CAP_[A-Z_]+)$/;
/** Words of YAML that are no texts. */
const WORDS: ReadonlySet<string> = new Set(['null', 'true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n']);
/** Beside what JSON escapes: other controls, marks of direction, separators; and what our reader counts, so that no name of a file makes it give up. */
const HIDDEN = /[,[{\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]/g;

/** Addresses are the kernel's own words. */
const ADDRESS = /^(?:tcp|udp|icmp|raw) [\w.:[\]*]+$/;

function quoted(text: string): string {
  if (ADDRESS.test(text)) return text.includes('[') ? `"${text}"` : text;
  if (PLAIN.test(text.replaceAll(NUMBER, '0')) || (CALL.test(text) && !WORDS.has(text))) return text;
  return JSON.stringify(text).replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const listed = (key: string, lines: readonly string[]): string => (lines.length === 0 ? `${key}: []\n` : `${key}:\n${lines.map((line) => `  - ${quoted(toText(line))}\n`).join('')}`);

const ABOUT: Readonly<Record<Section, string>> = {
  programs: 'Files that may be executed, with the name that they are called by where that is another.',
  read: 'Files and directories that may be opened to read. * is any name, ** all that is below, @{pid} a number.',
  write: 'Files that may be opened to write, made, changed, renamed and removed.',
  connect: 'Where connections and messages may go.',
  bind: 'Addresses that may be taken.',
  capabilities: 'Capabilities that its programs keep.',
  calls: 'System calls that may be made.',
};

export function profileText({ runs, images, sections }: Profile): string {
  const shown = SECTIONS.filter((section) => sections.has(section)).map((section) => `# ${ABOUT[section]}\n${listed(section, sections.get(section)!)}`);
  return `# What a container did. "caisson run --profile FILE" allows this and nothing else; a section that is not here allows everything of its kind.\ncaisson: profile\nversion: ${PROFILE_VERSION}\nruns: ${runs}\n${listed('images', images)}${shown.join('')}`;
}

// ---- back ----

const wrong = (name: string, message: string, hint: string): RulesError => new RulesError(`${name}: ${message}`, hint);

function valueOf(name: string, text: string): unknown {
  if (text.length > MOST_PROFILE_BYTES) throw wrong(name, `it has more than ${MOST_PROFILE_BYTES >> 20} MB`, 'is it a profile?');
  try {
    const { documents } = parseDocuments(text);
    return documents.length === 1 ? new ValueReader().read(documents[0]!) : undefined;
  } catch (error) {
    if (error instanceof YamlError) throw wrong(name, error.message, 'give a file that "caisson run --learn" has written');
    throw error;
  }
}

function lineError(section: Section, line: string): string | undefined {
  if (line.length > MOST_PROFILE_LINE) return `it has more than ${MOST_PROFILE_LINE} characters`;
  if (section === 'programs') return line === '(memory)' ? undefined : patternError(line);
  if (PATH_SECTIONS.has(section)) return patternError(line);
  if (section === 'connect' || section === 'bind') return /^unix ./.test(line) || /^(?:tcp|udp|icmp|raw) (?:\*|\[[\da-fA-F:.]+\]|[\d.]+):(?:\d{1,5}|\*)$/.test(line) ? undefined : 'write such as "tcp 10.0.0.2:443", "udp *:53", "tcp [::1]:*" or "unix /run/socket"';
  const names = section === 'capabilities' ? CAPABILITIES : SYSCALL_ROWS.map(({ name }) => name);
  if (names.includes(line)) return undefined;
  const guess = nearest(line, names);
  return `there is no such ${section === 'capabilities' ? 'capability' : 'call'}${guess === undefined ? '' : `: did you mean ${guess}?`}`;
}

function linesOf(name: string, section: string, value: unknown, most: number): readonly string[] {
  if (!Array.isArray(value)) throw wrong(name, `${section} is no list`, `write "${section}: []" for nothing, or leave it out for everything`);
  if (value.length > most) throw wrong(name, `${section} has more than ${most} lines`, 'write patterns such as /directory/**');
  return value.map((line: unknown, index) => {
    if (typeof line !== 'string') throw wrong(name, `line ${index + 1} of ${section} is no text`, 'put it in quotes');
    return toBytes(line);
  });
}

/** `name`: for errors. @throws RulesError */
export function readProfile(name: string, text: string): Profile {
  const value = valueOf(name, text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name, 'this is no profile', 'give a file that "caisson run --learn" has written');
  const keys = new Map(Object.entries(value));
  if (keys.get('caisson') !== 'profile') throw wrong(name, 'this is no profile: it does not begin with "caisson: profile"', 'give a file that "caisson run --learn" has written');
  if (keys.get('version') !== PROFILE_VERSION) throw wrong(name, `it has version ${JSON.stringify(keys.get('version') ?? null)}, and this is for version ${PROFILE_VERSION}`, 'learn it again');
  const known: readonly string[] = ['caisson', 'version', 'runs', 'images', ...SECTIONS];
  const strange = [...keys.keys()].find((key) => !known.includes(key));
  if (strange !== undefined) throw wrong(name, `a profile has no "${strange.slice(0, 100)}"`, `it has ${known.join(', ')}`);
  const sections = new Map<Section, readonly string[]>();
  for (const section of SECTIONS) {
    if (!keys.has(section)) continue;
    const lines = linesOf(name, section, keys.get(section), MOST_PROFILE_LINES);
    for (const [index, line] of lines.entries()) {
      const error = lineError(section, line);
      if (error !== undefined) throw wrong(name, `line ${index + 1} of ${section}, ${JSON.stringify(toText(line.slice(0, 100)))}: ${error}`, 'docs/events.md, "Profiles", has what a line may be');
    }
    sections.set(section, lines);
  }
  const runs = keys.get('runs');
  return { runs: typeof runs === 'number' && Number.isSafeInteger(runs) && runs > 0 ? runs : 0, images: keys.has('images') ? linesOf(name, 'images', keys.get('images'), MOST_PROFILE_IMAGES) : [], sections };
}
