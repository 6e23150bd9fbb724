import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What a folder of src/ may import beside itself: folders, folders of which it may take types only, packages. */
interface Layer {
  readonly folders: readonly string[];
  readonly types?: readonly string[];
  readonly packages?: readonly string[];
  /** No node: builtins, no clock, no randomness. */
  readonly pure?: boolean;
}

const INNER = ['core', 'events', 'state', 'variants', 'checks'];

/** The layer table of ARCHITECTURE.md. Whatever is not allowed here is forbidden. */
const LAYERS: Readonly<Record<string, Layer>> = {
  core: { folders: [], pure: true },
  events: { folders: ['core'], pure: true },
  state: { folders: ['core', 'events'], pure: true },
  variants: { folders: ['core', 'events', 'state'], pure: true },
  checks: { folders: ['core', 'events', 'state', 'variants'], pure: true },
  litmus: { folders: INNER, pure: true },
  synth: { folders: ['core', 'events', 'tracepoints'], pure: true },
  compare: { folders: INNER, pure: true },
  readers: { folders: ['core'], packages: ['zstddec', 'xz-decompress'] },
  tracepoints: { folders: ['core', 'events'], pure: true },
  store: {
    folders: ['core', 'events', 'state'],
    types: ['checks', 'variants', 'replay'],
    packages: ['better-sqlite3'],
  },
  replay: {
    folders: [...INNER, 'litmus', 'compare', 'readers', 'tracepoints', 'store'],
    packages: ['rxjs'],
  },
  capture: { folders: ['core'], types: ['checks'], pure: true },
  report: { folders: [...INNER, 'compare'], types: ['replay'], packages: ['string-width'], pure: true },
  viewer: { folders: [], types: ['report'], pure: true },
  cli: {
    folders: [
      ...INNER,
      'litmus',
      'synth',
      'compare',
      'readers',
      'tracepoints',
      'store',
      'replay',
      'capture',
      'report',
    ],
    packages: ['commander', 'picocolors', 'cli-progress'],
  },
};

/** Files that are started and not imported. */
const ENTRIES = ['src/cli/main.ts', 'src/cli/bench.ts'];

const MAX_LINES = 450;

/** Words that must not be left behind, with what to do instead. This file is the only one that may spell them. */
const BANNED: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b(TODO|FIXME|XXX|HACK)\b/, 'do it, or write down the limit as it is'],
  [/catch\s*(\([^)]*\)\s*)?\{\s*\}/, 'handle the error or let it go on'],
  [/@ts-(ignore|nocheck|expect-error)/, 'mend the type'],
  [/\bas any\b|: any\b|<any>/, 'name the type, or unknown'],
  [/\b(test|it|describe)\.(only|skip|todo)\b/, 'run the test, or delete it'],
  [/\bdebugger\b/, 'remove it'],
];

interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function filesUnder(folder: string, ending: string): string[] {
  const top = join(ROOT, folder);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, lines: text.split('\n') };
}

const SOURCES = filesUnder('src', '.ts').map(read);
const TESTS = filesUnder('test', '.ts').map(read);

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

