/**
 * A Dockerfile as instructions with their places. `dockerfile-ast` finds them, with comments, parser directives and heredocs. Lines
 * are put together here, since it takes some comments between them for text. What the words mean is others' business (`words.ts`).
 *
 * Text is a byte string (one character per byte), as everything in this room.
 */
import { DockerfileParser } from 'dockerfile-ast';
import type { Instruction as ParsedInstruction } from 'dockerfile-ast';
import { BuildError } from './errors.ts';
import type { Lines } from './errors.ts';
import { splitRaw } from './expand.ts';
import { MOST_DOCKERFILE_BYTES, MOST_INSTRUCTIONS } from './limits.ts';

export interface InstructionFlag {
  readonly name: string;
  /** Absent: `--link` without a value. */
  readonly value: string | undefined;
}

export interface Heredoc {
  readonly name: string;
  readonly content: string;
  /** False: the name was quoted. */
  readonly expand: boolean;
  /** `<<-`: tabs at the beginning of lines go. */
  readonly chomp: boolean;
}

export interface Instruction {
  /** In capitals. */
  readonly keyword: string;
  /** As it was typed. */
  readonly typedKeyword: string;
  /** What follows the flags, on one line, without comments and without the text of heredocs. */
  readonly text: string;
  readonly flags: readonly InstructionFlag[];
  readonly heredocs: readonly Heredoc[];
  readonly lines: Lines;
}

export interface Dockerfile {
  /** For messages. */
  readonly name: string;
  /** As it came, a byte string. */
  readonly source: string;
  readonly lines: readonly string[];
  readonly escape: string;
  /** Parser directives, names in small letters. */
  readonly directives: ReadonlyMap<string, string>;
  readonly instructions: readonly Instruction[];
  /** Comment lines behind `#`, with their line. */
  readonly comments: readonly { readonly line: number; readonly text: string }[];
}

export const KEYWORDS: readonly string[] = [
  'ADD', 'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'HEALTHCHECK', 'LABEL', 'MAINTAINER', 'ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR',
];

