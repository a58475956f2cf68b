/**
 * `todone rules install|uninstall`: which file an agent reads at its start, and that file changed (6.4-R1). A file is replaced whole,
 * never half; one that is no text, or leads out of the repository, is left alone.
 */
import { mkdirSync, readFileSync, realpathSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { hasBlock, type Spliced, withBlock, withoutBlock } from '../runs/rules.ts';
import { hasHooks, withHooks, withoutHooks } from '../adapters/rules-hooks.ts';
import { type CliFailure, refused } from '../surfaces/cli/failure.ts';
import type { RulesAgent, RulesDone, RulesPlace } from '../surfaces/cli/upkeep.ts';

type Way = {
  readonly file: string;
  readonly has: (text: string) => boolean;
  readonly put: (text: string | undefined) => Spliced;
  readonly take: (text: string) => Spliced;
};

const block = (agent: RulesAgent, file: string): Way => ({
  file,
  has: (text) => hasBlock(text, agent),
  put: (text) => withBlock(text, agent),
  take: (text) => withoutBlock(text, agent),
});

const WAYS: Readonly<Record<RulesAgent, Way>> = {
  claude: { file: join('.claude', 'settings.json'), has: hasHooks, put: withHooks, take: withoutHooks },
  codex: block('codex', 'AGENTS.md'),
  gemini: block('gemini', 'GEMINI.md'),
  opencode: block('opencode', 'AGENTS.md'),
  other: block('other', 'AGENTS.md'),
};

/** For every agent, where its rules go and whether they are there. */
export function rulesPlaces(top: string): RulesPlace[] {
  return (Object.keys(WAYS) as RulesAgent[]).map((agent) => {
    const way = WAYS[agent];
    const text = readText(join(top, way.file));
    return { agent, file: way.file, installed: typeof text === 'string' && way.has(text) };
  });
}

export function changeRules(top: string, what: 'install' | 'uninstall', agent: RulesAgent): RulesDone | CliFailure {
  const way = WAYS[agent];
  const named = join(top, way.file);
  const before = readText(named);
  if (typeof before === 'object') return before;
  if (before === undefined && what === 'uninstall') return { agent, file: way.file, what, done: 'skipped' };
  const after = what === 'install' ? way.put(before) : way.take(before ?? '');
  if (after.kind === 'broken') return refused(`${way.file} was left as it is: ${after.message}`, after.remedy, { where: named });
  if (after.text === before) return { agent, file: way.file, what, done: 'skipped' };
  const trouble = replace(top, named, before, after.text);
  return trouble ?? { agent, file: way.file, what, done: 'done' };
}

/** Its text, undefined where there is none; a failure where it is no text or cannot be read. */
function readText(file: string): string | undefined | CliFailure {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const why = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is no UTF-8 text' : (error as Error).message;
    return refused('the file for the rules was left as it is', 'put it right, then do it again', { where: file, why });
  }
}

function replace(top: string, named: string, before: string | undefined, text: string | undefined): CliFailure | undefined {
  const file = before === undefined ? named : realpathSync(named);
  if (before === undefined) mkdirSync(dirname(file), { recursive: true });
  const inside = relative(realpathSync(top), realpathSync(dirname(file)));
  if (inside === '..' || inside.startsWith('../') || inside === '.git' || inside.startsWith('.git/'))
    return refused(`${named} leads out of the repository`, 'make it a file of the repository, then do it again', { where: file });
  if (text === undefined) {
    rmSync(file);
    if (dirname(named) !== top) removeEmpty(dirname(named));
    return undefined;
  }
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, text, before === undefined ? {} : { mode: statSync(file).mode });
  // An editor may have saved in between.
  if (readText(named) !== before) {
    rmSync(beside);
    return refused(`${named} was changed in this moment`, 'do it again', { where: file });
  }
  renameSync(beside, file);
  return undefined;
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something else is in it.
  }
}
