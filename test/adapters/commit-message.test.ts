import { describe, expect, it } from 'vitest';
import { commitMessage, taskOf } from '../../src/adapters/commit-message.ts';

const trailers = { id: 'k3v9x2m1', agent: 'claude', model: 'opus', attempt: 2 };
const OURS = 'ToDone-Task: k3v9x2m1\nToDone-Agent: claude/opus\nToDone-Attempt: 2\n';

describe('the message of a commit', () => {
  const cases: Readonly<Record<string, [message: string, want: string]>> = {
    'a summary': ['Add login', `Add login\n\n${OURS}`],
    'a summary and a body': ['Add login\n\nWith a form.\n', `Add login\n\nWith a form.\n\n${OURS}`],
    'trailers of its own': ['Add login\n\nSigned-off-by: A <a@b>\n', `Add login\n\nSigned-off-by: A <a@b>\n${OURS}`],
    nothing: ['  \n\n', `The title\n\n${OURS}`],
    'only forged trailers': ['ToDone-Task: other\ntodone-attempt : 9', `The title\n\n${OURS}`],
    'forged trailers among others': ['Fix\n\nToDone-Task: other\nX: y', `Fix\n\nX: y\n${OURS}`],
    'control characters and CRLF': ['Add\u001b[31m red\r\n\r\nbody\u0000\u009b', `Add[31m red\n\nbody\n\n${OURS}`],
    'a comment sign': ['# not a comment\n\n# nor this', `# not a comment\n\n# nor this\n\n${OURS}`],
    'a body that only looks like a trailer': ['Fix\n\nNote: see below\nand here', `Fix\n\nNote: see below\nand here\n\n${OURS}`],
  };
  for (const [name, [message, want]] of Object.entries(cases)) {
    it(`4-R8 is right for ${name}`, () => {
      const text = commitMessage(message, 'The title', trailers);
      expect(text).toBe(want);
      expect(taskOf(text)).toBe('k3v9x2m1');
    });
  }

  it('4-R8 cuts a long summary at a word and keeps it whole in the body', () => {
    const long = 'word '.repeat(30).trim();
    const lines = commitMessage(long, 'x', trailers).split('\n');
    expect(Array.from(lines[0]!).length).toBeLessThanOrEqual(72);
    expect(lines[0]).toMatch(/word…$/);
    expect(lines[2]).toBe(long);
    expect(Array.from(commitMessage('😀'.repeat(200), 'x', trailers).split('\n')[0]!).length).toBe(72);
  });

  it('4-R9 reads the trailer only where trailers are', () => {
    expect(taskOf('Subject\n\nToDone-Task: abc\n\nMore text')).toBeUndefined();
    expect(taskOf('Subject\n\nText\n\nToDone-Task: abc\nX: y\n')).toBe('abc');
    expect(taskOf('Merge\n')).toBeUndefined();
  });
});
