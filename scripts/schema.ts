/**
 * Writes `todone.schema.json`, for editors, from the config's schema, and `todone.output.schema.json`, for programs, from what `--json`
 * prints. Tests keep them equal.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchema } from '../src/adapters/config-file.ts';
import { outputSchema } from '../src/surfaces/cli/output-schema.ts';

writeFileSync(join(import.meta.dirname, '..', 'todone.schema.json'), jsonSchema());
writeFileSync(join(import.meta.dirname, '..', 'todone.output.schema.json'), outputSchema());
