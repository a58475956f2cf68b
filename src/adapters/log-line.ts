/**
 * One event as a line for people: `12:04:07 claim    auth  "Add login form"  q8f0t6zd`. Never more than one line.
 */
import { styleText } from 'node:util';
import type { LogLevel } from '../engine/ports.ts';

export type Spoken = {
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly color: boolean;
  readonly project?: string | undefined;
};

const STEP_CHARS = 9;
const MAX_TITLE_CHARS = 60;
const MAX_VALUE_CHARS = 200;
const COLOR: Readonly<Record<LogLevel, Parameters<typeof styleText>[0]>> = { debug: 'gray', info: 'reset', warn: 'yellow', error: 'red' };

export function humanLine({ at, level, message, fields, color, project }: Spoken): string {
  const { step, section, title, id, ...rest } = fields;
  const word = typeof step === 'string' ? step : '';
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    color && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  const parts = [
    paint('blue', project ?? ''),
    typeof section === 'string' ? section : '',
    typeof title === 'string' ? `"${shortened(title, MAX_TITLE_CHARS)}"` : '',
    typeof id === 'string' ? paint('cyan', id) : '',
    message === word ? '' : paint(COLOR[level], `${level === 'warn' || level === 'error' ? `${level}: ` : ''}${message}`),
    paint('gray', pairs(rest)),
  ];
  const line = [paint('gray', timeOfDay(at)), ...(word === '' ? [] : [word.padEnd(STEP_CHARS - 1)]), parts.filter((part) => part !== '').join('  ')].join(' ');
  return `${line.replaceAll(/[\r\n]+/g, ' ↵ ').trimEnd()}\n`;
}

function timeOfDay(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

function pairs(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${shortened(worded(value), MAX_VALUE_CHARS)}`)
    .join(' ');
}

function worded(value: unknown): string {
  if (typeof value === 'string') return /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value;
  if (typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string') return JSON.stringify(value.message);
  return JSON.stringify(value) ?? '';
}

const shortened = (text: string, chars: number): string => (text.length > chars ? `${text.slice(0, chars - 1)}…` : text);
