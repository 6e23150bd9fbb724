import type { AnyCommand } from './command.ts';
import { rendered } from './render.ts';

/** A command of the program, which is loaded when it is called: all of them together take longer than most answers. */
export interface CommandEntry {
  readonly name: string;
  readonly description: string;
  load(): Promise<AnyCommand>;
}

/** Every command, in the order of --help. Adding one: a file that declares it, and an entry here. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'analyze',
    description: 'replay traces and report where the memory manager broke its promises',
    load: async () => rendered((await import('./analyze.ts')).analyzeCommand),
  },
  {
    name: 'info',
    description: 'tell what a trace holds: format, kernel, clock, span, tasks, events, losses, coverage',
    load: async () => rendered((await import('./info.ts')).infoCommand),
  },
  {
    name: 'state',
    description: 'show the reconstructed MM state at an event or a time',
    load: async () => rendered((await import('./state.ts')).stateCommand),
  },
  {
    name: 'page',
    description: 'tell the life of one page, by allocation, with its references',
    load: async () => rendered((await import('./page.ts')).pageCommand),
  },
  {
    name: 'sql',
    description: 'ask a case in SQL: events, pages, decisions, divergences; without a query, the schema',
    load: async () => (await import('./sql.ts')).sqlCommand,
  },
  {
    name: 'export',
    description: 'write the events of a case or a trace as JSON lines or CSV',
    load: async () => (await import('./export.ts')).exportCommand,
  },
  {
    name: 'replay',
    description: 'decide a trace anew under several patch variants, beside what was observed',
    load: async () => rendered((await import('./replay.ts')).replayCommand),
  },
  {
    name: 'diff',
    description: 'compare the behaviour of two traces, matched by identity and not by time',
    load: async () => rendered((await import('./diff.ts')).diffCommand),
  },
  {
    name: 'litmus',
    description: 'run litmus scenarios in every interleaving, or reduce a divergence of a trace',
    load: async () => rendered((await import('./litmus.ts')).litmusCommand),
  },
  {
    name: 'synth',
    description: 'write a synthetic trace: seeded, of any length, with or without planted divergences',
    load: async () => (await import('./synth.ts')).synthCommand,
  },
  {
    name: 'checks',
    description: 'list the checks; with an id, explain one at length with its example',
    load: async () => rendered((await import('./checks.ts')).checksCommand),
  },
  {
    name: 'variants',
    description: 'list patch variants and their axes; with a variant, its decision tables',
    load: async () => rendered((await import('./variants.ts')).variantsCommand),
  },
  {
    name: 'events',
    description: 'list the kinds of events; with a kind, its arguments',
    load: async () => rendered((await import('./events.ts')).eventsCommand),
  },
];
