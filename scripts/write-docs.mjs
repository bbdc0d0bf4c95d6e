// Writes the parts of docs/ that are made from the code.
import { writeFileSync } from 'node:fs';
import { configurationReference } from '../dist/config/reference.js';

writeFileSync(new URL('../docs/CONFIGURATION.md', import.meta.url), configurationReference());
