import type { Engine } from '../../src/cli/engine.ts';
import { type Io, run } from '../../src/cli/run.ts';
import { InputError } from '../../src/core/errors.ts';
import { inputName } from '../../src/core/input.ts';
import { analysis, divergence, facts } from '../report/sample.ts';

/** What one run of the command line left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, on an engine that answers from a table, or on the real one. */
export function faultline(args: readonly string[], engine?: Engine, over: Partial<Io> = {}): Promise<Ran> {
  return collect((io) => run(args, io, engine), over);
}

/** What a run leaves behind that is given a world of its own. */
export async function collect(of: (io: Io) => Promise<number>, over: Partial<Io> = {}): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  const io: Io = {
    out: async (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    colour: false,
    terminal: null,
    debug: false,
    signal: new AbortController().signal,
    ...over,
  };
  const code = await of(io);
  return { code, stdout, stderr };
}

/** A run as text: the command, its exit code, and what it printed where. */
export function transcript(args: readonly string[], { code, stdout, stderr }: Ran): string {
  return `$ faultline ${args.join(' ')}\nexit ${code}\n--- stdout\n${stdout}--- stderr\n${stderr}`;
}

/** Answers by name: `clean`, `bad`, `suspect`, `info`, `blind`, `cut`; anything else is missing. */
export const STORY_ENGINE: Engine = {
  checks: async () => [
    {
      id: 'unexpected-cow',
      statement: 'An exclusively owned anon page was copied on a write fault.',
      origin: 'mail of 2008-06-23',
      severity: 'by variant',
      needs: ['wp.begin', 'wp.copy'],
      example: 'Fires:   trylock fails -> copy  | kswapd locks P\nSilent:  waits, then reuses     | same\n',
    },
    {
      id: 'missed-cow',
      statement: 'A page that others can still see was made writable in place.',
      origin: 'CVE-2020-29368 class',
      severity: 'critical',
      needs: [],
      example: '',
    },
  ],
  async analyze(input, _options, hooks) {
    const trace = facts({ path: inputName(input) });
    const interrupted = hooks.signal?.aborted === true;
    switch (input) {
      case 'clean':
        return analysis({ trace, interrupted });
      case 'bad':
        return analysis({ trace, divergences: [divergence()] });
      case 'suspect':
        return analysis({
          trace,
          divergences: [divergence({ verdict: 'suspect', missing: 'no probe of gup' })],
        });
      case 'info':
        return analysis({ trace, divergences: [divergence({ severity: 'info' })] });
      case 'blind':
        return analysis({
          trace,
          coverage: [{ check: 'missed-cow', judged: 0, cannotJudge: 4, missing: ['pte.set'] }],
        });
      case 'bug':
        throw new TypeError('impossible\norder');
      default:
        throw new InputError(`${input}: no such file`);
    }
  },
};
