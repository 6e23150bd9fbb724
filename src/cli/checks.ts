import { type CheckEntry, checksJson, checksText, checkText } from '../report/catalogue.ts';
import type { CommandSpec } from './command.ts';
import { declareOutputOptions, known } from './options.ts';

/** `faultline checks`: the catalogue of checks, or one check at length. */
export const checksCommand: CommandSpec<{ readonly entries: readonly CheckEntry[]; readonly one: boolean }> =
  {
    declare(command) {
      command.argument('[id]', 'the check to explain');
      declareOutputOptions(command, 'the catalogue as one JSON object (schema faultline.checks/1)');
    },

    async *run(context, [id]) {
      const checks = await context.engine.checks();
      if (id === undefined) {
        yield { entries: checks, one: false };
        return;
      }
      const ids = checks.map((check) => check.id);
      known(id, ids, 'check', '`faultline checks`');
      yield { entries: checks.filter((check) => check.id === id), one: true };
    },

    json: ({ entries }) => checksJson(entries),
    text: ({ entries, one }, style) => (one ? checkText(entries[0]!, style) : checksText(entries, style)),
  };
