import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

/** Folder of the package that a module belongs to, null for a module of this project. */
function packageFolder(id: string): string | null {
  if (!id.includes('/node_modules/')) return null;
  for (let folder = dirname(id); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    // Some packages mark folders of theirs with a package.json that names nothing.
    if (existsSync(file) && 'version' in JSON.parse(readFileSync(file, 'utf8'))) return folder;
  }
}

/** What is to be told of a package: its name, its license by name, and the text, or where the package keeps none. */
function licenseOf(folder: string): string {
  const { name, version, license, homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  const text = texts.join('\n\n') || `The package has no text of its license. ${homepage ?? ''}`.trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}

/** The licenses of the libraries that went into the bundle, in a file beside it: they ask to be kept with the code. */
const licenses: Plugin = {
  name: 'licenses',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
    const folders = new Set(modules.map(packageFolder).filter((folder) => folder !== null));
    const rule = `\n${'-'.repeat(78)}\n\n`;
    const source = [...folders].map(licenseOf).sort().join(rule);
    this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source });
  },
};

/**
 * One file where sources are loaded together: a program of three hundred small files and libraries of as many spends
 * a third of the time of a short analysis on opening them. All stand in one folder, as far below the project's as the
 * sources are, so that what is found by its place beside the code (`import.meta.url`) is found from both.
 */
export default defineConfig({
  input: {
    main: 'src/cli/main.ts',
    run: 'src/cli/run.ts',
    bench: 'src/cli/bench.ts',
    'sql-child': 'src/cli/sql-child.ts',
    ingest: 'src/replay/ingest.ts',
    'ingest-worker': 'src/replay/ingest-worker.ts',
  },
  platform: 'node',
  // Native code is found from its own folder; the license of rxjs (Apache-2.0) does not go into one work with ours.
  external: ['better-sqlite3', 'rxjs'],
  plugins: [licenses],
  output: {
    dir: 'dist/cli',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    sourcemap: true,
  },
});
