import { configDefaults, defineConfig } from 'vitest/config';

/** Whole lives of many daemons, left to `npm run test:e2e` so that `npm test` stays short; TODONE_E2E=long takes them alone, in their short form. */
const LONG = [
  'keep',
  'land-hooks',
  'landing-kill',
  'section',
  'govern',
  'rollback',
  'shortage',
  'audit',
  'mcp',
  'canary',
  'projects',
  'archive',
  'publish',
  'close',
  'locks',
  'gone',
  'quick',
  'approval',
  'serve',
  'backlog',
  'backlog-mcp',
  'agents',
  'drain',
  'sandbox',
  'lanes',
  'bad-input',
].map((name) => `test/e2e/${name}.test.ts`);

// Real git, real processes and real files: a few seconds each on two cores.
const wholeLives = process.env['TODONE_LONG'] !== undefined || process.env['TODONE_ROLLBACKS'] !== undefined;

export default defineConfig({
  test: {
    include: process.env['TODONE_E2E'] === 'long' ? LONG : ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(wholeLives || process.env['TODONE_E2E'] === 'long' ? [] : LONG)],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
