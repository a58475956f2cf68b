/**
 * Secrets out of what is logged, stored and shown, and a look for them in what is to land (13-R2). Says which kind and where,
 * never the value. What is shown is cleaned freely; what lands is refused only on good grounds: hashes, checksums and ids are no
 * secrets.
 */
export type Redaction = {
  redact(text: string): string;
  /** The same for text that comes line by line: a private key over many lines is taken out whole. */
  lines(): (line: string) => string;
  /** `an AWS key in line 3`, or undefined. */
  secretsIn(text: string): string | undefined;
};

const PRIVATE_KEY = 'a private key';
const FORMS: readonly (readonly [string, RegExp])[] = [
  [PRIVATE_KEY, /-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]{0,20000}(?:-----END [A-Z ]{1,60}-----)?)/g],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b/g],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{20,64}/g],
  ['an AWS key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['a Slack token', /\bxox[abeoprs]-[A-Za-z0-9-]{10,250}/g],
  ['an API key', /\bsk-(?:ant-|proj-|live-|or-|svcacct-)?(?=[A-Za-z_-]{0,40}[0-9])[A-Za-z0-9_-]{20,250}/g],
  ['a Stripe key', /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}\b/g],
  ['a Google key', /\bAIza[0-9A-Za-z_-]{35}/g],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/g],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}/g],
];
/** Only shown text is cleaned of these: in a commit they are examples more often than not. */
const SHOWN_FORMS: readonly (readonly [RegExp, string])[] = [
  [/(\bAuthorization: *(?:Bearer|Basic|token) +)[^\s"']{6,4000}/gi, '$1[secret]'],
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{0,100}:)[^\s@/]{3,200}(?=@)/gi, '$1[secret]'],
  [/(\b[A-Z0-9_]{0,60}(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|APIKEY)=)(?:"[^"\n]{4,1000}"|'[^'\n]{4,1000}'|[^\s"'`$(){}[\]]{4,1000})/g, '$1[secret]'],
  [/("(?:[a-z0-9_-]{0,40}(?:api_?key|token|secret|password|passwd))" *: *")[^"\n]{4,1000}(?=")/gi, '$1[secret]'],
];
/** Text without any of these needs no closer look. */
const HINT = /-----BEGIN|gh[pousr]_|github_pat_|glpat-|A[KS]IA|xox|sk-|[rs]k_|AIza|npm_|eyJ|authorization|:\/\/|key|token|secret|passw|credential/i;

const SENSITIVE_NAME = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|PWD|CREDENTIALS?|APIKEY|AUTH|DSN|PRIVATE)(?:_|$)/i;
/** Names with such a part hold no secret: the current folder, an agent's socket, a public key. */
const HARMLESS_NAME = /^(?:PWD|OLDPWD)$|SOCK|PUBLIC|(?:^|_)(?:FILE|PATH|DIR|ID)$/i;
/** Shorter values are words. */
const VALUE_CHARS_MIN = 8;
const GONE = '[secret]';

/** `env` = the daemon's environment; `files` = texts of `.env*` files whose values are secrets. */
export function openRedaction(env: NodeJS.ProcessEnv, files: readonly string[]): Redaction {
  const found = [...sensitiveIn(Object.entries(env)), ...files.flatMap((text) => sensitiveIn(assignments(text)))];
  const values = [...new Set(found)].sort((a, b) => b.length - a.length);
  const redact = (text: string): string => {
    let clean = text;
    for (const value of values) if (clean.includes(value)) clean = clean.replaceAll(value, GONE);
    if (!HINT.test(clean)) return clean;
    for (const [, form] of FORMS) clean = clean.replaceAll(form, GONE);
    for (const [form, instead] of SHOWN_FORMS) clean = clean.replaceAll(form, instead);
    return clean;
  };
  return {
    redact,
    lines: () => lineRedaction(redact),
    secretsIn(text) {
      for (const value of values) if (text.includes(value)) return `the value of a secret in line ${lineAt(text, text.indexOf(value))}`;
      for (const [name, form] of FORMS) {
        const at = text.search(form);
        if (at >= 0) return `${name} in line ${lineAt(text, at)}`;
      }
      const at = randomValueAt(text);
      return at === undefined ? undefined : `what looks like a secret in line ${lineAt(text, at)}`;
    },
  };
}

/** Longest private key, in lines: a beginning without an end does not swallow all that follows. */
const KEY_LINES_MAX = 200;

function lineRedaction(redact: (text: string) => string): (line: string) => string {
  let left = 0;
  return (line) => {
    if (left > 0) {
      left = /-----END [A-Z ]{1,60}-----/.test(line) ? 0 : left - 1;
      return GONE;
    }
    if (/-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY/.test(line) && !/-----END /.test(line)) left = KEY_LINES_MAX;
    return redact(line);
  };
}

/** A sensitive name that is given a value that chance made: `apiKey: "…"`. */
const ASSIGNED =
  /\b([A-Za-z][A-Za-z0-9_.-]{0,60})["']?\s{0,3}[:=]\s{0,3}["']([A-Za-z0-9+/_=.~-]{20,200})["']|^\s*(?:export\s+)?([A-Z][A-Z0-9_]{0,60})=([A-Za-z0-9+/_=.~-]{20,200})\s*$/gm;
const SECRET_WORD = /(?:api_?key|access_?key|secret(?:_?key)?|private_?key|token|password|passwd|credentials?)$/i;
const HARMLESS_WORD = /public|integrity|checksum|hash|digest|fingerprint|sha\d/i;
const PLACEHOLDER = /example|sample|placeholder|change.?me|your|dummy|fake|test|redacted|x{4,}|0{6,}|1234567/i;
const BITS_MIN = 3.7;

function randomValueAt(text: string): number | undefined {
  for (const match of text.matchAll(ASSIGNED)) {
    const name = match[1] ?? match[3] ?? '';
    const value = match[2] ?? match[4] ?? '';
    if (SECRET_WORD.test(name) && !HARMLESS_WORD.test(name) && isRandom(value)) return match.index;
  }
  return undefined;
}

/** Letters and digits without a pattern; hexadecimal is a hash, dots and slashes are a name or a path. */
function isRandom(value: string): boolean {
  if (/^[0-9a-f-]+$/i.test(value) || PLACEHOLDER.test(value) || /^sha\d{1,3}-/.test(value)) return false;
  if (!/[a-z]/.test(value) || !/[A-Z]/.test(value) || !/[0-9]/.test(value) || /[./].*[./]/.test(value)) return false;
  return bitsPerCharacter(value) >= BITS_MIN;
}

function bitsPerCharacter(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((bits, count) => bits - (count / value.length) * Math.log2(count / value.length), 0);
}

function sensitiveIn(pairs: readonly (readonly [string, string | undefined])[]): string[] {
  return pairs.flatMap(([name, value]) => (value !== undefined && isSensitive(name, value) ? [value, ...passwordIn(value)] : []));
}

/** A sensitive name, and a value that is more than a word. */
const isSensitive = (name: string, value: string): boolean =>
  value.length >= VALUE_CHARS_MIN && !HARMLESS_NAME.test(name) && (passwordIn(value).length > 0 || (SENSITIVE_NAME.test(name) && /[^A-Za-z/._-]/.test(value)));

/** `postgres://me:this@host`. */
function passwordIn(value: string): string[] {
  const match = /^[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:([^\s@/]{6,})@/i.exec(value);
  return match?.[1] === undefined ? [] : [match[1]];
}

function assignments(text: string): [string, string][] {
  return text.split('\n').flatMap((line): [string, string][] => {
    const match = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/.exec(line);
    return match ? [[match[1] ?? '', (match[2] ?? '').trim().replace(/^(["'])(.*)\1$/, '$2')]] : [];
  });
}

const lineAt = (text: string, at: number): number => text.slice(0, at).split('\n').length;
