/** The rules in files that are a person's: in, twice, out, and every byte as it was (6.4-R1). */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { changeRules, rulesPlaces } from '../../src/composition/rules.ts';
import type { RulesAgent } from '../../src/surfaces/cli/upkeep.ts';

const tops: string[] = [];
afterEach(() => {
  for (const top of tops.splice(0)) rmSync(top, { recursive: true, force: true });
});
function makeTop(): string {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'todone-rules-')));
  tops.push(top);
  return top;
}

const FILES: Readonly<Record<RulesAgent, string>> = {
  claude: '.claude/settings.json',
  codex: 'AGENTS.md',
  gemini: 'GEMINI.md',
  opencode: 'AGENTS.md',
  other: 'AGENTS.md',
};
const put = (top: string, agent: RulesAgent, text: string | Buffer | undefined): string => {
  const file = join(top, FILES[agent]);
  if (text !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return file;
};
const read = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

const MARKDOWN: readonly (string | undefined)[] = [
  undefined,
  '',
  '\n',
  '\n\n\n',
  '# Mine',
  '# Mine\n',
  '# Mine\n\n\n',
  '# Mine\r\nmore\r\n',
  '# Mine\r\nmore',
  '\uFEFF# Mine\n',
  '  trailing  ',
];
const own = { hooks: [{ type: 'command', command: 'echo mine' }] };
const JSONS: readonly (string | undefined)[] = [
  undefined,
  '{}',
  '{}\n',
  '{\n}\n',
  '{ }',
  '{"model":"x"}',
  JSON.stringify({ model: 'x', permissions: { allow: ['Bash'] } }, null, 2),
  `${JSON.stringify({ model: 'x' }, null, '\t')}\n`,
  '{\r\n  "model": "x"\r\n}\r\n',
  '{"hooks":{}}',
  '{"hooks":{},"x":1}',
  '{\n  "hooks": {\n  }\n}\n',
  '{"hooks":{"SessionStart":[]}}',
  '{"hooks":{"SessionStart":[],"UserPromptSubmit":[ ]}}',
  JSON.stringify({ hooks: { SessionStart: [own] } }),
  JSON.stringify({ hooks: { SessionStart: [own], PreToolUse: [own], UserPromptSubmit: [own, own] }, z: 1 }, null, 4),
  JSON.stringify({ z: '"hooks": {', hooks: { Stop: [own] } }, null, 2),
];
const CASES: readonly (readonly [RulesAgent, string | undefined])[] = [
  ...MARKDOWN.flatMap((text) => (['codex', 'gemini'] as const).map((agent) => [agent, text] as const)),
  ...JSONS.map((text) => ['claude', text] as const),
];

describe('rules', () => {
  it.each(CASES)('6.4-R1 %s: %j is there again, to the byte, after install, install, uninstall', (agent, text) => {
    const top = makeTop();
    const file = put(top, agent, text);
    expect(changeRules(top, 'install', agent)).toMatchObject({ done: 'done' });
    const once = read(file);
    expect(once).toContain('todone');
    expect(rulesPlaces(top).find((place) => place.agent === agent)).toMatchObject({ installed: true });
    expect(changeRules(top, 'install', agent)).toMatchObject({ done: 'skipped' });
    expect(read(file)).toBe(once);
    expect(changeRules(top, 'uninstall', agent)).toMatchObject({ done: 'done' });
    expect(read(file)).toBe(text);
    expect(changeRules(top, 'uninstall', agent)).toMatchObject({ done: 'skipped' });
    expect(read(file)).toBe(text);
    expect(existsSync(dirname(file))).toBe(text !== undefined || agent !== 'claude');
  });

  it.each(JSONS)('6.4-R1 claude has its two hooks beside those that are there: %j', (text) => {
    const top = makeTop();
    const file = put(top, 'claude', text);
    changeRules(top, 'install', 'claude');
    type Settings = { hooks?: Record<string, unknown[]> };
    const before = JSON.parse(text ?? '{}') as Settings;
    const after = JSON.parse(read(file) ?? '') as Settings;
    for (const event of ['SessionStart', 'UserPromptSubmit']) {
      const [ours, ...theirs] = after.hooks?.[event] ?? [];
      expect(ours).toEqual({ hooks: [{ type: 'command', command: expect.stringContaining('todone rules') }] });
      expect(theirs).toEqual(before.hooks?.[event] ?? []);
    }
    const { SessionStart: _s, UserPromptSubmit: _u, ...others } = after.hooks ?? {};
    const { SessionStart: _a, UserPromptSubmit: _b, ...othersBefore } = before.hooks ?? {};
    expect([others, { ...after, hooks: 0 }]).toEqual([othersBefore, { ...before, hooks: 0 }]);
  });

  it('6.4-R1 what a person wrote around the block stays', () => {
    for (const before of ['# Mine', '# Mine\n', undefined]) {
      const top = makeTop();
      const file = put(top, 'codex', before);
      changeRules(top, 'install', 'codex');
      writeFileSync(file, `in front\n${read(file)}behind\n`);
      changeRules(top, 'uninstall', 'codex');
      expect(read(file)).toBe(before === undefined ? 'in front\nbehind\n' : 'in front\n# Mine\nbehind\n');
    }
  });

  it('6.4-R1 settings that a formatter went over come apart again, and a hook that was added stays', () => {
    const top = makeTop();
    const file = put(top, 'claude', '{"model":"x"}');
    changeRules(top, 'install', 'claude');
    const settings = JSON.parse(read(file) ?? '') as { hooks: Record<string, unknown[]> };
    writeFileSync(file, JSON.stringify(settings, null, 2));
    changeRules(top, 'uninstall', 'claude');
    expect(JSON.parse(read(file) ?? '')).toEqual({ model: 'x' });
    settings.hooks['SessionStart']?.push(own);
    writeFileSync(file, JSON.stringify(settings, null, 2));
    changeRules(top, 'uninstall', 'claude');
    expect(JSON.parse(read(file) ?? '')).toEqual({ model: 'x', hooks: { SessionStart: [own] } });
  });

  it('6.4-R1 two agents share a block, and the last one takes it along', () => {
    const top = makeTop();
    const file = put(top, 'codex', '# Mine\n');
    changeRules(top, 'install', 'codex');
    changeRules(top, 'install', 'opencode');
    expect(read(file)?.match(/todone:rules:end/g)).toHaveLength(1);
    changeRules(top, 'uninstall', 'codex');
    expect(read(file)).toContain('for=opencode ');
    expect(changeRules(top, 'uninstall', 'codex')).toMatchObject({ done: 'skipped' });
    changeRules(top, 'uninstall', 'opencode');
    expect(read(file)).toBe('# Mine\n');
  });

  it.each<readonly [RulesAgent, string | Buffer]>([
    ['codex', '<!-- todone:rules for=codex gap=1 -->\nno end\n'],
    ['codex', 'no begin <!-- todone:rules:end -->\n'],
    ['codex', Buffer.from([0xff, 0xfe, 0x41])],
    ['claude', '{ not json'],
    ['claude', '// a comment\n{}'],
    ['claude', '[]'],
    ['claude', '{"hooks":[]}'],
    ['claude', '{"hooks":{"SessionStart":{}}}'],
  ])('6.4-R1 %s: %j is refused and left as it is', (agent, text) => {
    const top = makeTop();
    const file = put(top, agent, text);
    expect(changeRules(top, 'install', agent)).toMatchObject({ kind: 'failure', code: 3 });
    expect(readFileSync(file)).toEqual(Buffer.from(text));
  });

  it('6.4-R1 a link within the repository stays a link, and one that leads out of it is not followed', () => {
    const top = makeTop();
    writeFileSync(join(top, 'CLAUDE.md'), '# Mine\n');
    symlinkSync('CLAUDE.md', join(top, 'AGENTS.md'));
    changeRules(top, 'install', 'codex');
    expect(read(join(top, 'CLAUDE.md'))).toContain('todone:rules');
    changeRules(top, 'uninstall', 'codex');
    expect(read(join(top, 'CLAUDE.md'))).toBe('# Mine\n');
    const outside = makeTop();
    writeFileSync(join(outside, 'x.md'), 'x\n');
    symlinkSync(join(outside, 'x.md'), join(top, 'GEMINI.md'));
    expect(changeRules(top, 'install', 'gemini')).toMatchObject({ kind: 'failure', code: 3 });
    expect(read(join(outside, 'x.md'))).toBe('x\n');
  });
});
