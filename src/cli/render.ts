import { jsonLine } from '../report/escape.ts';
import type { AnyCommand, CommandSpec } from './command.ts';

/** The one place where answers become output: a JSON object a line, or texts with an empty line between them. */
export function rendered<Answer>(spec: CommandSpec<Answer>): AnyCommand {
  return {
    declare: (command) => spec.declare(command),
    async *render(context, operands, options, { json, style }) {
      let first = true;
      for await (const answer of spec.run(context, operands, options)) {
        if (json) yield `${jsonLine(spec.json(answer))}\n`;
        else yield (first ? '' : '\n') + spec.text(answer, style, options);
        first = false;
      }
    },
  };
}
