import type { Command } from 'commander';

const WIDTH = 100;

/** docs/COMMANDS.md: the help of every command, as the program prints it. */
export function commandsReference(program: Command): string {
  const sections = program.commands.filter((command) => command.name() !== 'help').map(section);
  const head =
    '# Commands\n\nWhat `taffrail <command> --help` prints; written by `npm run docs`. Exit status: 0 well, 1 found wanting, 2 wrong usage\nor configuration. Colours and progress bars appear on a terminal only, and `NO_COLOR` turns colours off.\n';
  return [head, ...sections].join('\n');
}

function section(command: Command): string {
  const help: string[] = [];
  const plain = {
    writeOut: (text: string) => void help.push(text),
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  };
  command.configureOutput(plain).outputHelp();
  const inner = command.commands.filter((one) => one.name() !== 'help').map(section);
  const title = `taffrail ${command.parent?.name() === 'taffrail' ? '' : `${command.parent?.name()} `}${command.name()}`;
  return [`## ${title}\n\n\`\`\`text\n${help.join('').trim()}\n\`\`\`\n`, ...inner].join('\n');
}
