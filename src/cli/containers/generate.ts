/** `generate systemd`: a unit that starts a container at boot and ends it kindly at shutdown. Names and flags are Podman's. */
import { realpathSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEFAULT_STOP_TIMEOUT_S, NO_RESTART } from '../../lifecycle/index.ts';
import type { WholeContainer } from '../../lifecycle/index.ts';
import { toText } from '../bytes.ts';
import { readCommand } from '../command.ts';
import { GENERATE_SYSTEMD } from './container-live-specs.ts';
import { EXIT_FAILED, withContainers } from './container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { need } from '../option-values.ts';
import { commandFile } from '../processes/own-process.ts';
import { parseCount } from '../quantities.ts';

/** Of Restart= (systemd.service(5)). */
const POLICIES = ['no', 'on-success', 'on-failure', 'on-abnormal', 'on-watchdog', 'on-abort', 'always'];
/** What systemd waits for beyond what `stop` does. */
const MARGIN_S = 60;
const UNIT_NAME = /^[A-Za-z0-9:_.\\@-]+$/;

/** A word of a command line (systemd.service(5), "Command lines"): % begins a specifier, $ a variable, which only command lines have. */
function quoted(word: string, hasVariables = true): string {
  const plain = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  const escaped = hasVariables ? plain.replaceAll('$', '$$$$') : plain;
  return /^[A-Za-z0-9_./:=@+-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

function unitsOf(values: FlagValues, flag: 'after' | 'wants' | 'requires'): readonly string[] {
  return values.all(flag).map((unit) => need(UNIT_NAME.test(unit) ? unit : undefined, flag, unit, 'it is no name of a unit'));
}

function restartOf(values: FlagValues, { record }: WholeContainer): string {
  const given = values.last('restart-policy');
  if (given !== undefined) return need(POLICIES.includes(given) ? given : undefined, 'restart-policy', given, `it is one of ${POLICIES.join(', ')}`);
  // Its own process starts it again; what is left for systemd is that this process was killed.
  return (record.restart ?? NO_RESTART).name === 'no' ? 'no' : 'on-failure';
}

function unitOf(values: FlagValues, container: WholeContainer, command: string, store: string): string {
  const word = values.has('name') ? container.name : container.id;
  const timeout = values.last('stop-timeout');
  const seconds = timeout === undefined ? container.record.stopTimeoutS ?? DEFAULT_STOP_TIMEOUT_S : need(parseCount(timeout), 'stop-timeout', timeout, 'it is not a number of seconds');
  const call = (...words: readonly string[]): string => [process.execPath, command, ...words].map((word) => quoted(word)).join(' ');
  const [after, wants, requires] = [unitsOf(values, 'after'), unitsOf(values, 'wants'), unitsOf(values, 'requires')];
  return `${[
    `# container-${word}.service`, '', '[Unit]', `Description=Caisson container ${word}`, `Wants=${['network-online.target', ...wants].join(' ')}`, `After=${['network-online.target', ...after].join(' ')}`, ...(requires.length === 0 ? [] : [`Requires=${requires.join(' ')}`]),
    `RequiresMountsFor=${quoted(store, false)}`, '', '[Service]', `Environment=${quoted(`CAISSON_HOME=${store}`, false)}`, `Restart=${restartOf(values, container)}`, `TimeoutStopSec=${seconds + MARGIN_S}`,
    `ExecStart=${call('start', word)}`, `ExecStop=${call('stop', '-t', String(seconds), word)}`, 'Type=forking', 'KillMode=mixed', '', '[Install]', 'WantedBy=default.target',
  ].join('\n')}\n`;
}

export async function generateSystemdCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(GENERATE_SYSTEMD, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  return withContainers(`write a unit for "${text}"`, (containers) => {
    const container = containers.findWhole(text);
    if (container.record.autoRemove) throw new UserError('cannot generate a unit for a container that is removed when it ends', 'make one without --rm', EXIT_FAILED);
    const command = commandFile();
    if (command === undefined) throw new UserError('cannot find the command itself', 'from source, build it first', EXIT_FAILED);
    const unit = unitOf(values, container, realpathSync(command), toText(containers.store.disk.root));
    if (!values.has('files')) {
      process.stdout.write(unit);
      return 0;
    }
    const file = resolve(`container-${values.has('name') ? container.name : container.id}.service`);
    writeFileSync(file, unit);
    process.stdout.write(`${file}\n`);
    return 0;
  });
}
