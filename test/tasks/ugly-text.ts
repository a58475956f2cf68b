/** Generators of ugly lists for properties: lines that fight with each other, joined by any line end. */
import fc from 'fast-check';

const lead = fc.constantFrom('', '', '', ' ', '  ', '   ', '    ', '      ', '\t', ' \t', '  \t', '\u00a0', '\u3000 ');
const bullet = fc.constantFrom('', '', '', '', '- ', '* ', '+ ', '1. ', '12) ', '-\t', '- - ', '-     ', '-', '1.');
const bracket = fc.constantFrom(
  '[]', '[ ]', '[⏰]', '[⏰ after lunch]', '[⏰\ufe0f]', '[🟡 q8f0t6zd]', '[🟡, q8f0t6zd]', '[🟡]', '[✅ a1b2c3d, k3v9x2m1]', '[✅, a1b2c3d, k3v9x2m1]', '[✅ a1b2c3d]',
  '[✅]', '[✅ -, k3v9x2m1]', '[x]', '[X]', '[❌ m2c7r4ya]', '[❌]', '[-]', '\\[]', '\\[⏰]', '\\[\\]', '[\u00a0]', '[ x ]', '[?]', '[!!]', '[abcd]', '[👨‍👩‍👧]', '[✅ yesterday]', '[a][]', '[x](y)', '[x]:', '[]a', '[⏰]a',
);
const words = fc.constantFrom(
  'Add login', 'Fix `x {p0}` and {p1}', '{p0} {codex} Do', 'GET /users/{id}', 'a `b', '<!-- hidden', 'x --> y', '<!-- c --> d', '`<!--`', '{after:a,b}', '{hold:wait a bit}', 'x \\', 'x  ', '{id:rotate}', '',
  '[] again', '\u2028odd', '#label @anna', '🔺 📅 2026-01-02', '[due:: 2026-01-01]', '(A) first', 'é{p1}', '{p1},', '\\`a {p2}`',
);
const other = fc.constantFrom(
  '', '', '', '```', '```sh', '````', '~~~', '~~~~', '<!--', '-->', '<!-- one line -->', '<pre>', '</pre>', '<details>', '> quote', '> [] quoted', '>', '---', '===', '***', '- - -', '--', '# H1 {p1}', '## Git Worktree feat', '## Git Worktree: b {codex}',
  '## Other', '### Phase {approval}', '#### Sub', '#no', '####### x', 'plain text', 'files: src/**', 'verify: npm test', '- plain item', '| a | b |', '|---|---|', '[ref]: http://x', '[] A', '...', 'text <!-- more', '<?php', '<![CDATA[', '<!DOCTYPE', '  > note',
);
const line = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(lead, bullet, bracket, fc.constantFrom(' ', ' ', '\t', '\u00a0', ''), words).map((parts) => parts.join('')) },
  { weight: 4, arbitrary: fc.tuple(lead, other).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.tuple(lead, bullet, other).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.tuple(lead, words).map((parts) => parts.join('')) },
);
const lineEnd = fc.constantFrom('\n', '\n', '\n', '\n', '\r\n', '\r');

export const uglyLines = (maxLength = 16) =>
  fc
    .tuple(fc.constantFrom('', '', '## Git Worktree feat\n', '---\n'), fc.array(fc.tuple(line, lineEnd), { minLength: 1, maxLength, size: 'max' }), fc.boolean())
    .map(([first, lines, ends]) => first + lines.map(([text, end], index) => (index === lines.length - 1 && !ends ? text : text + end)).join(''));

/** A list with a section, in which most lines are harmless. */
export const tidyList = fc
  .array(fc.oneof({ weight: 5, arbitrary: line }, { weight: 2, arbitrary: fc.constantFrom('## Git Worktree one', '## Git Worktree two {p1}', '# Top', '') }), { minLength: 1, maxLength: 30, size: 'max' })
  .map((lines) => ['## Git Worktree feat', ...lines, ''].join('\n'));
