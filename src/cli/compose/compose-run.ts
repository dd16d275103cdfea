/** `compose exec`, `run` and `cp`: one command, or some files. */
import type { Service } from '../../compose/index.ts';
import { isTerminal } from '../../host/node/stdio.ts';
import { randomId } from '../../lifecycle/index.ts';
import { cpCommand } from '../containers/container-copy.ts';
import { execCommand } from '../containers/container-exec.ts';
import { attachOptions, attachTo } from '../containers/container-attach.ts';
import { removeContainer } from '../containers/container-remove.ts';
import { startDetached } from '../containers/detached.ts';
import { EXIT_FAILED, withContainers } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { labelsIn } from '../containers/run-record.ts';
import { createOneOff } from './converge.ts';
import { knownProject } from './compose-down.ts';
import { loadProject } from './load.ts';
import { oneContainer } from './one-container.ts';
import { checkedServices } from './project-containers.ts';
import { ensureImages } from './resources.ts';
import { startNeeded } from './compose-up.ts';

const SUFFIX_LENGTH = 12;

/** Flags that both have, by one name. */
function passed(values: FlagValues, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => values.all(name).map((value) => (value === '' ? `--${name}` : `--${name}=${value}`)));
}

export async function exec(values: FlagValues, globals: FlagValues): Promise<number> {
  const [service = '', ...command] = values.command;
  const known = knownProject(globals, [service]);
  const name = await withContainers('run a command', (containers) => oneContainer(containers, known, service, values).container.name);
  const hasTerminal = !values.has('no-tty') && !values.has('detach') && (await isTerminal(0)) && (await isTerminal(1));
  return execCommand([...passed(values, ['env', 'workdir', 'user', 'detach']), ...(values.has('detach') ? [] : ['-i']), ...(hasTerminal ? ['-t'] : []), name, ...command]);
}

/** The service, as the command line has it. */
function changedService(service: Service, values: FlagValues, command: readonly string[], hasTerminal: boolean): Service {
  const { settings } = service;
  const environment = Object.fromEntries(values.all('env').map((text) => {
    const equals = text.indexOf('=');
    return equals < 0 ? [text, process.env[text] ?? null] : [text.slice(0, equals), text.slice(equals + 1)];
  }));
  const mounts = values.all('volume').map((text) => {
    const [source = '', target = '', mode] = text.split(':');
    if (!target.startsWith('/')) throw new UserError(`cannot use --volume ${text}: it is SRC:DST[:ro]`, 'with DST absolute', EXIT_FAILED);
    return { type: /^[./~]/.test(source) ? 'bind' : 'volume', source: /^[.~]/.test(source) ? `${process.cwd()}/${source}` : source, target, read_only: mode === 'ro' };
  });
  const ports = values.all('publish').map((text) => {
    const match = /^(?:(?:(\[[^\]]+\]|[^:]+):)?([\d-]*):)?(\d+)(?:\/(tcp|udp))?$/.exec(text);
    const [, address, published, target = '', protocol = 'tcp'] = match ?? [];
    if (match === null) throw new UserError(`cannot use --publish ${text}: it is [IP:][HOST:]PORT[/udp]`, 'such as 8080:80', EXIT_FAILED);
    return { target: Number(target), protocol, ...(published === undefined || published === '' ? {} : { published }), ...(address === undefined ? {} : { host_ip: address.replace(/^\[|\]$/g, '') }) };
  });
  const entrypoint = values.last('entrypoint');
  const { healthcheck: _, restart: __, container_name: ___, ...rest } = settings;
  return {
    ...service, settings: {
      ...rest, ...(command.length > 0 ? { command } : entrypoint === undefined ? {} : { command: [] }), ...(entrypoint === undefined ? {} : { entrypoint: entrypoint === '' ? [] : [entrypoint] }), environment: { ...settings.environment, ...environment }, labels: { ...settings.labels, ...labelsIn(values.all('label')) },
      volumes: [...settings.volumes ?? [], ...mounts], ports: [...(values.has('service-ports') ? settings.ports ?? [] : []), ...ports], tty: hasTerminal, stdin_open: !values.has('detach'),
      ...(values.has('user') ? { user: values.last('user') ?? '' } : {}), ...(values.has('workdir') ? { working_dir: values.last('workdir') ?? '' } : {}), deploy: { ...settings.deploy, restart_policy: { condition: 'none' } },
    },
  };
}

export async function run(values: FlagValues, globals: FlagValues): Promise<number> {
  const [name = '', ...command] = values.command;
  const project = loadProject(globals, [name]);
  checkedServices(project.services.map((service) => service.name), [name]);
  const service = project.services.find((one) => one.name === name) as Service;
  const hasTerminal = !values.has('no-tty') && !values.has('detach') && (await isTerminal(0)) && (await isTerminal(1));
  return withContainers(`run "${name}"`, async (containers) => {
    await startNeeded(containers, project, values.has('no-deps') ? { ...service, dependencies: new Map() } : service);
    await ensureImages(containers.store, project, [service], { build: values.has('build') });
    const own = changedService(service, values, command, hasTerminal);
    const containerName = values.last('name') ?? `${project.name}-${name}-run-${randomId((buffer) => containers.store.disk.host.random(buffer)).slice(0, SUFFIX_LENGTH)}`;
    const id = await createOneOff(containers, project, own, { containerName, withPorts: true });
    if (values.has('detach')) {
      await startDetached(id);
      process.stdout.write(`${containerName}\n`);
      return 0;
    }
    try {
      await startDetached(id, true);
      return await attachTo(containers, containers.findWhole(id), attachOptions(values, true, true));
    } finally {
      if (values.has('rm')) await removeContainer(containers, id, { force: true, withVolumes: true });
    }
  });
}

export async function cp(values: FlagValues, globals: FlagValues): Promise<number> {
  const known = knownProject(globals);
  const words = await withContainers('copy', (containers) => values.command.map((word) => {
    const [, service, path] = /^([a-zA-Z0-9._-]+):(.*)$/s.exec(word) ?? [];
    return service === undefined || word.startsWith('.') || word.startsWith('/') ? word : `${oneContainer(containers, known, service, values).container.name}:${path ?? ''}`;
  }));
  return cpCommand([...passed(values, ['archive', 'follow-link']), '--', ...words]);
}
