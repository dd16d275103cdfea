/** A store of its own with busybox in it, and the command on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxLayout, commandIn } from '../images/fixtures.ts';

export interface TestStore {
  readonly scratch: string;
  readonly home: string;
  readonly env: { readonly CAISSON_HOME: string };
  readonly run: ReturnType<typeof commandIn>['run'];
  readonly mustRun: ReturnType<typeof commandIn>['mustRun'];
  load(): Promise<void>;
  remove(): Promise<void>;
}

/** `name`: of the directory of the store. */
export function testStore(name = 'store'): TestStore {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-containers-'));
  const home = join(scratch, name);
  const env = { CAISSON_HOME: home };
  const { run, mustRun } = commandIn(env);
  return {
    scratch, home, env, run, mustRun,
    load: async () => void (await mustRun(['load', '-q', '-i', busyboxLayout()])),
    remove: async () => {
      const ids = (await mustRun(['ps', '-aq'])).split('\n').filter((id) => id !== '');
      if (ids.length > 0) await mustRun(['rm', '-f', ...ids]);
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Until it answers true; a minute at most. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const since = Date.now(); !(await condition());) {
    if (Date.now() - since > 60_000) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
