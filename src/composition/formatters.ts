/**
 * Formatters that would rewrite a list (they write `\[]`, join the lines of a section, take indentation away), told to keep off it:
 * those that a repository uses, in the file that they read for that. Twice is once; nothing that is there is changed or lost.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InitStep } from '../surfaces/cli/app.ts';

type Formatter = {
  readonly name: string;
  /** Files at the top of the repository that show its use. */
  readonly files: RegExp;
  /** Keys and packages in package.json that do. */
  readonly packages: readonly string[];
  /** Where paths are left out, one in a line; made where it is missing. */
  readonly ignoreFile: string;
};

const FORMATTERS: readonly Formatter[] = [
  { name: 'prettier', files: /^(?:\.prettierrc(?:\..*)?|prettier\.config\..*|\.prettierignore)$/, packages: ['prettier'], ignoreFile: '.prettierignore' },
  { name: 'remark', files: /^(?:\.remarkrc(?:\..*)?|\.remarkignore)$/, packages: ['remarkConfig', 'remark-cli'], ignoreFile: '.remarkignore' },
  {
    name: 'markdownlint',
    files: /^(?:\.markdownlint\.(?:jsonc?|ya?ml)|\.markdownlintrc|\.markdownlintignore)$/,
    packages: ['markdownlint-cli'],
    ignoreFile: '.markdownlintignore',
  },
];

/** One step for each formatter in use, whether it had to be told or not. */
export function keepFormattersOff(top: string, list: string): InitStep[] {
  const names = existsSync(top) ? readdirSync(top) : [];
  const named = namedInPackage(join(top, 'package.json'));
  const steps = FORMATTERS.filter(({ files, packages }) => names.some((name) => files.test(name)) || packages.some((each) => named.has(each))).map(
    ({ name, ignoreFile }): InitStep => ({ what: `${name} leaves the list alone`, path: join(top, ignoreFile), done: addLine(join(top, ignoreFile), list) }),
  );
  const config = names.find((name) => /^\.markdownlint-cli2\.(?:jsonc|yaml)$/.test(name));
  if (config !== undefined) steps.push({ what: 'markdownlint-cli2 leaves the list alone', path: join(top, config), done: addIgnore(join(top, config), list) });
  return steps;
}

function namedInPackage(file: string): ReadonlySet<string> {
  try {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    return new Set([...Object.keys(read), ...Object.keys(read['dependencies'] ?? {}), ...Object.keys(read['devDependencies'] ?? {})]);
  } catch {
    return new Set();
  }
}

function addLine(file: string, list: string): InitStep['done'] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (text.split(/\r?\n/).some((line) => line.trim() === list || line.trim() === `/${list}`)) return 'skipped';
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${list}\n`);
  return 'done';
}

/** It reads no file of paths: `ignores` of its config is the place. Put in as text, so that comments stay. */
function addIgnore(file: string, list: string): InitStep['done'] {
  const text = readFileSync(file, 'utf8');
  const quoted = JSON.stringify(list);
  if (text.includes(quoted) || text.split(/\r?\n/).some((line) => line.trim() === `- ${list}`)) return 'skipped';
  writeFileSync(file, file.endsWith('.yaml') ? inYaml(text, quoted) : inJson(text, quoted));
  return 'done';
}

function inYaml(text: string, entry: string): string {
  const block = /^ignores:[ \t]*\r?\n(?=([ \t]*)-)/m.exec(text);
  if (block) return text.replace(block[0], `${block[0]}${block[1] ?? ''}- ${entry}\n`);
  const flow = /^ignores:[ \t]*\[/m.exec(text);
  if (flow) return text.replace(flow[0], `${flow[0]}${entry}, `);
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}ignores:\n  - ${entry}\n`;
}

function inJson(text: string, entry: string): string {
  const array = /"ignores"\s*:\s*\[/.exec(text);
  if (array) return text.replace(array[0], `${array[0]}${entry}, `);
  const start = text.indexOf('{');
  return start < 0 ? `{\n  "ignores": [${entry}]\n}\n` : `${text.slice(0, start + 1)}\n  "ignores": [${entry}],${text.slice(start + 1)}`;
}
