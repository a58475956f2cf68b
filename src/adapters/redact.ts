/**
 * Secrets out of what is logged, stored and shown, and a look for them in what is to land (13-R2). Says which kind and where,
 * never the value. Hashes, checksums and ids are no secrets.
 */
export type Redaction = {
  redact(text: string): string;
  /** `an AWS key in line 3`, or undefined. */
  secretsIn(text: string): string | undefined;
};

const FORMS: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/g],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b/g],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{20,64}\b/g],
  ['an AWS key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['a Slack token', /\bxox[abeoprs]-[A-Za-z0-9-]{10,250}\b/g],
  ['an API key', /\bsk-(?:ant-|proj-|live-|or-)?[A-Za-z0-9_-]{20,250}\b/g],
  ['a Stripe key', /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}\b/g],
  ['a Google key', /\bAIza[0-9A-Za-z_-]{35}\b/g],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/g],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}\b/g],
];

const SENSITIVE_NAME = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|APIKEY)(?:_|$)/i;
/** Shorter values are words. */
const VALUE_CHARS_MIN = 8;
const GONE = '[secret]';

/** `env` = the daemon's environment; `files` = texts of `.env*` files whose values are secrets. */
export function openRedaction(env: NodeJS.ProcessEnv, files: readonly string[]): Redaction {
  const values = [...new Set([...sensitiveIn(Object.entries(env)), ...files.flatMap((text) => sensitiveIn(assignments(text)))])].sort((a, b) => b.length - a.length);
  return {
    redact(text) {
      let clean = text;
      for (const value of values) if (clean.includes(value)) clean = clean.replaceAll(value, GONE);
      for (const [, form] of FORMS) clean = clean.replaceAll(form, GONE);
      return clean;
    },
    secretsIn(text) {
      for (const value of values) if (text.includes(value)) return `the value of a secret in line ${lineAt(text, text.indexOf(value))}`;
      for (const [name, form] of FORMS) {
        const at = text.search(form);
        if (at >= 0) return `${name} in line ${lineAt(text, at)}`;
      }
      return undefined;
    },
  };
}

function sensitiveIn(pairs: readonly (readonly [string, string | undefined])[]): string[] {
  return pairs.flatMap(([name, value]) => (value !== undefined && value.length >= VALUE_CHARS_MIN && SENSITIVE_NAME.test(name) && /[^A-Za-z/._-]/.test(value) ? [value] : []));
}

function assignments(text: string): [string, string][] {
  return text.split('\n').flatMap((line): [string, string][] => {
    const match = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line);
    return match ? [[match[1] ?? '', (match[2] ?? '').replace(/^(["'])(.*)\1$/, '$2')]] : [];
  });
}

const lineAt = (text: string, at: number): number => text.slice(0, at).split('\n').length;
