import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { jsonSchema } from '../src/adapters/config-file.ts';
import { configSchema, defaultConfig, durationMs, readConfig } from '../src/config.ts';

it.each([
  ['500ms', 500],
  ['5s', 5000],
  ['1.5s', 1500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['14d', 1_209_600_000],
  ['90', 90_000],
  [' 5s ', 5000],
  ['0', 0],
  [0, 0],
  [2.5, 2500],
  ['', undefined],
  ['5 s', undefined],
  ['-5s', undefined],
  ['5w', undefined],
  ['1e9', undefined],
  [-1, undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
])('8-R1 reads the time %j as %j ms', (written, ms) => {
  expect(durationMs(written)).toBe(ms);
});

it('8-R1 has a default for every key that is needed, all times in ms', () => {
  expect(readConfig({})).toEqual({ config: defaultConfig });
  expect(readConfig(undefined)).toEqual({ config: defaultConfig });
  expect(defaultConfig).toMatchObject({
    tasks: 'tasks.md',
    trees: 'trees',
    branchPrefix: 'todone/',
    maxAgents: 4,
    attempts: 3,
    claimAfter: 2000,
    interval: 5000,
    settle: 10_000,
    backoff: { first: 2000, max: 300_000 },
    limits: { stallAfter: 300_000, stopGrace: 10_000 },
    keepSnapshots: 14 * 86_400_000,
    sign: 'auto',
    granularity: 'warn',
  });
});

it.each([
  [{ maxAgents: 0 }, 'maxAgents'],
  [{ maxAgents: 1.5 }, 'maxAgents'],
  [{ limits: { phase: 'long' } }, 'limits.phase'],
  [{ limits: { phse: '1m' } }, 'limits.phse'],
  [{ agents: { Upper: { command: ['x'] } } }, 'agents.Upper'],
  [{ agents: { a: { command: [] } } }, 'agents.a.command'],
  [{ agents: { a: { command: 'rm -rf' } } }, 'agents.a.command'],
  [{ workflows: { odd: ['plan'] } }, 'workflows.odd'],
  [{ workflow: 'nope' }, 'workflow'],
  [{ tasks: '' }, 'tasks'],
  [{ version: 2 }, 'version'],
  ['text', '(top)'],
])('8-R1 says which key is wrong in %j', (written, key) => {
  const read = readConfig(written);
  expect('problems' in read && read.problems.map((problem) => problem.key)).toEqual([key]);
});

it('8-R1 collects all that is wrong at once, each unknown key by itself', () => {
  const read = readConfig({ one: 1, two: 2, maxAgents: 'x' });
  expect('problems' in read && read.problems.map((problem) => problem.key).sort()).toEqual(['maxAgents', 'one', 'two']);
});

it('8-R1 knows the workflows that come with it and those that are written', () => {
  expect(readConfig({ workflow: 'quick' })).toHaveProperty('config');
  expect(readConfig({ workflow: 'mine', workflows: { mine: ['implement'] } })).toHaveProperty('config.workflow', 'mine');
});

it('8-R1 describes every key, for editors', () => {
  const without: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { properties, additionalProperties, description } = schema as { properties?: object; additionalProperties?: unknown; description?: string };
    if (path !== '' && !description && !properties) without.push(path);
    for (const [key, inner] of Object.entries(properties ?? {})) visit(inner, `${path}.${key}`);
    visit(additionalProperties, `${path}.*`);
  };
  visit(z.toJSONSchema(configSchema, { io: 'input' }), '');
  expect(without.filter((path) => !/^\.(backoff|ports|labels)\.|\.\*$|^\.workflows/.test(path))).toEqual([]);
});

it('8-R1 has a JSON schema for editors that is as the config is (npm run schema)', () => {
  expect(readFileSync(join(import.meta.dirname, '..', 'todone.schema.json'), 'utf8')).toBe(jsonSchema());
});

it.each([
  ['pre-commit', true],
  ['.githooks/pre-commit', true],
  ['tools/hooks/commit-msg', true],
  ['commit-msg', true],
  ['post-commit', false],
  ['/etc/pre-commit', false],
  ['../pre-commit', false],
  ['a/../pre-commit', false],
  ['./pre-commit', false],
  ['a//pre-commit', false],
  ['.git/hooks/pre-commit.sample', false],
  ['', false],
])('8-R1 landHooks takes %j: %s', (named, taken) => {
  const read = readConfig({ landHooks: [named] });
  expect('config' in read).toBe(taken);
  if (!('config' in read)) expect(read.problems).toEqual([{ key: 'landHooks.0', message: 'pre-commit or commit-msg, or the path of one in the repository' }]);
});
