/** The images that a registry or a repository has, for a picture of them. */
import { nameOf, parseReference } from '../../image/reference.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { repositoriesOf, tagsOf } from '../registry/registry-lists.ts';

const SCHEME = 'docker://';
/** Each is looked at; and nobody reads a larger picture. */
const MOST_IMAGES = 500;

export function isOfRegistry(word: string): boolean {
  return word.startsWith(SCHEME);
}

export interface RegistryImages {
  /** `registry.example/team/app:1`; the one that was asked for comes last, so that its name counts where several have the same layers. */
  readonly names: readonly string[];
  /** The one whose family is asked for. */
  readonly own: string | undefined;
}

async function tagged(repository: string, values: FlagValues): Promise<readonly string[]> {
  const reference = parseReference(repository);
  return (await tagsOf(reference, values)).map((tag) => `${nameOf(reference)}:${tag}`);
}

/** `docker://HOST`: all of a registry that lists its repositories. `docker://HOST/REPOSITORY`: all of that. `docker://HOST/REPOSITORY:TAG`: the family of one, within its repository. @throws UserError, RegistryError */
export async function imagesOfRegistry(word: string, values: FlagValues): Promise<RegistryImages> {
  const place = word.slice(SCHEME.length).replace(/\/+$/, '');
  const [, repository = place, tag] = /^(.+\/[^:@]+):([^:@/]+)$/.exec(place) ?? [];
  if (repository.includes('@')) throw new UserError(`cannot draw "${word}": an image by its digest has no family by name`, 'name a registry, a repository or a tag');
  const names: string[] = [];
  for (const one of repository.includes('/') ? [repository] : (await repositoriesOf(repository, values)).map((name) => `${repository}/${name}`)) {
    names.push(...await tagged(one, values));
    if (names.length > MOST_IMAGES) throw new UserError(`cannot draw "${word}": it has more than ${MOST_IMAGES} images`, 'name one repository of it');
  }
  const own = tag === undefined ? undefined : `${nameOf(parseReference(repository))}:${tag}`;
  if (own === undefined) return { names, own };
  if (!names.includes(own)) throw new UserError(`cannot draw "${word}": there is no such tag`, `see "caisson registry tags ${repository}"`);
  return { names: [...names.filter((name) => name !== own), own], own };
}
