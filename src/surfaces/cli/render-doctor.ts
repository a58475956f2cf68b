/**
 * `doctor` and `init` as text. Pure; whether all is well is read off the checks, nothing is checked here.
 */
import type { Check, DoctorFacts, InitDone } from './app.ts';
import { type Cell, type Look, paint, table, wrap } from './layout.ts';
import { count } from './words.ts';

const SIGNS = { true: ['ok', 'good'], false: ['no', 'bad'], warn: ['!', 'warn'] } as const;

export function renderDoctor(facts: DoctorFacts, look: Look): string {
  const bad = facts.checks.filter((check) => check.ok === false).length;
  const odd = facts.checks.filter((check) => check.ok === 'warn').length;
  const verdict =
    bad > 0
      ? paint(look, 'bad', `${count(bad, 'thing')} to put right.`)
      : odd > 0
        ? paint(look, 'warn', `It works; ${count(odd, 'thing')} could be better.`)
        : paint(look, 'good', 'All is well.');
  const width = Math.max(0, ...facts.checks.map((check) => check.name.length));
  return `${[...facts.checks.flatMap((check) => checkLines(check, width, look)), '', verdict, ...configLines(facts, look)].join('\n')}\n`;
}

function checkLines(check: Check, width: number, look: Look): string[] {
  const [sign, tone] = SIGNS[`${check.ok}`];
  const indent = ' '.repeat(width + 6);
  const [first = '', ...rest] = wrap(`${check.found}${check.fixed ? ' (put right just now)' : ''}`, look, indent);
  const remedy = check.ok === true || check.remedy === undefined ? [] : wrap(`do: ${check.remedy}`, look, indent);
  return [`${paint(look, tone, sign.padEnd(2))}  ${check.name.padEnd(width)}  ${first.trimStart()}`, ...rest, ...remedy];
}

function configLines(facts: DoctorFacts, look: Look): string[] {
  if (facts.config.length === 0) return [];
  const rows = facts.config.map(({ key, value, source }): readonly Cell[] => [
    { text: key },
    { text: source, tone: 'faint' },
    { text: JSON.stringify(value) ?? '' },
  ]);
  return ['', paint(look, 'strong', 'The config in force'), ...table([{}, { shrinksTo: 8 }, { shrinksTo: 12 }], rows, look, '  ')];
}

/** Nothing that stops work: exit code 0. */
export const isHealthy = (facts: DoctorFacts): boolean => facts.checks.every((check) => check.ok !== false);

export function renderInit(done: InitDone, look: Look): string {
  const rows = done.steps.map((step): readonly Cell[] => [
    step.done === 'done' ? { text: 'done', tone: 'good' } : { text: 'as it was', tone: 'faint' },
    { text: step.what },
    { text: step.path ?? '', tone: 'faint' },
  ]);
  return `${[...table([{}, { shrinksTo: 24 }, {}], rows, look), '', ...wrap(done.next, look)].join('\n')}\n`;
}
