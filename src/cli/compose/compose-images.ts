/** `compose build` and `compose pull`. */
import { withDependencies } from '../../compose/index.ts';
import type { Project, Service } from '../../compose/index.ts';
import { EXIT_FAILED } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { withStore } from '../images/image-store.ts';
import { oneOf } from '../option-values.ts';
import { checkSupported, loadProject, warn } from './load.ts';
import { checkedServices, imageNameOf } from './project-containers.ts';
import { findImage, pullOne } from './resources.ts';

function chosen(project: Project, names: readonly string[], withNeeded: boolean): readonly Service[] {
  checkedServices(project.services.map(({ name }) => name), names);
  return names.length === 0 ? project.services : withNeeded ? withDependencies(project.services, names) : project.services.filter(({ name }) => names.includes(name));
}

export async function build(values: FlagValues, globals: FlagValues): Promise<number> {
  const project = loadProject(globals, values.command);
  const services = chosen(project, values.command, values.has('with-dependencies')).filter(({ settings }) => settings.build !== undefined);
  if (services.length === 0) {
    process.stderr.write('No services to build\n');
    return 0;
  }
  checkSupported(project, services);
  const { buildService } = await import('./compose-building.ts');
  for (const service of services) await buildService(project, service, { noCache: values.has('no-cache'), pull: values.has('pull'), push: values.has('push'), quiet: values.has('quiet'), arguments: values.all('build-arg'), progress: values.last('progress') });
  return 0;
}

export async function pull(values: FlagValues, globals: FlagValues): Promise<number> {
  const project = loadProject(globals, values.command);
  const policy = oneOf(values, 'policy', ['missing', 'always']) ?? 'always';
  const services = chosen(project, values.command, values.has('include-deps')).filter(({ settings }) => settings.image !== undefined && (settings.build === undefined || !values.has('ignore-buildable')));
  return withStore('pull images', async (store) => {
    for (const name of new Set(services.map((service) => imageNameOf(project, service)))) {
      if (policy === 'missing' && findImage(store, name) !== undefined) continue;
      try {
        await pullOne(store, name, values.has('quiet'));
      } catch (error) {
        const canBuild = services.some((service) => imageNameOf(project, service) === name && service.settings.build !== undefined);
        if (!canBuild && !values.has('ignore-pull-failures')) throw error;
        warn(`cannot pull "${name}": ${(error as Error).message}${canBuild ? '; it can be built with "caisson compose build"' : ''}`);
      }
    }
    if (services.length === 0) throw new UserError('no service has an image to pull', 'build them with "caisson compose build"', EXIT_FAILED);
    return 0;
  });
}
