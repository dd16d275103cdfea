/** All items. */
import { RIGHTS_ITEMS } from './items-rights.ts';
import { SETTING_ITEMS } from './items-settings.ts';
import { SHOWN_ITEMS } from './items-mounts.ts';
import type { Item } from './item.ts';
import type { Configuration } from './model.ts';

export const ITEMS: readonly Item[] = [...RIGHTS_ITEMS, ...SHOWN_ITEMS, ...SETTING_ITEMS];

const BY_ID: ReadonlyMap<string, Item> = new Map(ITEMS.map((item) => [item.id, item]));

/** What shows an item in a configuration; undefined: this kind of input does not say. */
export function evidenceOf(item: Item, configuration: Configuration): readonly string[] | undefined {
  return configuration.kind === 'image' && item.isOfImages !== true ? undefined : item.find(configuration);
}

export function itemOf(id: string): Item | undefined {
  return BY_ID.get(id);
}
