/**
 * Names that a section may have (4-R2): an allow-list, and what `git check-ref-format` and file systems refuse,
 * worked out in code. Never asks git.
 */
import { utf8Length } from './utf8.ts';

const NAME_UNITS_MAX = 100;
/** A file system's limit for one name is 255 bytes; git adds `.lock`, a workspace `~12`. */
const PART_BYTES_MAX = 200;
/** Names that git, a file system or a shell gives a meaning of its own. */
const RESERVED = new Set([
  'head',
  'fetch_head',
  'orig_head',
  'merge_head',
  'cherry_pick_head',
  'rebase_head',
  'git',
  'refs',
  'objects',
  'con',
  'prn',
  'aux',
  'nul',
]);

export function isSafeName(name: string): boolean {
  return unsafeReason(name) === undefined;
}

/** Why `name` cannot be a branch and a folder, as the end of "… because it": or undefined where it can. */
export function unsafeReason(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.length > NAME_UNITS_MAX) return `is longer than ${NAME_UNITS_MAX} characters`;
  const strange = /[^\p{L}\p{M}\p{N}._/+-]/u.exec(name);
  if (strange) return `has ${describe(strange[0])} in it`;
  if (name.includes('..')) return 'has ".." in it';
  for (const part of name.split('/')) {
    const reason = unsafePart(part);
    if (reason) return reason;
  }
  return undefined;
}

/** What two names must not share: letters' case and Unicode forms are the same file on some disks. */
export function foldedName(name: string): string {
  return name.normalize('NFKC').toLowerCase().normalize('NFKC');
}

function unsafePart(part: string): string | undefined {
  if (part === '') return 'has an empty part beside a "/"';
  if (utf8Length(part) > PART_BYTES_MAX) return `has a part of more than ${PART_BYTES_MAX} bytes`;
  if (part.startsWith('-')) return 'has a part that begins with "-", like an option';
  if (part.startsWith('.')) return 'has a part that begins with "."';
  if (part.endsWith('.')) return 'has a part that ends with "."';
  if (part.toLowerCase().endsWith('.lock')) return 'has a part that ends with ".lock", which git keeps for itself';
  if (RESERVED.has(part.toLowerCase())) return `has the part "${part}", which has a meaning of its own`;
  if (/^\p{M}/u.test(part)) return 'has a part that begins with a combining mark';
  return undefined;
}

function describe(character: string): string {
  if (/\s/u.test(character)) return 'white space';
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return /[\p{C}\p{Z}]/u.test(character) ? `the invisible character U+${code}` : `"${character}"`;
}
