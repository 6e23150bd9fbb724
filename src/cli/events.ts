import type { EventKind } from '../events/declare.ts';
import { eventLineSchema } from '../events/json-schema.ts';
import { EVENT_KINDS } from '../events/registry.ts';
import { eventsJson, eventsText, eventText } from '../report/catalogue.ts';
import { jsonLine } from '../report/escape.ts';
import type { CommandSpec } from './command.ts';
import { declareOutputOptions, flagOption, known } from './options.ts';

/** `faultline events`: the vocabulary that every record is decoded to. */
export const eventsCommand: CommandSpec<{ readonly kinds: readonly EventKind[]; readonly one: boolean }> = {
  declare(command) {
    command.argument('[kind]', 'the kind to explain');
    command.option('--schema', 'the JSON schema of events written one a line');
    declareOutputOptions(command, 'the vocabulary as one JSON object (schema faultline.events/1)');
  },

  async *run(_context, [name]) {
    if (name === undefined) {
      yield { kinds: EVENT_KINDS, one: false };
      return;
    }
    const names = EVENT_KINDS.map((kind) => kind.name);
    known(name, names, 'kind of event', '`faultline events`');
    yield { kinds: EVENT_KINDS.filter((kind) => kind.name === name), one: true };
  },

  json: ({ kinds }) => eventsJson(kinds),
  text({ kinds, one }, style, options) {
    if (flagOption(options, 'schema')) return `${jsonLine(eventLineSchema(kinds))}\n`;
    return one ? eventText(kinds[0]!, style) : eventsText(kinds);
  },
};
