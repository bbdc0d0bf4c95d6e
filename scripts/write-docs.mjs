// Writes the parts of docs/ that are made from the code.
import { writeFileSync } from 'node:fs';
import { commandsReference } from '../dist/cli/commands-reference.js';
import { createProgram } from '../dist/cli/create-program.js';
import { configurationReference } from '../dist/config/reference.js';

writeFileSync(new URL('../docs/CONFIGURATION.md', import.meta.url), configurationReference());
writeFileSync(new URL('../docs/COMMANDS.md', import.meta.url), commandsReference(createProgram()));
