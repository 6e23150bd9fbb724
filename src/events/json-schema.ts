import type { ArgType, EventKind } from './declare.ts';
import { FLAG_NAMES, PTE_FLAG_NAMES, PTE_KIND_NAMES } from './json-lines.ts';

type Schema = { readonly [key: string]: unknown };

const HEX: Schema = { type: 'string', pattern: '^0x[0-9a-fA-F]{1,16}$' };
const INTEGER: Schema = { type: 'integer' };

function list(names: ReadonlyArray<readonly [name: string, bit: number]>): Schema {
  return { type: 'array', items: { enum: names.map(([name]) => name) } };
}

const TYPES: Readonly<Record<ArgType, Schema>> = {
  pfn: HEX,
  order: INTEGER,
  count: INTEGER,
  code: INTEGER,
  bool: { type: 'boolean' },
  pid: INTEGER,
  cpu: INTEGER,
  mm: HEX,
  ptr: HEX,
  va: HEX,
  pte: {
    type: 'object',
    properties: {
      kind: { enum: PTE_KIND_NAMES.map(([name]) => name) },
      pfn: HEX,
      entry: HEX,
      flags: list(PTE_FLAG_NAMES),
    },
    required: ['kind'],
    additionalProperties: false,
  },
  entry: HEX,
  pageflags: list(FLAG_NAMES.pageflags),
  gupflags: list(FLAG_NAMES.gupflags),
  faultflags: list(FLAG_NAMES.faultflags),
  long: INTEGER,
};

/** The JSON schema of a line that states one event (events/json-lines.ts), from the declarations of the kinds. */
export function eventLineSchema(kinds: readonly EventKind[]): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'faultline.event-line/1',
    description: 'One event of a trace of the memory manager. What is not known is absent or null.',
    type: 'object',
    properties: {
      seq: { type: 'integer', minimum: 1 },
      event: { enum: kinds.map(({ name }) => name) },
      ns: { ...INTEGER, description: 'nanoseconds since the origin of the trace' },
      cpu: { type: ['integer', 'null'], minimum: 0, maximum: 0x7fff },
      pid: { type: ['integer', 'null'], minimum: 0, description: 'thread id' },
      ctx: {
        type: ['object', 'null'],
        properties: {
          irqs_off: { type: 'boolean' },
          hardirq: { type: 'boolean' },
          softirq: { type: 'boolean' },
          nmi: { type: 'boolean' },
          preempt: { type: 'integer', minimum: 0, maximum: 15 },
        },
        additionalProperties: false,
      },
      args: { type: 'object' },
    },
    required: ['event', 'ns'],
    additionalProperties: false,
    oneOf: kinds.map(({ name, meaning, args }) => ({
      description: meaning,
      properties: {
        event: { const: name },
        args: {
          type: 'object',
          properties: Object.fromEntries(
            Object.entries(args).map(([arg, type]) => [arg, { anyOf: [TYPES[type], { type: 'null' }] }]),
          ),
          additionalProperties: false,
        },
      },
    })),
  };
}
