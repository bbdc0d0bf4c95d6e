import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandsReference } from '../../src/cli/commands-reference.ts';
import { createProgram } from '../../src/cli/create-program.ts';

test('docs/COMMANDS.md says what the commands say (npm run docs writes it)', () => {
  expect(readFileSync(new URL('../../docs/COMMANDS.md', import.meta.url), 'utf8')).toBe(
    commandsReference(createProgram()),
  );
});

test.each(createProgram().commands.filter((command) => command.commands.length === 0))(
  '$_name has an example',
  (command) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp();
    expect(help).toMatch(/Examples?:/);
  },
);
