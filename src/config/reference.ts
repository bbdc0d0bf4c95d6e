import type { OptionDescription } from './describe-options.ts';
import { describeOptions } from './describe-options.ts';
import { agentSchema } from './agent-schema.ts';
import { collectorSchema } from './collector-schema.ts';

const INTRODUCTION = `# Configuration

Made from the schema by \`npm run docs\`; a test holds it against the schema, so it cannot be out of date.

Durations are written \`200ms\`, \`15s\`, \`1h30m\`; sizes \`64KiB\`, \`1GiB\`, \`10MB\`. Unknown keys are errors. Any text may hold
\`\${env:NAME}\` (an environment variable) or \`\${file:PATH}\` (a file's content, less a trailing newline; the path counts from
the configuration file); they may be nested, as in \`\${file:\${env:CREDENTIALS_DIRECTORY}/token}\`, and what they bring in is
never printed. \`$\${\` stands for a plain \`\${\`.

\`taffrail check -c FILE\` says what is wrong with a file, by line, column and key, without starting anything.
`;

/** The text of docs/CONFIGURATION.md. */
export function configurationReference(): string {
  return [
    INTRODUCTION,
    section('The agent: taffrail.yaml', describeOptions(agentSchema)),
    section('The collector: collector.yaml', describeOptions(collectorSchema)),
  ].join('\n');
}

function section(title: string, options: readonly OptionDescription[]): string {
  const rows = options.map(
    ({ key, type, default: fallback, description }) =>
      `| \`${key}\` | ${cell(type)} | ${cell(fallback)} | ${cell(description)} |`,
  );
  return [
    `## ${title}`,
    '',
    '| key | type | default | what it does |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