const IMPORT =
  /^(?:import|export)\s+(type\s)?(?:[\w*{][^'";]*?\sfrom\s+)?'([^']+)';|import\('([^']+)'\)|new URL\(\s*'([^']+)'/gm;

function imports({ text }: Source): readonly Import[] {
  return [...text.matchAll(IMPORT)].map((match) => ({
    from: (match[2] ?? match[3] ?? match[4])!,
    // `import('./x.ts').Name` stands in types only, unless it is awaited.
    typeOnly: match[1] !== undefined || (match[3] !== undefined && !/await\s+import/.test(text)),
  }));
}

/** Folder of src/ that a path lies in. */
function folderOf(path: string): string {
  return relative('src', path).split('/')[0]!;
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
}

/** Code without comments and string contents: where words like `process` mean the thing. */
function code({ text }: Source): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/`(?:[^`\\]|\\.)*`/g, '``');
}

function forbidden(source: Source): string[] {
  const folder = folderOf(source.path);
  const layer = LAYERS[folder];
  if (layer === undefined) return [`${source.path}: the folder ${folder} is not in the layer table`];
  const out: string[] = [];
  for (const { from, typeOnly } of imports(source)) {
    if (from.startsWith('.')) {
      const target = normalize(join(dirname(source.path), from));
      if (!target.startsWith('src/')) {
        if (target !== 'package.json' && !target.startsWith('migrations'))
          out.push(`${source.path}: ${from}`);
        continue;
      }
      const other = folderOf(target);
      const allowed =
        other === folder || layer.folders.includes(other) || (typeOnly && layer.types?.includes(other));
      if (!allowed) out.push(`${source.path} must not import ${other}/${typeOnly ? ', not even types' : ''}`);
    } else if (from.startsWith('node:')) {
      if (layer.pure) out.push(`${source.path} is pure and must not import ${from}`);
    } else if (!typeOnly && !layer.packages?.includes(packageOf(from))) {
      out.push(`${source.path} must not import the package ${from}`);
    }
  }
  return out;
}

describe('src', () => {
  test('imports keep to the layer table', () => {
    expect(SOURCES.flatMap(forbidden)).toEqual([]);
  });

  test('console and process stand in cli/ only', () => {
    const users = SOURCES.filter(
      (source) => folderOf(source.path) !== 'cli' && /\b(console|process)\s*[.[]/.test(code(source)),
    );
    expect(users.map((source) => source.path)).toEqual([]);
  });

  test('SQL stands in store/ only', () => {
    const sql =
      /['"`]\s*(select\s[\s\S]*?\sfrom|insert into|create table|update\s\S+\sset|delete from|pragma)\s/i;
    const users = SOURCES.filter((source) => folderOf(source.path) !== 'store' && sql.test(source.text));
    expect(users.map((source) => source.path)).toEqual([]);
  });

  test('pure folders know no clock and no chance', () => {
    const impure = /\b(Date\.now|new Date|Math\.random|performance\.now)\b/;
    const users = SOURCES.filter(
      (source) => LAYERS[folderOf(source.path)]?.pure && impure.test(code(source)),
    );
    expect(users.map((source) => source.path)).toEqual([]);
  });

  test('no file is dead', () => {
    const byPath = new Map(SOURCES.map((source) => [source.path, source]));
    const seen = new Set<string>();
    const visit = (path: string): void => {
      const source = byPath.get(path);
      if (source === undefined || seen.has(path)) return;
      seen.add(path);
      for (const { from } of imports(source)) {
        // A worker is started by the name of its compiled file.
        if (from.startsWith('.')) visit(normalize(join(dirname(path), from.replace(/\.js$/, '.ts'))));
      }
    };
    ENTRIES.forEach(visit);
    const viewer = (path: string): boolean => path.startsWith('src/viewer/');
    expect(SOURCES.map(({ path }) => path).filter((path) => !seen.has(path) && !viewer(path))).toEqual([]);
  });
});

describe('src and test', () => {
  const all = [...SOURCES, ...TESTS].filter((source) => source.path !== 'test/tidy.test.ts');

  test(`no file is longer than ${MAX_LINES} lines`, () => {
    expect(
      all
        .filter(({ lines }) => lines.length > MAX_LINES + 1)
        .map(({ path, lines }) => `${path}: ${lines.length}`),
    ).toEqual([]);
  });

  test('nothing is left behind', () => {
    const found = all.flatMap((source) =>
      BANNED.flatMap(([word, advice]) => {
        // Words are banned from comments too; a type is one in code only ("any" is English).
        const text = word.source.includes('any') ? code(source) : source.text;
        const hit = word.exec(text)?.[0];
        return hit === undefined ? [] : [`${source.path} has "${hit}": ${advice}`];
      }),
    );
    expect(found).toEqual([]);
  });
});

test('a document has one title', () => {
  for (const path of ['README.md', 'ARCHITECTURE.md']) {
    const prose = read(path).text.replace(/```[\s\S]*?```/g, '');
    expect(prose.match(/^# /gm), path).toHaveLength(1);
  }
});
