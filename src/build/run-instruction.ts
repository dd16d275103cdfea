/** RUN: its flags and forms, and what it sees besides the stage's layers. */
import type { Instruction } from './dockerfile.ts';
import { BuildError } from './errors.ts';
import { expandWord } from './expand.ts';
import type { Expander } from './expand.ts';
import { parseRunMount } from './mount-flags.ts';
import type { RunMount } from './mount-flags.ts';
import type { Stage } from './stage.ts';
import { Flags, jsonForm, requireText } from './words.ts';

export interface RunInstruction {
  readonly argv: readonly string[];
  readonly mounts: readonly RunMount[];
  readonly network: 'default' | 'none';
  /** A heredoc that is a script of its own (`#!`). */
  readonly script: { readonly path: string; readonly text: string } | undefined;
}

const SCRIPT_DIRECTORY = '/dev/pipes';

function networkOf(text: string | undefined): 'default' | 'none' {
  if (text === undefined || text === 'default') return 'default';
  if (text === 'none') return 'none';
  if (text === 'host') throw new BuildError('cannot use --network=host: a command of a build has a network of its own and never that of the host', { advice: 'use --network=default, and --allow-net HOST for private addresses' });
  throw new BuildError(`cannot use --network=${text}: there is no such network`, { advice: 'it is default or none' });
}

/** Refuses what would be a way out. */
function checkSecurity(flags: Flags): void {
  const security = flags.text('security');
  if (security === 'insecure') throw new BuildError('cannot use --security=insecure: commands have a kernel of their own, and no privileges on this machine that could be given to them', { advice: 'leave it out: inside, root may do what root may' });
  if (security !== undefined && security !== 'sandbox') throw new BuildError(`cannot use --security=${security}: there is no such mode`, { advice: 'leave it out' });
  if (flags.text('device') !== undefined) throw new BuildError('cannot use --device: devices of the host are never shown', { advice: 'leave it out' });
}

/** The command with its heredocs, as BuildKit gives them to the shell. */
function commandOf(instruction: Instruction, shell: readonly string[]): Pick<RunInstruction, 'argv' | 'script'> {
  const { heredocs } = instruction;
  const text = requireText(instruction);
  const list = jsonForm(text);
  if (list !== undefined) {
    if (list.length === 0) throw new BuildError('cannot run nothing: the list is empty', { advice: 'give a program' });
    return { argv: list, script: undefined };
  }
  const [first] = heredocs;
  if (first === undefined) return { argv: [...shell, text], script: undefined };
  if (heredocs.length === 1 && /^<<-?\s*["']?[^\s"']+["']?$/.test(text)) {
    const content = first.chomp ? first.content.replace(/^\t+/gm, '') : first.content;
    if (!content.startsWith('#!')) return { argv: [...shell, content], script: undefined };
    const path = `${SCRIPT_DIRECTORY}/${first.name}`;
    return { argv: [...shell, path], script: { path, text: content } };
  }
  return { argv: [...shell, [text, ...heredocs.map(({ name, content }) => content + name)].join('\n')], script: undefined };
}

/** @throws BuildError */
export function readRun(instruction: Instruction, stage: Stage, expander: Expander): RunInstruction {
  const flags = new Flags(instruction, ['network', 'security', 'device'], ['mount']);
  checkSecurity(flags);
  const mounts = flags.all('mount').map((text) => parseRunMount(expandWord(text, expander), stage.workingDirectory));
  return { ...commandOf(instruction, stage.settings.shell), mounts, network: networkOf(flags.text('network')) };
}
