/** All items. */
import { RIGHTS_ITEMS } from './items-rights.ts';
import { SETTING_ITEMS } from './items-settings.ts';
import { SHOWN_ITEMS } from './items-mounts.ts';
import type { Item } from './item.ts';

export const ITEMS: readonly Item[] = [...RIGHTS_ITEMS, ...SHOWN_ITEMS, ...SETTING_ITEMS];

const BY_ID: ReadonlyMap<string, Item> = new Map(ITEMS.map((item) => [item.id, item]));

export function itemOf(id: string): Item | undefined {
  return BY_ID.get(id);
}
