/** A recorded stream before rules: what would have been said, and done. */
import { RulesError } from './errors.ts';
import { isFooter, readEvent, readHeader } from './event-json.ts';
import { Detector } from './detector.ts';
import type { DetectorOptions } from './detector.ts';
import { NO_CONTAINER } from './subject.ts';
import type { ContainerFacts } from './subject.ts';

export interface ReplayResult {
  readonly events: number;
  /** How often each rule fired. */
  readonly fired: ReadonlyMap<string, number>;
  readonly leftOut: number;
  /** Sequences that were forgotten because too many had begun. */
  readonly droppedSequences: number;
  /** Of the containers that it is of, as they were named. */
  readonly images: readonly string[];
}

export interface ReplayOptions extends Omit<DetectorOptions, 'container'> {
  /** What follows is of this container. */
  readonly onContainer?: (container: ContainerFacts) => void;
}

/** `lines` without their ends. A rule that acts is asked as before the call. @throws RulesError where it is no stream. */
export async function replay(name: string, lines: AsyncIterable<string>, options: ReplayOptions): Promise<ReplayResult> {
  let detector: Detector | undefined;
  let events = 0;
  let line = 0;
  const fired = new Map<string, number>();
  let leftOut = 0;
  let droppedSequences = 0;
  const images = new Set<string>();
  const close = (): void => {
    for (const [rule, count] of detector?.fired ?? []) fired.set(rule, (fired.get(rule) ?? 0) + count);
    leftOut += detector?.leftOut ?? 0;
    droppedSequences += detector?.droppedSequences ?? 0;
  };
  for await (const text of lines) {
    line++;
    if (text === '') continue;
    const header = detector === undefined || text.startsWith('{"caisson"') ? readHeader(text) : undefined;
    if (header !== undefined) {
      // Files are appended to: what follows is another run, maybe of another container.
      close();
      if (header.image !== '') images.add(header.image);
      options.onContainer?.(header);
      detector = new Detector({ ...options, container: header });
      continue;
    }
    if (isFooter(text)) continue;
    const event = readEvent(text);
    if (event === undefined) throw new RulesError('this is no event', line === 1 ? 'give a file that "--events FILE" has written' : 'was the file cut short?', { file: name, line, column: 1 });
    detector ??= new Detector({ ...options, container: NO_CONTAINER });
    events++;
    detector.judge(event);
    detector.happened(event);
  }
  close();
  return { events, fired, leftOut, droppedSequences, images: [...images] };
}
