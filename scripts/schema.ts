/** Writes `todone.schema.json`, for editors, from the config's schema. A test keeps the two equal. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchema } from '../src/adapters/config-file.ts';

writeFileSync(join(import.meta.dirname, '..', 'todone.schema.json'), jsonSchema());
