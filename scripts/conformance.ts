/**
 * Prints the table of rules, tests and results; exits 1 where a rule failed or has no test although it should. Runs the
 * tests itself, or reads vitest's JSON reports: `npm run conformance -- --report file --report file`. With `--totals` it prints
 * `N passed, N failed` only.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { conformance, printed, reportSchema, rulesSchema, totals } from '../test/conformance/table.ts';

const top = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { report: { type: 'string', multiple: true }, totals: { type: 'boolean', default: false } } });
const reports = (values.report?.map((file) => readFileSync(file, 'utf8')) ?? freshReports()).map((text) => reportSchema.parse(JSON.parse(text)));
const report = { ...reports[0], testResults: reports.flatMap((each) => each.testResults) };

if (values.totals) {
  const { passed, failed } = totals(report);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
} else {
  const rules = rulesSchema.parse(JSON.parse(readFileSync(join(top, 'test/conformance/rules.json'), 'utf8')));
  const found = conformance(rules, report);
  process.stdout.write(`${printed(found)}\n`);
  process.exitCode = found.ok ? 0 : 1;
}

/** Of `npm test`, and of the whole lives that it leaves out. */
function freshReports(): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'todone-conformance-'));
  try {
    return [{}, { TODONE_E2E: 'long' }].map((env, index) => {
      const file = join(folder, `${index}.json`);
      spawnSync(process.execPath, [join(top, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=json', `--outputFile=${file}`], {
        cwd: top,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      return readFileSync(file, 'utf8');
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
