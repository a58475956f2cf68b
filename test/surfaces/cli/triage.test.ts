import { describe, expect, it } from 'vitest';
import { todone } from './host.ts';

const LIST = `## Git Worktree auth
[] Filed by an agent {triage} {by:bot}
  why: it is slow
[] To be decided {decision}
[] Free

### Phase 2 {approval}
[] Later
`;

describe('triage', () => {
  it('6.2-R3 lists what waits for a person where nobody can be asked', async () => {
    const said = await todone('triage', { list: LIST });
    expect(said.out).toContain('Filed by an agent');
    expect(said.out).toContain('Later');
    expect(said.out).not.toContain('Free');
    expect(said.calls).toEqual([]);
  });

  it('6.2-R3 walks through it: accepts, answers, approves a group, and stops where it is told to', async () => {
    const answers = ['x', 'a', 'r', 'Take the second way', 'a'];
    const asked: string[] = [];
    const question = async (words: string): Promise<string | undefined> => {
      asked.push(words.trim());
      return answers.shift();
    };
    const said = await todone('triage', { list: LIST, question });
    expect(said.code).toBe(0);
    expect(said.calls.map(({ name }) => name)).toEqual(['task.approve', 'task.approve', 'task.approve']);
    expect(said.calls.map(({ input }) => input)).toEqual([
      { tasks: [expect.any(String)] },
      { tasks: [expect.any(String)], answer: 'Take the second way' },
      { group: 'Phase 2' },
    ]);
    expect(asked[0]).toBe('a accept · r reply and let it start · d drop · s skip · q quit:');
    const left = await todone('triage', { list: LIST, question: async () => 'q' });
    expect(left.calls).toEqual([]);
    expect(left.out).toContain('1 of 3 Filed by an agent');
    expect(left.out).not.toContain('To be decided');
  });
});
