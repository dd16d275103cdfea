/** Several of the same at once, as many as make sense. */

/** Layers that move at once, as Docker. */
const AT_ONCE = 3;

/** @throws what the first one that fails throws; those that have begun end first, no other begins. */
export async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>, atOnce = AT_ONCE): Promise<void> {
  const left = [...items];
  const failures: unknown[] = [];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let item = left.shift(); item !== undefined && failures.length === 0; item = left.shift()) await work(item).catch((error: unknown) => failures.push(error));
  }));
  if (failures.length > 0) throw failures[0];
}
