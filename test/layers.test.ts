/**
 * The house as a test: which room may import what, and which words it may not say. A wrong import fails with a sentence.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');

type Room = {
  /** Files and folders under `src` that it may import, besides itself. */
  readonly rooms: readonly string[];
  /** Those of which it may import types only. */
  readonly types: readonly string[];
  readonly packages: RegExp;
  readonly node: boolean;
  /** Pure rooms have no clock, chance, timer or process; the innermost ones no waiting either. */
  readonly forbidden: readonly (readonly [RegExp, string])[];
};

const OUTSIDE: Room['forbidden'] = [
  [/\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\./, 'reads a clock: take the time as a value or from the Clock port'],
  [/\bMath\.random\b|\bcrypto\b/, 'uses chance: take it as a value'],
  [/\bset(?:Timeout|Interval|Immediate)\b/, 'sets a timer: ask for a `wake`, or use the Clock port'],
  [/\bprocess\.|\bconsole\./, 'reaches for the process: take what it needs as a value, say things through the Log port'],
  [/\bfetch\s*\(/, 'reaches for the network'],
];
const WAITING: Room['forbidden'] = [[/\basync\b|\bawait\b|\bPromise\b/, 'waits: this room answers at once']];

const ROOMS: Readonly<Record<string, Room>> = {
  tasks: {
    rooms: [],
    types: [],
    packages: /^(?:zod|unified|remark-[a-z]+|mdast(?:-util-[a-z-]+)?|micromark[a-z-]*|unist-[a-z-]+|vfile)$/,
    node: false,
    forbidden: [...OUTSIDE, ...WAITING],
  },
  runs: { rooms: ['tasks'], types: ['config.ts'], packages: /^(?:zod|croner|picomatch)$/, node: false, forbidden: [...OUTSIDE, ...WAITING] },
  engine: { rooms: ['runs', 'tasks', 'config.ts'], types: [], packages: /^$/, node: false, forbidden: OUTSIDE },
  adapters: { rooms: ['engine/ports.ts', 'runs', 'tasks', 'config.ts'], types: [], packages: /./, node: true, forbidden: [] },
  surfaces: { rooms: ['engine', 'runs', 'tasks', 'config.ts'], types: [], packages: /./, node: true, forbidden: [] },
  'config.ts': { rooms: [], types: [], packages: /^zod$/, node: false, forbidden: [...OUTSIDE, ...WAITING] },
};

/** Imports that only one door may have (7-R5, 4-R11). */
const DOORS: readonly (readonly [RegExp, RegExp, string])[] = [
  [/^(?:execa|node:child_process)$/, /^(?:adapters\/(?:process[a-z-]*|exec)\.ts|setup\.mjs)$/, 'processes are started through one door'],
  [/^simple-git$/, /^adapters\/(?:git|repo)[a-z-]*\.ts$/, 'git is called through one door'],
  [/^node:sqlite$/, /^adapters\//, 'SQLite is the adapters’ affair'],
];

const WEAK_NAMES = /(?:^|[/-])(?:utils?|helpers?|common|lib|managers?|services?|index|misc)\.(?:ts|mjs)$/;

type Import = { readonly from: string; readonly typeOnly: boolean };

/** Without comments, strings and regular expressions' content that could look like code. */
function code(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, (match) => (match.startsWith('/') ? '' : "''"));
}

function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const bare = text.replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  for (const match of bare.matchAll(/^\s*(?:import|export)(\s+type\b)?\s*(?:(?:[\w$*,\s]|\{[^}]*\})*?\bfrom\s*)?['"]([^'"\n]+)['"]/gm)) {
    found.push({ from: match[2] ?? '', typeOnly: match[1] !== undefined });
  }
  for (const match of bare.matchAll(/\bimport\(\s*['"]([^'"\n]+)['"]/g)) found.push({ from: match[1] ?? '', typeOnly: false });
  return found;
}

/** One sentence for each thing that is not as the house wants it. */
function faults(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) => [...nameFaults(file, text), ...importFaults(file, text), ...wordFaults(file, text)]);
}

function nameFaults(file: string, text: string): string[] {
  const found: string[] = [];
  if (WEAK_NAMES.test(file)) found.push(`src/${file} has a name that says nothing: name it after what it holds.`);
  if (!/^(?:[a-z0-9-]+\/)*[a-z0-9-]+\.[a-z]+$/.test(file)) found.push(`src/${file} is not in kebab-case.`);
  if (/\.(?:ts|mjs)$/.test(file) && !text.replace(/^#!.*\n/, '').startsWith('/**'))
    found.push(`src/${file} does not begin with a paragraph that says what it is for.`);
  return found;
}

function importFaults(file: string, text: string): string[] {
  const name = file.split('/')[0] ?? file;
  const room = ROOMS[name];
  return importsOf(text).flatMap(({ from, typeOnly }) => {
    const found = DOORS.filter(([what, door]) => what.test(from) && !door.test(file)).map(([, , why]) => `src/${file} imports ${from}, but ${why}.`);
    if (!room) return found;
    if (from.startsWith('node:')) return room.node ? found : [...found, `src/${file} imports ${from}: ${name} has no Node modules.`];
    if (!from.startsWith('.'))
      return room.packages.test(packageOf(from)) ? found : [...found, `src/${file} imports the package ${packageOf(from)}: ${name} may not.`];
    const target = posix.join(posix.dirname(file), from);
    const inside = (place: string): boolean => target === place || target.startsWith(`${place}/`);
    if (inside(name) || room.rooms.some(inside)) return found;
    if (room.types.some(inside)) return typeOnly ? found : [...found, `src/${file} imports values of src/${target}: ${name} may have its types only.`];
    return [...found, `src/${file} imports src/${target}: ${name} may import ${[name, ...room.rooms].join(', ')} only.`];
  });
}

const packageOf = (from: string): string =>
  from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');

function wordFaults(file: string, text: string): string[] {
  const room = ROOMS[file.split('/')[0] ?? file];
  const words = code(text);
  return (room?.forbidden ?? []).filter(([word]) => word.test(words)).map(([, why]) => `src/${file} ${why}.`);
}

function sources(): Map<string, string> {
  const files = readdirSync(SRC, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && /\.(?:ts|mjs|tsx)$/.test(entry.name));
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(SRC.length + 1).replaceAll('\\', '/'), readFileSync(path, 'utf8')];
    }),
  );
}

