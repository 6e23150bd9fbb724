import { analyzeCommand } from './analyze.ts';
import { checksCommand } from './checks.ts';
import type { AnyCommand } from './command.ts';
import { diffCommand } from './diff.ts';
import { eventsCommand } from './events.ts';
import { exportCommand } from './export.ts';
import { infoCommand } from './info.ts';
import { litmusCommand } from './litmus.ts';
import { pageCommand } from './page.ts';
import { rendered } from './render.ts';
import { replayCommand } from './replay.ts';
import { sqlCommand } from './sql.ts';
import { stateCommand } from './state.ts';
import { synthCommand } from './synth.ts';
import { variantsCommand } from './variants.ts';

/** Every command, in the order of --help. Adding one: a file that declares it, and a line here. */
export const COMMANDS: readonly AnyCommand[] = [
  rendered(analyzeCommand),
  rendered(infoCommand),
  rendered(stateCommand),
  rendered(pageCommand),
  sqlCommand,
  exportCommand,
  rendered(replayCommand),
  rendered(diffCommand),
  rendered(litmusCommand),
  synthCommand,
  rendered(checksCommand),
  rendered(variantsCommand),
  rendered(eventsCommand),
];
