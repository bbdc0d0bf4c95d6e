import type { Command } from 'commander';
import { wholeNumber } from './option-values.ts';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'all of it on this machine: a message queue with producer and consumer, an agent, a collector with its page',
    )
    .option('--keep', 'keep the folder with logs, data and configuration when the demo ends')
    .option('--rate <messages>', 'messages a second that the producer publishes', '20')
    .option('--seconds <count>', 'end by itself after so many seconds', wholeNumber(1))
    .addHelpText('after', '\nExample:\n  taffrail demo --rate 50\n')
    .action(async (options: { keep?: boolean; rate: string; seconds?: number }) => {
      const { runDemo } = await import('./demo.ts');
      await runDemo({
        keep: options.keep === true,
        rate: options.rate,
        ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
      });
    });
}
