/**
 * Editors without a terminal: tools that change a file where it is, two writers with the exact save patterns of VS Code and
 * JetBrains, and formatters that run on save.
 */
import { execFile } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Editing, type EditorCase, headingOf, sleep, withLines } from './editing.ts';

const run = promisify(execFile);
const MODULES = join(import.meta.dirname, '..', '..', 'node_modules', '.bin');

/** A person's tool that reads the file anew for each change. */
function tool(program: string, args: (section: string, lines: readonly string[], list: string) => readonly string[]): EditorCase['open'] {
  return async ({ top, list }): Promise<Editing> => ({
    add: async (section, lines) => void (await run(program, [...args(section, lines, list)], { cwd: top })),
    end: async () => undefined,
  });
}

const sed = tool('sed', (section, lines, list) => [
  '-i',
  `/^${headingOf(section)}\\b/a\\\n${lines.map((line) => line.replace(/^ /, '\\ ')).join('\\\n')}`,
  list,
]);
const perl = tool('perl', (section, lines, list) => ['-i', '-pe', `$_ .= qq(${lines.join('\\n')}\\n) if /^${headingOf(section)}\\b/`, list]);

type Buffered = { text: string; mtimeNs: bigint; size: number };

/** Reads the list, waited for where another writer has it away for an instant. */
async function load(list: string): Promise<Buffered> {
  for (;;) {
    try {
      const text = readFileSync(list, 'utf8');
      const { mtimeNs, size } = statSync(list, { bigint: true });
      if (text.includes('Git Worktree')) return { text, mtimeNs, size: Number(size) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await sleep(2);
  }
}

/** An editor with a buffer: `isStale` is its own test of the file, `save` its own way of writing. */
function buffered(
  isStale: (buffer: Buffered, list: string) => boolean,
  save: (list: string, text: string, random: () => number) => Promise<void>,
): EditorCase['open'] {
  return async ({ list, random }, manner): Promise<Editing> => {
    let buffer = await load(list);
    return {
      async add(section, lines) {
        for (;;) {
          const text = withLines(buffer.text, section, lines);
          await sleep(random() * 150);
          if (manner === 'reload' && isStale(buffer, list)) {
            buffer = await load(list);
            continue;
          }
          await save(list, text, random);
          const { mtimeNs, size } = statSync(list, { bigint: true, throwIfNoEntry: false }) ?? { mtimeNs: 0n, size: 0n };
          buffer = { text, mtimeNs, size: Number(size) };
          return;
        }
      },
      end: async () => undefined,
    };
  };
}

/** VS Code: dirty if the time moved and the size is another one; opened with truncation, written in place. */
const vscode = buffered(
  (buffer, list) => {
    const now = statSync(list, { bigint: true, throwIfNoEntry: false });
    return now !== undefined && now.mtimeNs > buffer.mtimeNs && Number(now.size) !== buffer.size;
  },
  async (list, text, random) => {
    const file = openSync(list, 'w');
    try {
      await sleep(random() * 20);
      writeSync(file, text);
      fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
  },
);

/** JetBrains' safe write: beside, the original away, the new one in its place, the backup gone. */
const jetbrains = buffered(
  (buffer, list) => statSync(list, { bigint: true, throwIfNoEntry: false })?.mtimeNs !== buffer.mtimeNs,
  async (list, text, random) => {
    const [temp, old] = [`${list}___jb_tmp___`, `${list}___jb_old___`];
    writeFileSync(temp, text);
    await sleep(random() * 5);
    for (;;) {
      try {
        renameSync(list, old);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        await sleep(1);
      }
    }
    await sleep(random() * 5);
    renameSync(temp, list);
    unlinkSync(old);
  },
);

/** A save in place, and then the formatter over the file, as "format on save" does it. The person's own text is kept, to go back to. */
function formatter(program: string, args: (list: string) => readonly string[]): EditorCase['open'] {
  return async ({ top, list, random }): Promise<Editing> => {
    let own = (await load(list)).text;
    return {
      async add(section, lines) {
        own = withLines(own, section, lines);
        const { text } = await load(list);
        writeFileSync(list, withLines(text, section, lines));
        await sleep(random() * 100);
        await run(program, [...args(list)], { cwd: top });
      },
      repair: async () => writeFileSync(list, own),
      end: async () => undefined,
    };
  };
}

const PROGRAMS = join(import.meta.dirname, 'programs');
const prettier = (wrap: string): EditorCase['open'] =>
  formatter(join(MODULES, 'prettier'), (list) => ['--log-level=silent', '--write', `--prose-wrap=${wrap}`, list]);
const formatting = (mode: string): EditorCase['open'] => formatter(process.execPath, (list) => [join(PROGRAMS, 'format.mjs'), mode, list]);

export const SCRIPTED_EDITORS: readonly EditorCase[] = [
  { name: 'sed -i', manners: ['reload'], needs: [{ program: 'sed', debian: 'sed' }], open: sed },
  { name: 'perl -i', manners: ['reload'], needs: [{ program: 'perl', debian: 'perl' }], open: perl },
  { name: 'VS Code pattern', manners: ['reload', 'anyway'], buffers: true, needs: [], open: vscode },
  { name: 'JetBrains pattern', manners: ['reload', 'anyway'], buffers: true, needs: [], open: jetbrains },
  { name: 'prettier preserve', manners: ['anyway'], needs: [], open: prettier('preserve') },
  { name: 'prettier always', manners: ['anyway'], needs: [], open: prettier('always') },
  { name: 'prettier never', manners: ['anyway'], needs: [], open: prettier('never') },
  { name: 'remark', manners: ['anyway'], needs: [], open: formatting('remark') },
  { name: 'remark gfm', manners: ['anyway'], needs: [], open: formatting('remark-gfm') },
  { name: 'prettier preserve, list items', manners: ['anyway'], needs: [], bullet: '- ', open: prettier('preserve') },
  { name: 'remark, list items', manners: ['anyway'], needs: [], bullet: '- ', open: formatting('remark') },
  { name: 'remark gfm, list items', manners: ['anyway'], needs: [], bullet: '- ', open: formatting('remark-gfm') },
  { name: 'markdownlint --fix', manners: ['anyway'], needs: [], open: formatting('markdownlint') },
];
