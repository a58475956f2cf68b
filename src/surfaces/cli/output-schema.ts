/**
 * The JSON that `--json` prints and that requests take and give, as one JSON schema for other programs (7-R1): `todone.output.schema.json`,
 * written by `npm run schema`.
 */
import { z } from 'zod';
import { REQUESTS } from '../../runs/requests.ts';
import { documents } from './json.ts';
import { SCHEMA_VERSION } from './json-text.ts';

function schemaOf(type: z.ZodType, io: 'input' | 'output'): unknown {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' });
  return schema;
}

/** A line for each, so that a change can be seen. */
const lines = (each: object): string =>
  `{\n${Object.entries(each)
    .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(',\n')}\n  }`;

export function outputSchema(): string {
  const shown = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'What todone says to programs',
    schemaVersion: SCHEMA_VERSION,
    documents: Object.fromEntries(Object.entries(documents).map(([name, type]) => [name, schemaOf(type, 'output')])),
    requests: Object.fromEntries(
      Object.entries(REQUESTS).map(([name, row]) => [
        name,
        { description: row.says, who: row.who, readOnly: row.readOnly, input: schemaOf(row.input, 'input'), output: schemaOf(row.output, 'output') },
      ]),
    ),
  };
  const { documents: all, requests, ...head } = shown;
  return `${JSON.stringify(head, undefined, 2).replace(/\n\}$/, '')},\n  "documents": ${lines(all)},\n  "requests": ${lines(requests)}\n}\n`;
}
