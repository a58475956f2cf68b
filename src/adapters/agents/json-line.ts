/** Lines of JSON as clients print them: looked into with care, since another version may print anything. */

export type Json = { readonly [key: string]: unknown };

/** The object on a line, or undefined where there is none. */
export function objectOf(line: string): Json | undefined {
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    return asObject(JSON.parse(line));
  } catch {
    return undefined;
  }
}

export const asObject = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

export const asObjects = (value: unknown): readonly Json[] =>
  (Array.isArray(value) ? (value as unknown[]) : []).map(asObject).filter((each) => each !== undefined);

export const asText = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

export const asNumber = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

/** As one line for logs. */
export const asLine = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? {}));

/** What a dotted path leads to; `*` is every element: `message.content.*.text`. */
export function valuesAt(value: unknown, path: string): unknown[] {
  let found: unknown[] = [value];
  for (const key of path.split('.')) {
    found = found.flatMap((each) => {
      if (key === '*') return Array.isArray(each) ? (each as unknown[]) : Object.values(asObject(each) ?? {});
      if (Array.isArray(each)) return /^\d+$/.test(key) ? [(each as unknown[])[Number(key)]] : [];
      const object = asObject(each);
      return object && Object.hasOwn(object, key) ? [object[key]] : [];
    });
  }
  return found.filter((each) => each !== undefined && each !== null);
}
