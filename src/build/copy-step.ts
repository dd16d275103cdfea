/** COPY, ADD and WORKDIR: what they read and where it goes. */
import { ownerOf } from './accounts.ts';
import type { Owner } from './accounts.ts';
import { parseMode } from './chmod.ts';
import type { ModeChange } from './chmod.ts';
import { planCopy } from './copy-plan.ts';
import type { CopySource } from './copy-plan.ts';
import type { Heredoc, Instruction } from './dockerfile.ts';
import { BuildError } from './errors.ts';
import { expandHeredoc, expandWord, splitRaw } from './expand.ts';
import type { Expander } from './expand.ts';
import type { LayerEntry, TimeRule } from '../container/layer-entries.ts';
import { cleanPath } from './patterns.ts';
import type { Stage } from './stage.ts';
import { MemoryNode } from './tree.ts';
import type { TreeNode } from './tree.ts';
import { Flags, jsonForm } from './words.ts';

const COPY_FLAGS = ['from', 'chown', 'chmod', 'link', 'parents'];
const ADD_FLAGS = ['chown', 'chmod', 'link', 'checksum', 'keep-git-dir', 'unpack'];

export interface CopyInstruction {
  readonly from: string | undefined;
  /** Heredocs stand among the others. */
  readonly sources: readonly (string | Heredoc)[];
  readonly destination: string;
  readonly chown: string | undefined;
  readonly mode: ModeChange | undefined;
  readonly modeText: string | undefined;
  readonly exclude: readonly string[];
  readonly link: boolean;
  readonly parents: boolean;
  readonly checksum: string | undefined;
  readonly unpack: boolean | undefined;
  readonly keepGitDirectory: boolean;
}

/** @throws BuildError */
export function readCopy(instruction: Instruction, expander: Expander): CopyInstruction {
  const { keyword, text, heredocs } = instruction;
  const flags = new Flags(instruction, keyword === 'COPY' ? COPY_FLAGS : ADD_FLAGS, ['exclude']);
  const words = [...(jsonForm(text) ?? splitRaw(text, expander.escape))];
  const isJson = jsonForm(text) !== undefined;
  const left = [...heredocs];
  const read = (word: string): string | Heredoc => {
    const heredoc = !isJson && word.startsWith('<<') ? left.shift() : undefined;
    if (heredoc === undefined) return expandWord(word, expander);
    const content = heredoc.chomp ? heredoc.content.replace(/^\t+/gm, '') : heredoc.content;
    return { ...heredoc, content: heredoc.expand ? expandHeredoc(content, expander) : content };
  };
  if (words.length < 2) throw new BuildError(`cannot read ${keyword}: it needs a source and a destination`, { advice: `such as ${keyword} . /app` });
  const destination = expandWord(words.pop()!, expander);
  const sources = words.map(read);
  const value = (name: string): string | undefined => {
    const given = flags.text(name);
    return given === undefined ? undefined : expandWord(given, expander);
  };
  const modeText = value('chmod');
  const isDirectory = destination.endsWith('/') || /(?:^|\/)\.{1,2}$/.test(destination);
  if (sources.length > 1 && !isDirectory) throw new BuildError(`cannot copy ${sources.length} things to "${destination}": it does not end with /`, { advice: 'end it with /, so that it is a directory' });
  return {
    from: keyword === 'COPY' ? value('from') : undefined, sources, destination, chown: value('chown'), modeText, mode: modeText === undefined ? undefined : parseMode(modeText),
    exclude: flags.all('exclude').map((pattern) => expandWord(pattern, expander)), link: flags.isSet('link'), parents: keyword === 'COPY' && flags.isSet('parents'),
    checksum: keyword === 'ADD' ? value('checksum') : undefined, unpack: keyword === 'ADD' && instruction.flags.some(({ name }) => name === 'unpack') ? flags.isSet('unpack') : undefined,
    keepGitDirectory: keyword === 'ADD' && flags.isSet('keep-git-dir'),
  };
}

/** `source`: what a text names becomes; there may be several. */
export interface CopyInputs {
  readonly stage: Stage;
  readonly copy: CopyInstruction;
  readonly root: () => TreeNode;
  readonly times: TimeRule;
  readonly source: (text: string) => Promise<readonly CopySource[]>;
}

export async function planCopyStep({ stage, copy, root, times, source }: CopyInputs): Promise<readonly LayerEntry[]> {
  const found: CopySource[] = [];
  for (const text of copy.sources) {
    if (typeof text === 'string') found.push(...await source(text));
    else found.push({ node: MemoryNode.file(text.content, 0o644), name: text.name, path: text.name });
  }
  const owner: Owner | undefined = copy.chown === undefined ? undefined : ownerOf(root, copy.chown);
  const isDirectory = copy.destination.endsWith('/') || /(?:^|\/)\.{1,2}$/.test(copy.destination);
  return planCopy(root(), found, {
    owner, mode: copy.mode, exclude: copy.exclude, parents: copy.parents, link: copy.link, times,
    destination: { path: stage.absolute(copy.destination), isDirectory },
  });
}

/** The directory of WORKDIR, where it is missing: it belongs to the user who will work in it. */
export function planDirectory(stage: Stage, path: string, root: () => TreeNode, times: TimeRule): readonly LayerEntry[] {
  const { user } = stage.settings;
  const owner = user === '' ? undefined : ownerOf(root, user.includes(':') || !/^\d+$/.test(user) ? user : `${user}:0`);
  const directory: CopySource = { node: MemoryNode.directory(new Map()), name: '', path: cleanPath(path) };
  return planCopy(root(), [directory], { owner, mode: undefined, exclude: [], parents: false, link: false, times, destination: { path, isDirectory: true } });
}
