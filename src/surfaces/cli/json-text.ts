/** What `--json` prints, as text: loads nothing, for the answers that are given in a blink. */

export const SCHEMA_VERSION = 1;
export const INDENT = 2;

/** The document of a command: `schemaVersion` first. */
export const documentOf = (body: object): object => ({ schemaVersion: SCHEMA_VERSION, ...body });

/**
 * One document as text. What JSON leaves as it is but a terminal would obey (C1, DEL, bidi controls) is escaped too: the same
 * value for a program, nothing to obey for a terminal.
 */
export function jsonText(value: unknown, indent: number): string {
  // oxlint-disable-next-line no-control-regex -- it looks for them
  return `${JSON.stringify(value, undefined, indent).replaceAll(/[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, escaped)}\n`;
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
