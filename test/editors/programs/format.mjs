// A formatter as it is run on save: `node format.mjs remark|remark-gfm|markdownlint <file>` reads the file, formats, writes it back in place.
import { readFileSync, writeFileSync } from 'node:fs';
import { applyFixes } from 'markdownlint';
import { lint } from 'markdownlint/sync';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkStringify from 'remark-stringify';
import { unified } from 'unified';

const FORMAT = {
  remark: (text) => String(unified().use(remarkParse).use(remarkStringify).processSync(text)),
  'remark-gfm': (text) => String(unified().use(remarkParse).use(remarkGfm).use(remarkStringify).processSync(text)),
  markdownlint: (text) => applyFixes(text, lint({ strings: { text } }).text ?? []),
};

const [mode, file] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const formatted = FORMAT[mode](text);
if (formatted !== text) writeFileSync(file, formatted);