it('every room imports only what the house allows it, and says no word that it may not', () => {
  expect(faults(sources())).toEqual([]);
});

it.each([
  ['tasks/a.ts', `import { x } from '../runs/run.ts';`, 'src/tasks/a.ts imports src/runs/run.ts: tasks may import tasks only.'],
  ['tasks/a.ts', `import fs from 'node:fs';`, 'src/tasks/a.ts imports node:fs: tasks has no Node modules.'],
  ['surfaces/a.ts', `import { execa } from 'execa';`, 'src/surfaces/a.ts imports execa, but processes are started through one door.'],
  ['tasks/a.ts', `import {\n  a,\n  b,\n} from 'yaml';`, 'src/tasks/a.ts imports the package yaml: tasks may not.'],
  ['tasks/a.ts', `export { x } from '../engine/ports.ts';`, 'src/tasks/a.ts imports src/engine/ports.ts: tasks may import tasks only.'],
  ['tasks/a.ts', `export async function x() {}`, 'src/tasks/a.ts waits: this room answers at once.'],
  ['runs/a.ts', `import { defaultConfig } from '../config.ts';`, 'src/runs/a.ts imports values of src/config.ts: runs may have its types only.'],
  ['runs/a.ts', `const at = Date.now();`, 'src/runs/a.ts reads a clock: take the time as a value or from the Clock port.'],
  ['runs/a.ts', `const at = Math.random();`, 'src/runs/a.ts uses chance: take it as a value.'],
  ['engine/a.ts', `setTimeout(() => 1, 5);`, 'src/engine/a.ts sets a timer: ask for a `wake`, or use the Clock port.'],
  [
    'engine/a.ts',
    `const x = await import('../adapters/sqlite.ts');`,
    'src/engine/a.ts imports src/adapters/sqlite.ts: engine may import engine, runs, tasks, config.ts only.',
  ],
  ['engine/a.ts', `console.log(1);`, 'src/engine/a.ts reaches for the process: take what it needs as a value, say things through the Log port.'],
  [
    'adapters/a.ts',
    `import { engine } from '../engine/engine.ts';`,
    'src/adapters/a.ts imports src/engine/engine.ts: adapters may import adapters, engine/ports.ts, runs, tasks, config.ts only.',
  ],
  [
    'surfaces/cli/a.ts',
    `import { x } from '../../adapters/sqlite.ts';`,
    'src/surfaces/cli/a.ts imports src/adapters/sqlite.ts: surfaces may import surfaces, engine, runs, tasks, config.ts only.',
  ],
  ['surfaces/a.ts', `import 'node:child_process';`, 'src/surfaces/a.ts imports node:child_process, but processes are started through one door.'],
  ['adapters/string-utils.ts', '', 'src/adapters/string-utils.ts has a name that says nothing: name it after what it holds.'],
  ['adapters/fooBar.ts', '', 'src/adapters/fooBar.ts is not in kebab-case.'],
])('the house notices a fault in %s (%#)', (file, text, sentence) => {
  expect(faults(new Map([[file, `/** What it is for. */\n${text}`]]))).toEqual([sentence]);
});

it.each([
  [
    'tasks/a.ts',
    `import type { Root } from 'mdast';\nimport { z } from 'zod';\nimport { x } from './b.ts';\n// Date.now() is not here\nconst said = 'await setTimeout( Math.random';`,
  ],
  ['runs/a.ts', `import type { Config } from '../config.ts';\nimport type { Task } from '../tasks/task.ts';\nconst day = new Date(5).getDay();`],
  ['engine/a.ts', `import { readConfig } from '../config.ts';\nexport async function x() {}`],
  ['adapters/a.ts', `import { readFileSync } from 'node:fs';\nimport { ListRefused } from '../engine/ports.ts';\nsetTimeout(() => 1, Date.now());`],
])('the house allows what is right in %s (%#)', (file, text) => {
  expect(faults(new Map([[file, `/** What it is for. */\n${text}`]]))).toEqual([]);
});

it('the house notices a file that does not say what it is for', () => {
  expect(faults(new Map([['tasks/a.ts', 'export const a = 1;']]))).toEqual(['src/tasks/a.ts does not begin with a paragraph that says what it is for.']);
});
