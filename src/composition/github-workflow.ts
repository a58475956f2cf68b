/**
 * `todone init --github`: the workflow that audits the published state on GitHub's machines (6.4-R4). The file knows what it was made
 * as, so that one that a person has changed is left alone.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hashText } from '../tasks/hash.ts';
import type { InitStep } from '../surfaces/cli/app.ts';

const FILE = join('.github', 'workflows', 'todone-audit.yml');
const MARK = /^# todone:workflow ([0-9a-z]+)\n/;

const workflow = (
  remote: string,
): string => `# Made by todone init --github. It audits what a daemon with publish: true pushes to refs/todone/state, keeps one issue of it,
# and fails while there is anything to look at. A state that is older than a day is itself something to look at.
name: ToDone audit
on:
  schedule:
    - cron: '17 */6 * * *'
  workflow_dispatch:
permissions:
  contents: read
  issues: write
concurrency: todone-audit
jobs:
  audit:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 26
      - name: Audit the published state
        env:
          GH_TOKEN: \${{ github.token }}
          TODONE_PACKAGE: \${{ vars.TODONE_PACKAGE }}
        run: |
          if [ -z "$TODONE_PACKAGE" ]; then
            echo "::error::Set the repository variable TODONE_PACKAGE to what npm installs ToDone from: a git URL, or a tarball of npm pack."
            exit 2
          fi
          npx --yes --package "$TODONE_PACKAGE" todone audit --published ${remote} --issue
`;

/** Twice is once; one that was changed by hand stays. */
export function makeWorkflow(top: string): InitStep {
  const path = join(top, FILE);
  const body = workflow('origin');
  const text = `# todone:workflow ${hashText(body)}\n${body}`;
  const before = readText(path);
  const what = 'the workflow that audits what is published';
  if (before === text) return { what, path: FILE, done: 'skipped' };
  if (before !== undefined && !isOurs(before)) return { what: `${what}: it was changed by hand, and stays as it is`, path: FILE, done: 'skipped' };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, before === undefined ? { flag: 'wx' } : {});
  return { what, path: FILE, done: 'done' };
}

function isOurs(text: string): boolean {
  const lf = text.replaceAll('\r\n', '\n');
  const mark = MARK.exec(lf);
  return mark !== null && mark[1] === hashText(lf.slice(mark[0].length));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
