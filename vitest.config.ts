import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 60_000,
    // One less by default, which is one on a machine with two.
    maxWorkers: '100%',
    // What one file compiled serves the next: nothing here keeps state between them.
    isolate: false,
    server: { deps: { external: [/\/dist\//] } },
    execArgv: ['--max-inlined-bytecode-size-cumulative=250'],
  },
});
