import { describe, expect, it } from 'vitest';
import { todone } from './host.ts';

describe('rules', () => {
  it('6.4-R1 says what to keep to, and what may be taken next', async () => {
    const said = await todone('rules');
    for (const words of ['todone task ready', 'todone task claim', 'todone task heartbeat', 'todone task report', 'todone task close'])
      expect(said.out).toContain(words);
    expect(said.out).toContain('\nReady for me:\n- rotate (auth, p0): Rotate refresh tokens');
    expect((await todone('rules --quiet')).out).toMatch(/^rotate\n/);
  });

  it('6.4-R1 the reminder is one line, and an install needs to know for whom', async () => {
    expect((await todone('rules --reminder')).out.trim().split('\n')).toHaveLength(1);
    expect(await todone('rules install')).toMatchObject({ code: 2, err: expect.stringContaining('claude|codex|gemini|opencode|other') });
    expect(await todone('rules install nobody')).toMatchObject({ code: 2 });
    expect((await todone('rules install codex')).out).toContain('AGENTS.md has the rules now for codex');
  });
});
