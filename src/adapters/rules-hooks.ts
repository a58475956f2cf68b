/**
 * The rules as hooks in the settings of Claude Code (6.4-R1): two groups put into the text of a JSON file, so that the person's layout
 * and their own hooks stay to the byte, and taken out again. Pure.
 */
import { isMap, isPair, isSeq, type Node, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Spliced } from '../runs/rules.ts';

/** Nothing happens where todone is not installed: the file may be committed and go to other machines. */
const hookOf = (args: string): string => `command -v todone >/dev/null 2>&1 && todone ${args} || true`;
const HOOKS = { SessionStart: hookOf('rules --session start'), UserPromptSubmit: hookOf('rules --reminder --session prompt') } as const;
const EVENTS = Object.keys(HOOKS) as (keyof typeof HOOKS)[];
const groupOf = (event: keyof typeof HOOKS): string => JSON.stringify({ hooks: [{ type: 'command', command: HOOKS[event] }] });

/** What the file holds where there was none: nobody's own file looks like this. */
const MADE = '{\n\n}\n';

export function withHooks(before: string | undefined): Spliced {
  let text = before ?? MADE;
  for (const event of EVENTS) {
    const root = rootOf(text);
    if ('kind' in root) return root;
    const hooks = root.node.get('hooks', true) as Node | undefined;
    if (hooks !== undefined && !isMap(hooks)) return notOurs('"hooks" is no object');
    const list = hooks?.get(event, true) as Node | undefined;
    if (list !== undefined && !isSeq(list)) return notOurs(`"hooks.${event}" is no list`);
    if (list && ourGroups(list).length > 0) continue;
    if (list) text = putFirst(text, list, groupOf(event));
    else if (hooks) text = putFirst(text, hooks, `"${event}": [${groupOf(event)}]`);
    else text = putFirst(text, root.node, `"hooks": {"${event}": [${groupOf(event)}]}`);
  }
  return { kind: 'text', text };
}

export function withoutHooks(before: string): Spliced {
  let text = before;
  for (const event of EVENTS.toReversed()) {
    for (;;) {
      const root = rootOf(text);
      if ('kind' in root) return root;
      const hooks = root.node.get('hooks', true);
      const list = isMap(hooks) ? hooks.get(event, true) : undefined;
      const [group] = isSeq(list) ? ourGroups(list) : [];
      if (!isMap(hooks) || !isSeq(list) || group === undefined) break;
      // What was made for it goes with it; what a person had there empty stays.
      if (list.items.length > 1 || wasThere(text, list)) text = takeOut(text, list, group);
      else if (hooks.items.length > 1 || wasThere(text, hooks)) text = takeOut(text, hooks, pairAt(hooks, event));
      else text = takeOut(text, root.node, pairAt(root.node, 'hooks'));
    }
  }
  return { kind: 'text', text: text === MADE && before !== text ? undefined : text };
}

export function hasHooks(text: string): boolean {
  const root = rootOf(text);
  if ('kind' in root) return false;
  const hooks = root.node.get('hooks', true);
  return EVENTS.every((event) => {
    const list = isMap(hooks) ? hooks.get(event, true) : undefined;
    return isSeq(list) && ourGroups(list).length > 0;
  });
}

const notOurs = (why: string): Extract<Spliced, { kind: 'broken' }> => ({
  kind: 'broken',
  message: `it is not as Claude Code reads it: ${why}`,
  remedy: 'put it right first; nothing was changed',
});

/** Every JSON text is YAML, whose parser says where things are. */
function rootOf(text: string): { readonly node: YAMLMap } | Extract<Spliced, { kind: 'broken' }> {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return notOurs('it is no JSON');
  }
  const document = parseDocument(text, { uniqueKeys: false, keepSourceTokens: false });
  if (document.errors.length > 0 || !isMap(document.contents)) return notOurs('it is no JSON object');
  return { node: document.contents };
}

/** Positions of groups that hold a command of ours and nothing of anybody else. */
function ourGroups(list: YAMLSeq): number[] {
  const groups = list.toJSON() as readonly unknown[];
  return groups.flatMap((group, at) => (isOurs(group) ? [at] : []));
}

function isOurs(group: unknown): boolean {
  const hooks = typeof group === 'object' && group !== null && 'hooks' in group ? group.hooks : undefined;
  if (!Array.isArray(hooks) || hooks.length !== 1) return false;
  const [hook] = hooks as readonly unknown[];
  const command = typeof hook === 'object' && hook !== null && 'command' in hook ? hook.command : undefined;
  return EVENTS.some((event) => HOOKS[event] === command);
}

const pairAt = (map: YAMLMap, key: string): number => map.items.findIndex((pair) => isPair(pair) && String((pair.key as { value?: unknown }).value) === key);

const rangeOf = (node: YAMLMap | YAMLSeq): readonly [number, number] => [node.range?.[0] ?? 0, node.range?.[1] ?? 0];

/** On a line of its own behind the bracket; nothing that is there moves but by that. */
function putFirst(text: string, into: YAMLMap | YAMLSeq, item: string): string {
  const at = rangeOf(into)[0] + 1;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  return `${text.slice(0, at)}${eol}${indentAt(text, at)}${item}${into.items.length > 0 ? ',' : ''}${text.slice(at)}`;
}

/** Two more than the line of the bracket. */
const indentAt = (text: string, at: number): string => `${/^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1))?.[0] ?? ''}  `;

/** Whether its only item was put into a container that was there: then it stands on a line of its own, as `putFirst` does it. */
function wasThere(text: string, container: YAMLMap | YAMLSeq): boolean {
  const [start, end] = rangeOf(container);
  return /^[[{]\r?\n[ \t]*\S[^\n]*[\]}]\s*[\]}]$/.test(text.slice(start, end));
}

/** The item, the comma that goes with it, and the line break in front. */
function takeOut(text: string, from: YAMLMap | YAMLSeq, at: number): string {
  const [start, end] = itemRange(from, at);
  const next = /^\s*,/.exec(text.slice(end));
  const lead = /\r?\n?[ \t]*$/.exec(text.slice(0, start))?.[0].length ?? 0;
  if (next) return text.slice(0, start - lead) + text.slice(end + next[0].length);
  // The last one takes the comma in front of it along.
  const comma = /,\s*$/.exec(text.slice(0, start))?.[0].length ?? lead;
  return text.slice(0, start - comma) + text.slice(end);
}

function itemRange(from: YAMLMap | YAMLSeq, at: number): readonly [number, number] {
  const item: unknown = from.items[at];
  const [first, last] = isPair(item) ? [item.key as Node, item.value as Node] : [item as Node, item as Node];
  return [first.range?.[0] ?? 0, last.range?.[1] ?? 0];
}
