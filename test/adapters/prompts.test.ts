/**
 * Loading prompts: the packaged ones are sound, the repository's own win file by file, and what is wrong is said with file and line.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { loadPrompts, PROMPT_NAMES } from '../../src/adapters/prompts.ts';
import { tempFolder } from './process-kit.ts';

const VALUES = {
  id: 'g1234567',
  section: 'feature',
  title: 'A task',
  task: 'A task {p1}\nwith details',
  tags: 'p1',
  plan: 'files: a.ts',
  diff: '+ one',
  evidence: 'it was red',
  attempt: '2',
  attempts: '3',
  worktree: '/w',
  verify: 'npm test',
};

function repo(files: Readonly<Record<string, string>>): string {
  const top = tempFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text);
  }
  return top;
}

it('5.1-R1 ships prompts without a problem, each with the task verbatim and the way to report', () => {
  const { prompts, problems } = loadPrompts(repo({}));
  expect(problems).toEqual([]);
  for (const name of PROMPT_NAMES) {
    const text = prompts.fill(name, VALUES);
    expect(text).toContain('<task>\nA task {p1}\nwith details\n</task>');
    expect(text).toContain('TODONE_RESULT');
    expect(text).toMatch(/for this one task[^]*AGENTS\.md[^]*file_task/);
    expect(text).toMatch(/data/);
    expect(text).not.toContain('{{');
  }
});

it('5.2-R5 says what an agent puts right on the way, and what it asks about', () => {
  const { prompts } = loadPrompts(repo({}));
  const text = prompts.fill('implement', VALUES);
  for (const word of ['validation', 'authorization', 'missing dependency', 'architecture', 'needs_decision', 'needs_prerequisite'])
    expect(text).toContain(word);
  for (const name of ['plan', 'resolve', 'update', 'investigate'] as const) expect(prompts.fill(name, VALUES)).toMatch(/needs_decision|deviation/);
});

it('5.1-R2 gives implement the plan whole and the evidence, update the diff, and keeps plan and investigate read-only', () => {
  const { prompts } = loadPrompts(repo({}));
  expect(prompts.fill('implement', VALUES)).toMatch(/<plan>\nfiles: a\.ts\n<\/plan>[^]*<evidence>\nit was red\n<\/evidence>/);
  expect(prompts.fill('update', VALUES)).toContain('<diff>\n+ one\n</diff>');
  expect(PROMPT_NAMES.filter((name) => prompts.options(name).readOnly)).toEqual(['plan', 'investigate', 'breakdown']);
});

it('5.2-R5 states the rules for deviations, and asks for the required components of a plan', () => {
  const { prompts } = loadPrompts(repo({}));
  expect(prompts.fill('implement', VALUES)).toMatch(/bug in the way[^]*architecture[^]*needs_decision/);
  for (const part of ['files:', 'action:', 'verify:', 'done:']) expect(prompts.fill('plan', VALUES)).toContain(part);
});

it('5.1-R1 lets the repository override file by file', () => {
  const { prompts, problems } = loadPrompts(repo({ 'prompts/plan.md': '---\ntools: [read]\ntimeLimit: 5m\n---\nOur plan for {{ title }}.' }));
  expect(problems).toEqual([]);
  expect(prompts.fill('plan', VALUES)).toBe('Our plan for A task.');
  expect(prompts.options('plan')).toEqual({ tools: ['read'], timeLimit: '5m' });
  expect([prompts.limitMs('plan'), prompts.limitMs('implement')]).toEqual([300_000, undefined]);
  expect(prompts.fill('implement', VALUES)).toContain('You implement one task');
});

it.each([
  ['prompts/plan.md', 'Line one\n{{title}} {{titel}}\n', 2, /\{\{titel\}\} is no variable; there are: attempt, /],
  ['prompts/plan.md', '---\ntools: [a]\n---\n\n{{oops}}', 5, /oops/],
  ['prompts/plan.md', '---\nreadOnly: maybe\n---\nx', 2, /readOnly/],
  ['prompts/plan.md', '---\nunknown: 1\n---\nx', 2, /unknown/i],
  ['prompts/plan.md', '---\ntimeLimit: soon\n---\nx', 2, /a time such as/],
  ['prompts/plan.md', '---\na: 1\nb: [1\n---\nx', 3, /no YAML/],
  ['prompts/plan.md', '---\n- a\n---\nx', 2, /front matter/],
  ['prompts/plan.md', '---\ntools: []\n---\n\n', 4, /empty/],
  ['prompts/prime.md', 'Hello {{nobody}}', 1, /nobody/],
])('5.1-R1 finds what is wrong at load, with its line: %s %j', (file, text, line, message) => {
  const top = repo({ [file]: text });
  expect(loadPrompts(top).problems).toEqual([{ file: join(top, file), line, message: expect.stringMatching(message) }]);
});

it('5.1-R1 says that a prompt is not UTF-8', () => {
  const top = repo({ 'prompts/plan.md': '' });
  writeFileSync(join(top, 'prompts', 'plan.md'), Buffer.from([0xff, 0xfe, 0x41]));
  expect(loadPrompts(top).problems[0]).toMatchObject({ file: join(top, 'prompts', 'plan.md'), message: expect.stringContaining('cannot be read') });
});

it('5.1-R1 reads CRLF, a BOM and no final new line', () => {
  const { prompts, problems } = loadPrompts(repo({ 'prompts/plan.md': '\uFEFF---\r\ntools: [read]\r\n---\r\nOne {{id}}\r\ntwo' }));
  expect(problems).toEqual([]);
  expect(prompts.options('plan').tools).toEqual(['read']);
  expect(prompts.fill('plan', VALUES)).toBe('One g1234567\ntwo');
});

it('5.1-R1 opens a session with prime.md, and only the first prompt of it', () => {
  const { prompts } = loadPrompts(repo({ 'prompts/prime.md': 'Know {{section}}.\n' }));
  expect(prompts.fill('plan', VALUES).startsWith('Know feature.\n\n')).toBe(true);
  expect(prompts.fill('implement', VALUES)).not.toContain('Know feature.');
  expect(prompts.fill('implement', { ...VALUES, plan: '', evidence: '' }).startsWith('Know feature.\n\n')).toBe(true);
  expect(prompts.fill('update', VALUES)).not.toContain('Know feature.');
});

it('5.1-R1 takes command files of other tools: $ARGUMENTS and $1', () => {
  const top = repo({
    '.claude/commands/fix.md': '---\ndescription: Fix\nallowed-tools: Bash, Edit\n---\nFix $1 then $2: $ARGUMENTS. Price {{x}} $12 $HOME',
    '.claude/commands/go.md': 'Just go.',
  });
  const { prompts, problems } = loadPrompts(top, { implement: '.claude/commands/fix.md', plan: '.claude/commands/go.md' });
  expect(problems).toEqual([]);
  expect(prompts.fill('implement', VALUES)).toMatch(
    /^Fix A then task: A task \{p1\}\nwith details\. Price \{\{x\}\}  \$HOME\n\nRules\n[^]*\n\nWhen you are finished/,
  );
  expect(prompts.fill('plan', VALUES)).toMatch(/^Just go\.\n\nA task \{p1\}\nwith details\n\nRules\n[^]*\n\nWhen/);
});

it('5.3-R9 takes no prompt from outside the repository, and says which it takes instead', () => {
  const outside = repo({ 'x.md': 'outside' });
  const top = repo({ 'a.md': 'a' });
  symlinkSync(join(outside, 'x.md'), join(top, 'link.md'));
  for (const path of ['../x.md', join(outside, 'x.md'), 'link.md', 'missing.md']) {
    const { prompts, problems } = loadPrompts(top, { plan: path });
    expect(problems).toEqual([{ file: path, line: 1, message: expect.stringContaining('prompts.plan') }]);
    expect(prompts.fill('plan', VALUES)).toContain('You plan one task');
  }
  expect(loadPrompts(top, { plan: 'a.md' }).prompts.fill('plan', VALUES)).toBe('a');
});
