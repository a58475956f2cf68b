/**
 * The text of one config file, JSON or YAML, as a value that still knows its lines. Never looks at what the keys mean.
 */
import { extname } from 'node:path';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { ConfigFileProblem } from './config-file.ts';

export type Layer = {
  readonly file: string;
  readonly value: object;
  readonly document: Document;
  readonly lines: LineCounter;
};

/** Where a key stands; `depth` = how many of its characters were found, 0 = nothing. */
type KeyPlace = { readonly line: number; readonly column: number; readonly depth: number };

const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_ALIASES = 100;
/** What the YAML package says to programmers, said to people. */
const FAULTS: Readonly<Record<string, string>> = { MULTIPLE_DOCS: 'a second YAML document begins here', DUPLICATE_KEY: 'this key stands here a second time' };

export function readLayer(file: string, bytes: Buffer): { readonly layer?: Layer; readonly problems: readonly ConfigFileProblem[] } {
  if (bytes.length > MAX_CONFIG_BYTES) return whole(file, `is larger than ${MAX_CONFIG_BYTES} bytes`, 'is this the right file?');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return whole(file, 'is not UTF-8', 'save it as UTF-8');
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = extname(file) === '.json' ? [...jsonFaults(file, text), ...faultsOf(file, document, lines)].slice(0, 1) : faultsOf(file, document, lines);
  if (faults.length > 0) return { problems: faults };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
  } catch (error) {
    return whole(file, `cannot be read (${(error as Error).message})`, 'write it without aliases');
  }
  if (typeof value !== 'object' || Array.isArray(value) || value === null) return whole(file, 'is not a map of keys to values', 'write `key: value` lines');
  return { layer: { file, value, document, lines }, problems: [] };
}

function whole(file: string, message: string, remedy: string): { readonly problems: readonly ConfigFileProblem[] } {
  return { problems: [{ file, key: '', message, remedy }] };
}

function faultsOf(file: string, document: Document, lines: LineCounter): ConfigFileProblem[] {
  return [...document.errors, ...document.warnings].map((fault) => {
    const { line, col } = lines.linePos(fault.pos[0]);
    return { file, line, column: col, key: '', message: FAULTS[fault.code] ?? fault.message, remedy: 'correct this line' };
  });
}

/** YAML reads more than JSON has; a file named .json is held to JSON. */
function jsonFaults(file: string, text: string): ConfigFileProblem[] {
  if (text.trim() === '') return [];
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const message = (error as Error).message;
    const place = /\(line (\d+) column (\d+)\)/.exec(message);
    const at = place
      ? { line: Number(place[1]), column: Number(place[2]) }
      : message.includes('end of JSON')
        ? { line: text.trimEnd().split('\n').length }
        : {};
    const said = message.replace(/ in JSON at position.*$/s, '').replace(/, (?:\.\.\.)?".*is not valid JSON$/s, '');
    return [{ file, ...at, key: '', message: `is not JSON: ${said}`, remedy: 'correct this line, or name the file todone.config.yaml' }];
  }
}

/**
 * The place of the key in the file, or of the nearest one around it. A name may have dots in it, so the longest
 * name that fits is taken at each level.
 */
export function lineOf(layer: Layer, key: string): KeyPlace {
  let node: unknown = layer.document.contents;
  let rest = key;
  let place: KeyPlace = { line: 1, column: 1, depth: 0 };
  while (rest !== '' && (isMap(node) || isSeq(node))) {
    if (isSeq(node)) {
      const [index = ''] = rest.split('.');
      const item: unknown = node.items[Number(index)];
      if (!isNode(item)) break;
      const { line, col } = layer.lines.linePos(item.range?.[0] ?? 0);
      rest = rest.slice(index.length + 1);
      place = { line, column: col, depth: key.length - rest.length };
      node = item;
      continue;
    }
    const pair = node.items
      .filter((item) => isScalar(item.key) && (rest === String(item.key.value) || rest.startsWith(`${String(item.key.value)}.`)))
      .sort((a, b) => String(b.key).length - String(a.key).length)[0];
    if (!pair || !isScalar(pair.key)) break;
    const name = String(pair.key.value);
    const { line, col } = layer.lines.linePos(pair.key.range?.[0] ?? 0);
    rest = rest.slice(name.length + 1);
    place = { line, column: col, depth: key.length - rest.length };
    node = pair.value;
  }
  return place;
}
