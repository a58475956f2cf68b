/**
 * The backlog as tools of MCP (9-R4): every request of the table that a worker may ask for, under its snake_case name, with the table's own
 * schemas and hints. Decides nothing: what a tool does is its request.
 */
import type { ToolRow } from './run-tools.ts';
import { type RequestName, REQUESTS } from './requests.ts';

/** `task.depAdd` → `task_dep_add`; what the command line calls `show` is called so here too. */
const toolName = (request: RequestName): string =>
  request === 'task.get' ? 'task_show' : request.replace('.', '_').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const NAMES = (Object.keys(REQUESTS) as RequestName[]).filter((name) => REQUESTS[name].who.some((who) => who === 'worker'));

const REQUEST_OF: ReadonlyMap<string, RequestName> = new Map(NAMES.map((name) => [toolName(name), name]));

export const requestOf = (tool: string): RequestName | undefined => REQUEST_OF.get(tool);

export const BACKLOG_TOOLS: Readonly<Record<string, ToolRow>> = Object.fromEntries([...REQUEST_OF].map(([tool, name]) => [tool, rowOf(tool, name)]));

type Row = Pick<ToolRow, 'input' | 'output' | 'readOnly' | 'destructive'> & { readonly idempotent?: boolean; readonly says: string };

function rowOf(tool: string, name: RequestName): ToolRow {
  const row: Row = REQUESTS[name];
  const words = tool.replaceAll('_', ' ');
  return {
    title: words[0]?.toUpperCase() + words.slice(1),
    description: row.says,
    input: row.input,
    output: row.output,
    readOnly: row.readOnly,
    destructive: row.destructive ?? false,
    idempotent: row.idempotent ?? row.readOnly,
  };
}
