import { SingleBar } from 'cli-progress';
import type { IngestProgress } from '../replay/input-facts.ts';

/** Nothing is drawn before a job has taken this long: what is quick needs no bar. */
const QUIET_MS = 1000;

/** A progress bar on a terminal, drawn only for what takes over a second. */
export interface ProgressBar {
  update(progress: IngestProgress): void;
  /** Takes the bar away. */
  stop(): void;
}

const count = (value: number): string => value.toLocaleString('en-US');

/** A bar for one input. */
export function progressBar(stream: NodeJS.WriteStream, label: string): ProgressBar {
  const started = performance.now();
  let bar: SingleBar | null = null;
  return {
    update({ records, bytes, totalBytes }) {
      if (bar === null) {
        if (performance.now() - started < QUIET_MS) return;
        const format = `${totalBytes === null ? '' : '[{bar}] {percentage}%  '}{records} records  ${label}`;
        bar = new SingleBar({
          stream,
          format,
          barsize: 24,
          barCompleteChar: '#',
          barIncompleteChar: '.',
          hideCursor: true,
          clearOnComplete: true,
          gracefulExit: false,
        });
        bar.start(totalBytes ?? 1, 0, { records: '0' });
      }
      bar.update(totalBytes === null ? 0 : Math.min(bytes, totalBytes), { records: count(records) });
    },
    stop() {
      bar?.stop();
      bar = null;
    },
  };
}
