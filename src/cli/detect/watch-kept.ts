/** Watches a container that is kept: its alerts are events of its life as well, where "caisson events" shows them. */
import type { Container } from '../../container/index.ts';
import type { ContainerRecord, Life } from '../../lifecycle/index.ts';
import { AlertRate } from '../../detect/index.ts';
import type { Alert } from '../../detect/index.ts';
import { watchContainer } from './watching.ts';
import type { Watching } from './watching.ts';

/** Of each rule, a second: the log of events is everyone's, and keeps ten to twenty thousand. */
const LOGGED_ALERTS = 5;
const MOST_OUTPUT_LENGTH = 500;

/** `say`: for people, where somebody is there. @throws UserError */
export function watchKept(container: Container, record: ContainerRecord, life: Life | undefined, say?: (line: string) => void): Promise<Watching> {
  const rate = new AlertRate(LOGGED_ALERTS);
  const logged = ({ rule, priority, output, action, time }: Alert): void => {
    const leftOut = rate.take(rule, Math.floor(Date.parse(time) / 1000));
    if (leftOut !== undefined) life?.say('alert', { rule, priority, action, output: output.slice(0, MOST_OUTPUT_LENGTH), ...(leftOut === 0 ? {} : { leftOut: String(leftOut) }) });
  };
  const identity = {
    id: record.id, name: life?.container.name ?? '', image: record.image.name, imageId: record.image.id, imageDigest: record.image.manifest, hostname: record.container.hostname,
    mounts: record.container.mounts.map(({ destination }) => destination),
  };
  return watchContainer(container, record.watch!, identity, {
    onAlert: logged, ...(say === undefined ? {} : { say }),
    ...(life === undefined ? {} : {
      onPause: () => {
        life.change({ paused: true });
        life.say('pause');
      },
    }),
  });
}
