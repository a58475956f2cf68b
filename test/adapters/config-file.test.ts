import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeConfigProblem, loadConfig, watchConfig } from '../../src/adapters/config-file.ts';
import type { ConfigPlaces } from '../../src/adapters/config-file.ts';
import { defaultConfig } from '../../src/config.ts';

let top = '';
let places: ConfigPlaces = { repo: '', cwd: '', env: {} };

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'todone-config-'));
  places = { repo: join(top, 'repo'), cwd: join(top, 'repo', 'deep'), env: { HOME: join(top, 'home') } };
  mkdirSync(places.cwd, { recursive: true });
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function put(name: string, text: string | Buffer): string {
  const file = join(top, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const lines = (more: Partial<ConfigPlaces> = {}): string[] =>
  loadConfig({ ...places, ...more }).problems.map((problem) => describeConfigProblem(problem).replace(`${top}/`, ''));

describe('finding', () => {
  it('8-R1 has a default for everything', () => {
    const loaded = loadConfig(places);
    expect(loaded).toMatchObject({ config: defaultConfig, files: [], problems: [] });
    expect(new Set([...loaded.sources.values()].map((source) => source.kind))).toEqual(new Set(['default']));
  });

  it.each([
    ['todone.config.json', '{ "maxAgents": 7 }'],
    ['todone.config.yaml', 'maxAgents: 7\n'],
    ['todone.config.yml', '\u{feff}# seven\r\nmaxAgents: 7\r\n'],
  ])('8-R1 reads %s at the top of the repository', (name, text) => {
    const file = put(`repo/${name}`, text);
    const loaded = loadConfig(places);
    expect(loaded.config?.maxAgents).toBe(7);
    expect(loaded.files).toEqual([file]);
  });

  it('8-R1 takes --config before TODONE_CONFIG before the repository, relative to where it was said', () => {
    put('repo/todone.config.yaml', 'maxAgents: 1\n');
    const other = put('repo/deep/env.yaml', 'maxAgents: 2\n');
    put('elsewhere/named.json', '{"maxAgents":3}');
    const env = { ...places.env, TODONE_CONFIG: other };
    expect(loadConfig({ ...places, env }).config?.maxAgents).toBe(2);
    expect(loadConfig({ ...places, env, named: '../../elsewhere/named.json' }).config?.maxAgents).toBe(3);
    expect(loadConfig({ ...places, env: { ...places.env, TODONE_CONFIG: '' } }).config?.maxAgents).toBe(1);
  });

  it('7-R2 says which named config is missing or unreadable', () => {
    expect(lines({ named: 'nope.yaml' })).toEqual(['repo/deep/nope.yaml: there is no such file (check --config or TODONE_CONFIG)']);
    expect(lines({ named: '.' })).toEqual(['repo/deep: cannot be read (EISDIR) (make it a readable file, or remove it)']);
  });

  it('8-R1 refuses two configs side by side', () => {
    put('repo/todone.config.json', '{}');
    put('repo/todone.config.yml', '');
    expect(lines()).toEqual([expect.stringMatching(/^repo\/todone\.config\.yml: there are two configs: .*json and .*yml \(keep one/)]);
  });

  it('8-R1 puts the user’s config under the repository’s and the command line over both, and knows each source', () => {
    const user = put('home/.config/todone/config.yaml', 'maxAgents: 2\nlimits:\n  phase: 1m\n  hook: 2m\nagents:\n  mine:\n    command: [a]\n');
    const repo = put('repo/todone.config.yaml', 'limits:\n  phase: 5m\nmodels:\n  gpt-4.1: x\nworkers: [anna]\n');
    const { config, sources } = loadConfig({ ...places, overrides: { agent: 'mine', maxAgents: undefined } });
    expect(config).toMatchObject({ maxAgents: 2, agent: 'mine', limits: { phase: 300_000, hook: 120_000, verify: 900_000 }, workers: ['anna'] });
    expect(config?.agents['mine']?.command).toEqual(['a']);
    expect(sources.get('limits.phase')).toEqual({ kind: 'file', file: repo, line: 2 });
    expect(sources.get('limits.hook')).toEqual({ kind: 'file', file: user, line: 4 });
    expect(sources.get('models.gpt-4.1')).toEqual({ kind: 'file', file: repo, line: 4 });
    expect(sources.get('agents.mine.command')).toEqual({ kind: 'file', file: user, line: 7 });
    expect(sources.get('agents.mine.prompt')).toEqual({ kind: 'default' });
    expect(sources.get('agent')).toEqual({ kind: 'option' });
    expect(sources.get('maxAgents')).toMatchObject({ kind: 'file', line: 1 });
    expect(sources.get('limits.verify')).toEqual({ kind: 'default' });
  });

  it('8-R1 follows XDG_CONFIG_HOME where it is absolute', () => {
    put('xdg/todone/config.yaml', 'maxAgents: 9\n');
    expect(loadConfig({ ...places, env: { ...places.env, XDG_CONFIG_HOME: join(top, 'xdg') } }).config?.maxAgents).toBe(9);
    expect(loadConfig({ ...places, env: { ...places.env, XDG_CONFIG_HOME: relative(process.cwd(), join(top, 'xdg')) } }).config?.maxAgents).toBe(4);
  });
});

describe('judging', () => {
  it('7-R2 gives every problem its line, and a mistyped key the one that was meant', () => {
    put(
      'repo/todone.config.yaml',
      'agnet: x\nmaxAgents: many\nagents:\n  foo:\n    command: x\n  Bar:\n    command: [x]\nmodels:\n  gpt-4.1: 7\nlimits:\n  phase: soon\n  stalAfter: 1m\n',
    );
    expect(lines().map((line) => line.replace(/ \(see .*/, ''))).toEqual(
      [
        'repo/todone.config.yaml:5:5: agents.foo.command: Invalid input: expected array, received string',
        'repo/todone.config.yaml:6:3: agents.Bar: agent names are lower-case letters, digits and -',
        'repo/todone.config.yaml:9:3: models.gpt-4.1: Invalid input: expected string, received number',
        'repo/todone.config.yaml:2:1: maxAgents: Invalid input: expected number, received string',
        'repo/todone.config.yaml:11:3: limits.phase: "soon" is not a time: write 500ms, 5s, 2m, 1h or 14d',
        'repo/todone.config.yaml:12:3: limits.stalAfter: there is no such key (did you mean "stallAfter"?)',
        'repo/todone.config.yaml:1:1: agnet: there is no such key (did you mean "agent"?)',
      ].sort((a, b) => order(a) - order(b)),
    );
  });
  const SEEN = ['foo.command', 'agents.Bar', 'gpt', 'maxAgents', 'limits.phase', 'stalAfter', 'agnet'];
  const order = (line: string): number => SEEN.findIndex((part) => line.includes(part));

  it('7-R2 gives the problem to the file that has the key', () => {
    put('home/.config/todone/config.yaml', '\n\nmaxAgents: 0\n');
    put('repo/todone.config.yaml', 'workflow: nope\n');
    expect(lines()).toEqual([expect.stringMatching(/^home\/\.config\/todone\/config\.yaml:3:1: maxAgents:/)]);
    put('home/.config/todone/config.yaml', 'maxAgents: 1\n');
    expect(lines()).toEqual([expect.stringMatching(/^repo\/todone\.config\.yaml:1:1: workflow: "nope" is no workflow/)]);
  });

  it.each([
    ['todone.config.yaml', 'a: [1\nb: 2\n', /yaml:2:1: .*\]/],
    ['todone.config.yaml', 'tasks: a\ntasks: b\n', /yaml:2:1: this key stands here a second time/],
    ['todone.config.yaml', 'tasks: a\n---\ntrees: b\n', /yaml:2:1: a second YAML document/],
    ['todone.config.yaml', '- tasks\n', /yaml: is not a map/],
    ['todone.config.yaml', 'tasks: !run x\n', /yaml:1:8: Unresolved tag/],
    ['todone.config.yaml', '__proto__:\n  tasks: x\n', /yaml:1:1: __proto__: there is no such key/],
    [
      'todone.config.yaml',
      `a: &a [x,x]\n${'bcdefghij'
        .split('')
        .map((name, n) => `${name}: &${name} [${`*${'abcdefghi'[n]},`.repeat(9)}]`)
        .join('\n')}\n`,
      /without aliases/,
    ],
    ['todone.config.json', '{\n "tasks": "x",\n}', /json:3:1: is not JSON: Expected double-quoted property name/],
    ['todone.config.json', '{"tasks": "x"', /json:1:14: is not JSON/],
    ['todone.config.json', 'tasks: x\n', /json: is not JSON: Unexpected token 'a' .*todone\.config\.yaml/],
    ['todone.config.json', '{"tasks": "a",\n"tasks": "b"}', /json:2:1: this key stands here a second time/],
    ['todone.config.json', '\n{\n', /json:[23](:\d+)?: is not JSON/],
    ['todone.config.json', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), /json: is not UTF-8/],
    ['todone.config.json', ' '.repeat(1024 * 1024 + 1), /json: is larger than/],
  ])('8-R1 never throws, whatever stands in %s: %#', (name, text, expected) => {
    put(`repo/${name}`, text);
    expect(lines()).toEqual([expect.stringMatching(expected)]);
    expect(loadConfig(places).config).toBeUndefined();
  });

  it.each(['', '# nothing yet\n', '{}\n', 'null\n'])('8-R1 reads %j as: all defaults', (text) => {
    put('repo/todone.config.yaml', text);
    expect(loadConfig(places)).toMatchObject({ config: defaultConfig, problems: [] });
  });

  it('8-R2 refuses a newer version of the file', () => {
    put('repo/todone.config.yaml', 'version: 2\n');
    expect(lines()).toEqual([expect.stringMatching(/:1:1: version: .*expected 1/)]);
  });
});

describe('while running', () => {
  it('8-R1 takes a changed config, keeps the last good one over a bad one, and says so once', () => {
    put('repo/todone.config.yaml', 'maxAgents: 2\n');
    const watch = watchConfig(places, loadConfig(places).config!);
    expect(watch.reload()).toMatchObject({ changed: false, problems: [], news: false });
    put('repo/todone.config.yaml', 'maxAgents: 3\n');
    expect(watch.reload()).toMatchObject({ changed: true, news: false, config: { maxAgents: 3 } });
    expect(watch.reload()).toMatchObject({ changed: false, news: false });
    put('repo/todone.config.yaml', 'maxAgents: -3\n');
    expect(watch.reload()).toMatchObject({ changed: false, news: true, config: { maxAgents: 3 }, problems: [{ line: 1, key: 'maxAgents' }] });
    expect(watch.reload()).toMatchObject({ changed: false, news: false, problems: [{ key: 'maxAgents' }] });
    put('repo/todone.config.yaml', 'maxAgents: 3 # again\n');
    expect(watch.reload()).toMatchObject({ changed: false, news: true, problems: [] });
    expect(watch.current().maxAgents).toBe(3);
  });

  it('8-R1 believes an emptied or vanished config only at the second look', () => {
    put('repo/todone.config.yaml', 'maxAgents: 2\n');
    const watch = watchConfig(places, loadConfig(places).config!);
    put('repo/todone.config.yaml', '');
    expect(watch.reload()).toMatchObject({ changed: false, config: { maxAgents: 2 } });
    put('repo/todone.config.yaml', 'maxAgents: 5\n');
    expect(watch.reload()).toMatchObject({ changed: true, config: { maxAgents: 5 } });
    rmSync(join(top, 'repo/todone.config.yaml'));
    expect(watch.reload()).toMatchObject({ changed: false, config: { maxAgents: 5 } });
    expect(watch.reload()).toMatchObject({ changed: true, config: { maxAgents: 4 } });
  });

  it('8-R1 sees a config that appears', () => {
    const watch = watchConfig(places, loadConfig(places).config!);
    put('repo/todone.config.json', '{"interval":"1s"}');
    expect(watch.reload()).toMatchObject({ changed: true, config: { interval: 1000 } });
  });
});
