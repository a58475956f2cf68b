/**
 * A task as every interface shows it (7-R7), described by zod: the command line's `--json`, MCP, HTTP. Adding a key keeps the
 * version; anything else is a new one.
 */
import { z } from 'zod';

const ms = z.number().describe('ms since 1970');
const text = z.string();

export const stateSchema = z.enum(['open', 'blocked', 'in_progress', 'done', 'failed', 'cancelled']);
export const prioritySchema = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]);
export const whySchema = z.strictObject({ rule: text, code: text, message: text, remedy: text, until: ms.optional() });

export const taskSchema = z.strictObject({
  id: text.nullable(),
  handle: text,
  parent: text.nullable(),
  initiative: text.nullable(),
  phase: text.nullable(),
  project: text.nullable(),
  section: text,
  title: text,
  description: text,
  fields: z.record(text, text),
  tags: z.array(text),
  type: z.enum(['task', 'epic', 'subtask']),
  status: stateSchema,
  priority: prioritySchema,
  owner: text.nullable(),
  assigned_to: text.nullable(),
  assigned_at: ms.nullable(),
  created_at: ms.nullable(),
  updated_at: ms.nullable(),
  closed_at: ms.nullable(),
  closed_reason: text.nullable(),
  hash: text.nullable(),
  after: z.array(text),
  relates: z.array(text),
  line: z.int(),
  reason: whySchema.nullable(),
});

export const historyRowSchema = z.strictObject({ at: ms, id: text, field: text, old: text.nullable(), new: text.nullable(), by: text, via: text });
