/** Instructions that change only the configuration: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, MAINTAINER, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME. */
import { SIGNAL_NAMES } from '../abi/signal.ts';
import type { Instruction } from './dockerfile.ts';
import { BuildError } from './errors.ts';
import { expandWord, expandWords, splitRaw } from './expand.ts';
import type { Expander } from './expand.ts';
import type { Healthcheck, ImageSettings } from './image-config.ts';
import { Flags, duration, jsonForm, oneWord, pairs, requireText } from './words.ts';
import { toText } from './text.ts';

type Apply = (settings: ImageSettings, instruction: Instruction, expander: Expander) => void;

/** The list itself, or the text for the shell. */
export function commandOf({ text }: Instruction, settings: ImageSettings): readonly string[] {
  return jsonForm(text) ?? [...settings.shell, text];
}

function expose(settings: ImageSettings, instruction: Instruction, expander: Expander): void {
  for (const word of expandWords(requireText(instruction), expander)) {
    // An address and a port of the host may stand before it, and mean nothing here.
    const match = /^(?:.*:)?(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || first > 65_535 || last > 65_535 || first > last) throw new BuildError(`cannot expose "${toText(word)}": it is no port`, { advice: 'such as 80, 53/udp or 8000-8010' });
    for (let port = first; port <= last; port++) settings.exposedPorts.add(`${port}/${(match[3] ?? 'tcp').toLowerCase()}`);
  }
}

const CHECK_FLAGS = ['interval', 'timeout', 'start-period', 'start-interval', 'retries'];

function healthcheck(settings: ImageSettings, instruction: Instruction): void {
  const flags = new Flags(instruction, CHECK_FLAGS);
  const [, kind = '', rest = ''] = /^(\S+)\s*([^]*)$/.exec(requireText(instruction)) ?? [];
  if (kind.toUpperCase() === 'NONE') {
    settings.healthcheck = { Test: ['NONE'] };
    return;
  }
  if (kind.toUpperCase() !== 'CMD' || rest === '') throw new BuildError('cannot read HEALTHCHECK: it is NONE, or CMD and a command', { advice: 'such as HEALTHCHECK CMD curl -f http://localhost/' });
  const list = jsonForm(rest);
  const check: Healthcheck = { Test: list === undefined ? ['CMD-SHELL', toText(rest)] : ['CMD', ...list.map(toText)] };
  const time = (flag: string, set: (value: number) => void): void => {
    const text = flags.text(flag);
    if (text !== undefined) set(duration(text, `--${flag}`));
  };
  time('interval', (value) => (check.Interval = value));
  time('timeout', (value) => (check.Timeout = value));
  time('start-period', (value) => (check.StartPeriod = value));
  time('start-interval', (value) => (check.StartInterval = value));
  const retries = flags.text('retries');
  if (retries !== undefined) {
    if (!/^[1-9]\d{0,8}$/.test(retries)) throw new BuildError(`cannot use --retries=${retries}: it is no number above 0`);
    check.Retries = Number(retries);
  }
  settings.healthcheck = check;
}

function onBuild(settings: ImageSettings, instruction: Instruction): void {
  const keyword = /^\S+/.exec(requireText(instruction))?.[0]?.toUpperCase() ?? '';
  if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(keyword)) throw new BuildError(`cannot use ${keyword} as a trigger`, { advice: 'ONBUILD takes all instructions but FROM, MAINTAINER and ONBUILD' });
  settings.onBuild.push(instruction.text);
}

function volume(settings: ImageSettings, instruction: Instruction, expander: Expander): void {
  const words = jsonForm(instruction.text) ?? splitRaw(requireText(instruction), expander.escape);
  for (const word of words) {
    const path = expandWord(word, expander);
    if (path === '') throw new BuildError('cannot make a volume: its path is empty');
    settings.volumes.add(path);
  }
}

function stopSignal(settings: ImageSettings, instruction: Instruction, expander: Expander): void {
  const word = oneWord(instruction, expander);
  const name = word.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  if (!/^\d{1,2}$/.test(word) && !SIGNAL_NAMES.includes(name) && !/^SIGRT(?:MIN|MAX)(?:[+-]\d+)?$/.test(name)) throw new BuildError(`cannot use STOPSIGNAL ${toText(word)}: no signal is called that`, { advice: 'such as SIGTERM or 9' });
  settings.stopSignal = word;
}

function shell(settings: ImageSettings, { text }: Instruction): void {
  const list = jsonForm(text);
  if (list === undefined || list.length === 0) throw new BuildError('cannot read SHELL: it is a JSON list', { advice: 'such as SHELL ["/bin/bash", "-c"]' });
  settings.shell = list;
}

export const SETTINGS: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['CMD', (settings, instruction) => {
    settings.cmd = commandOf(instruction, settings);
    settings.hasOwnCmd = true;
  }],
  ['ENTRYPOINT', (settings, instruction) => {
    settings.entrypoint = commandOf(instruction, settings);
    if (!settings.hasOwnCmd) settings.cmd = undefined;
  }],
  ['ENV', (settings, instruction, expander) => {
    for (const [name, value] of pairs(instruction, expander)) settings.env.set(name, value);
  }],
  ['EXPOSE', expose],
  ['HEALTHCHECK', healthcheck],
  ['LABEL', (settings, instruction, expander) => {
    for (const [name, value] of pairs(instruction, expander)) settings.labels.set(name, value);
  }],
  ['MAINTAINER', (settings, instruction) => {
    settings.author = requireText(instruction);
  }],
  ['ONBUILD', onBuild],
  ['SHELL', shell],
  ['STOPSIGNAL', stopSignal],
  ['USER', (settings, instruction, expander) => {
    settings.user = oneWord(instruction, expander);
  }],
  ['VOLUME', volume],
]);
