/**
 * Secrets: what is shown is cleaned freely, what lands is refused only on good grounds, and no answer ever holds a value.
 * The tokens are put together here so that no file of the repository looks like it has one.
 */
import { expect, it } from 'vitest';
import { openRedaction } from '../../src/adapters/redact.ts';

const joined = (...parts: readonly string[]): string => parts.join('');
const none = openRedaction({}, []);
const A36 = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6';
const TOKENS: readonly (readonly [string, string])[] = [
  ['a GitHub token', `ghp_${A36}`],
  ['a GitHub token', `github_pat_${A36}`],
  ['a GitLab token', `glpat-${A36.slice(0, 20)}`],
  ['an AWS key', joined('AKIA', 'ABCDEFGHIJ234567')],
  ['a Slack token', joined('xoxb-', '123456789012-abcdefABCDEF')],
  ['an API key', `sk-${A36}`],
  ['an API key', joined('sk-ant-', 'api03-', A36)],
  ['an API key', `sk-proj-${A36}`],
  ['a Stripe key', `sk_live_${A36.slice(0, 24)}`],
  ['a Google key', `AIza${A36.slice(0, 35)}`],
  ['an npm token', `npm_${A36}`],
  ['a JSON web token', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${A36}`],
  ['a private key', joined('-----BEGIN ', 'OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END ', 'OPENSSH PRIVATE KEY-----')],
];

it.each(TOKENS)('13-R2 takes %s out, and finds it in what is to land', (name, token) => {
  expect(none.redact(`before ${token} after`)).toBe('before [secret] after');
  const found = none.secretsIn(`one\ntwo\nconst x = "${token}";\n`);
  expect(found).toBe(`${name} in line 3`);
  expect(found).not.toContain(token);
});

it('13-R2 takes out what is called a secret in output', () => {
  expect(none.redact('MY_API_KEY=hello-there DEBUG=1')).toBe('MY_API_KEY=[secret] DEBUG=1');
  expect(none.redact(`DB_PASSWORD="two words" x`)).toBe('DB_PASSWORD=[secret] x');
  expect(none.redact('curl -H "Authorization: Bearer abcdef123456"')).toBe('curl -H "Authorization: Bearer [secret]"');
  expect(none.redact('postgres://me:pa55word@db/x')).toBe('postgres://me:[secret]@db/x');
  expect(none.redact('{"apiKey": "abc123xyz", "client_secret":"s3cr3tvalue", "name": "Ada"}')).toBe(
    '{"apiKey": "[secret]", "client_secret":"[secret]", "name": "Ada"}',
  );
});

it('13-R2 leaves ordinary code and talk alone', () => {
  for (const text of [
    'const token = getToken();',
    'if (key == null) return;',
    'the token expired',
    'const publicKey = await load();',
    'TOKEN=$(get)',
    'risk-assessment-of-the-thing',
    'task-list-with-many-words-in-it',
    'https://example.org/a@b',
  ]) {
    expect(none.redact(text)).toBe(text);
    expect(none.secretsIn(text)).toBeUndefined();
  }
});

it('13-R2 knows the values of sensitive variables and of .env files, longest first', () => {
  const known = openRedaction(
    {
      STRIPE_SECRET: 'value-1234',
      STRIPE_SECRET_LONG_KEY: 'value-1234-and-more',
      PWD: '/home/ada/12',
      SSH_AUTH_SOCK: '/tmp/ssh-1234/agent',
      HOME: '/home/ada',
      SHORT_KEY: 'abc1',
      WORD_TOKEN: 'production',
    },
    ['# c\nexport DB_PASSWORD="correct horse 9"\nDATABASE_URL=postgres://me:pa55w0rd@db/x\nMODE=development-1\nEMPTY_KEY=\n'],
  );
  expect(known.redact('value-1234-and-more value-1234 correct horse 9 pa55w0rd')).toBe('[secret] [secret] [secret] [secret]');
  const plain = '/home/ada/12 /tmp/ssh-1234/agent abc1 production development-1';
  expect(known.redact(plain)).toBe(plain);
  expect(known.secretsIn('a\nsee correct horse 9')).toBe('the value of a secret in line 2');
});

it('13-R2 takes a private key that comes line by line out whole, and nothing after it', () => {
  const line = none.lines();
  const said = ['before', '-----BEGIN PRIVATE KEY-----', 'MIIabc', 'def', '-----END PRIVATE KEY-----', 'after'].map(line);
  expect(said.slice(2, 5)).toEqual(['[secret]', '[secret]', '[secret]']);
  expect([said[0], said[5]]).toEqual(['before', 'after']);
  expect(said.join('\n')).not.toContain('MII');
  const cut = none.lines();
  cut('-----BEGIN PRIVATE KEY-----');
  for (let at = 0; at < 200; at++) cut('x');
  expect(cut('long after')).toBe('long after');
});

it('13-R2 finds a random value under a sensitive name in what is to land', () => {
  for (const text of [`apiKey: "${A36}"`, `  "client_secret" : "${A36}",`, `STRIPE_SECRET=${A36}`, `password = '${A36.slice(0, 24)}'`]) {
    expect(none.secretsIn(`x\n${text}\n`)).toBe('what looks like a secret in line 2');
  }
});

it.each([
  `"integrity": "sha512-${A36}${A36}=="`,
  'resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#0123456789abcdef0123456789abcdef01234567"',
  'golang.org/x/net v0.1.0 h1:aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6aB3dE6g=',
  'cacheKey: "d41d8cd98f00b204e9800998ecf8427e"',
  'token: "0123456789abcdef0123456789abcdef01234567"',
  'token: "9f86D081884c7d659A2feaa0c55ad015a3bf4F1b"',
  `const publicKey = "${A36}"`,
  'API_KEY="your-api-key-goes-Here-123"',
  'PASSWORD=changeme-Changeme-123456',
  'secretName: "projects/Acme1/secrets/TheSecret/versions/1"',
  'id: "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF"',
  'password: "test-Password-1234567890-abc"',
])('13-R2 lets hashes, checksums, ids, paths and examples land: %s', (text) => {
  expect(none.secretsIn(text)).toBeUndefined();
});

it('13-R2 answers in linear time on hostile text', () => {
  const texts = [
    'eyJ-'.repeat(50_000),
    'KEY='.repeat(50_000),
    `-----BEGIN PRIVATE KEY-----${'A'.repeat(200_000)}`.repeat(3),
    'a://'.repeat(50_000),
    '"token" '.repeat(30_000),
    'sk-'.repeat(60_000),
    `x = "${'a'.repeat(190_000)}`,
    'password '.repeat(25_000),
  ];
  for (const text of texts) {
    expect(none.redact(text)).not.toBe('');
    expect(none.secretsIn(text)?.length ?? 0).toBeLessThan(100);
  }
});