interface WithHeredocs {
  getHeredocs(): readonly ParsedHeredoc[];
}
interface ParsedHeredoc {
  getName(): string;
  getStartRange(): Place;
  getDelimiterRange(): Place | null;
}
interface Place {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

/** The parser stumbles over some texts that are no heredocs. */
function heredocRanges(instruction: ParsedInstruction, lines: readonly string[]): readonly ParsedHeredoc[] {
  const { start, end } = instruction.getRange();
  if (!lines.slice(start.line, end.line + 1).some((line) => line.includes('<<'))) return [];
  try {
    return (instruction as unknown as WithHeredocs).getHeredocs();
  } catch (error) {
    throw new BuildError('cannot read the heredocs of this instruction', { lines: { start: start.line + 1, end: end.line + 1 }, advice: 'put << and its name on the first line of the instruction', cause: error });
  }
}

const TAKES_HEREDOCS = new Set(['ADD', 'COPY', 'RUN']);

/** `<<-"NAME"` as it stands, for what the parser does not tell. */
function heredocsOf(instruction: ParsedInstruction, keyword: string, lines: readonly string[], argumentsEnd: number): readonly Heredoc[] {
  if (!TAKES_HEREDOCS.has(keyword) || !('getHeredocs' in instruction)) return [];
  const found = heredocRanges(instruction, lines);
  let next = argumentsEnd;
  return found.map((heredoc) => {
    const { start, end } = heredoc.getStartRange();
    const place: Lines = { start: start.line + 1, end: start.line + 1 };
    const delimiter = heredoc.getDelimiterRange();
    if (delimiter === null) throw new BuildError(`cannot read the heredoc ${heredoc.getName()}: its end is missing`, { lines: place, advice: `write ${heredoc.getName()} alone on a line below it` });
    const word = (lines[start.line] ?? '').slice(start.character, end.character);
    const first = next;
    next = delimiter.start.line + 1;
    const content = lines.slice(first, delimiter.start.line).map((line) => `${line}\n`).join('');
    return { name: heredoc.getName(), content, expand: !/["']/.test(word), chomp: word.startsWith('<<-') };
  });
}

/** On one line, and the number of its last one: continuations put together, comments and empty lines between them left out, heredocs not reached (BuildKit `parser.go`). */
function joinLines(lines: readonly string[], { start, end }: Lines, escape: string): { readonly text: string; readonly last: number } {
  let text = '';
  let last = start;
  for (let line = start; line <= end; line++) {
    const raw = lines[line - 1] ?? '';
    if (line > start && (raw.trim() === '' || raw.trimStart().startsWith('#'))) continue;
    const trimmed = raw.replace(/[ \t]+$/, '');
    // A doubled escape character at the end of a line is itself, and ends nothing.
    const continues = trimmed.endsWith(escape) && (escape !== '\\' || !trimmed.endsWith('\\\\'));
    text += continues ? trimmed.slice(0, -1) : raw;
    last = line;
    if (!continues) break;
  }
  return { text, last };
}

/** Takes quotes and escapes off. */
function unquoted(word: string, escape: string): string {
  let text = '';
  let quote = '';
  for (let at = 0; at < word.length; at++) {
    const character = word[at]!;
    if (character === escape && quote !== '\'' && at + 1 < word.length) text += word[++at]!;
    else if (quote === '' && (character === '"' || character === '\'')) quote = character;
    else if (character === quote) quote = '';
    else text += character;
  }
  return text;
}

/** The words at the beginning that are flags; `--` alone ends them. */
function takeFlags(text: string, escape: string): { readonly flags: readonly InstructionFlag[]; readonly rest: string } {
  const flags: InstructionFlag[] = [];
  let rest = text.trim();
  while (rest.startsWith('--')) {
    const [word = ''] = splitRaw(rest, escape);
    rest = rest.slice(word.length).trimStart();
    if (word === '--') break;
    const flag = unquoted(word.slice(2), escape);
    const equals = flag.indexOf('=');
    flags.push({ name: equals < 0 ? flag : flag.slice(0, equals), value: equals < 0 ? undefined : flag.slice(equals + 1) });
  }
  return { flags, rest };
}

/** What has flags of its own; others take `--` as a word. */
const TAKES_FLAGS = new Set(['ADD', 'COPY', 'FROM', 'HEALTHCHECK', 'RUN']);

function instructionOf(parsed: ParsedInstruction, lines: readonly string[], escape: string): Instruction {
  const { start, end } = parsed.getRange();
  const place: Lines = { start: start.line + 1, end: end.line + 1 };
  const keyword = parsed.getKeyword();
  const { text, last } = joinLines(lines, place, escape);
  const joined = text.trim();
  const behind = joined.slice(/^\S*/.exec(joined)?.[0].length ?? 0).trim();
  const { flags, rest } = TAKES_FLAGS.has(keyword) ? takeFlags(behind, escape) : { flags: [], rest: behind };
  return { keyword, typedKeyword: parsed.getInstruction(), text: rest, flags, heredocs: heredocsOf(parsed, keyword, lines, last), lines: place };
}

function parsedText(text: string, name: string): ReturnType<typeof DockerfileParser.parse> {
  try {
    // The parser's time is square in the length of a comment that no line break ends.
    return DockerfileParser.parse(text.endsWith('\n') ? text : `${text}\n`);
  } catch (error) {
    throw new BuildError(`cannot read "${name}"`, { advice: 'is it a Dockerfile?', cause: error });
  }
}

/** @throws BuildError with the place. */
export function parseDockerfile(source: string, name: string): Dockerfile {
  if (source.length > MOST_DOCKERFILE_BYTES) throw new BuildError(`cannot read "${name}": it is longer than ${MOST_DOCKERFILE_BYTES} bytes`, { advice: 'is it a Dockerfile?' });
  const text = source.replace(/^\xef\xbb\xbf/, '').replace(/\r\n/g, '\n');
  const zero = text.indexOf('\0');
  if (zero >= 0) throw new BuildError(`cannot read "${name}": it is no text`, { advice: 'is it a Dockerfile?' });
  const lines = text.split('\n');
  const parsed = parsedText(text, name);
  const found = parsed.getInstructions();
  if (found.length > MOST_INSTRUCTIONS) throw new BuildError(`cannot read "${name}": it has more than ${MOST_INSTRUCTIONS} instructions`);
  const directives = new Map(parsed.getDirectives().map((directive) => [directive.getName().toLowerCase(), directive.getValue()] as const));
  const escape = directives.get('escape') ?? '\\';
  if (escape !== '\\' && escape !== '`') throw new BuildError(`cannot use "${escape}" as the escape character`, { lines: { start: 1, end: 1 }, advice: 'it is \\ or `' });
  return {
    name, source, lines, escape, directives,
    instructions: found.map((instruction) => instructionOf(instruction, lines, escape)),
    comments: parsed.getComments().map((comment) => ({ line: comment.getRange().start.line + 1, text: comment.getContent() ?? '' })),
  };
}
