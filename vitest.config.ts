import { configDefaults, defineConfig } from 'vitest/config';

/** Whole lives of many daemons: `npm run test:e2e` has them, so that `npm test` stays short. */
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
].map((name) => `test/e2e/${name}.test.ts`);

// Real git, real processes and real files: a few seconds each on two cores.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(process.env['TODONE_LONG'] === undefined && process.env['TODONE_ROLLBACKS'] === undefined ? LONG : [])],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
