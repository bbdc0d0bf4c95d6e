import type { TestResult } from '../../hooks/test-notification.ts';
import { printable } from '../../model/printable.ts';
import { paint, table } from '../style.ts';
import { Remote, type RemoteOptions } from './remote.ts';

/** Prints what became of the test in each way of telling; the exit status is 1 where one failed. */
export async function runNotify(
  receiver: string,
  options: RemoteOptions & { readonly json?: boolean },
): Promise<void> {
  const { results } = (await new Remote(options).json('POST', '/api/v1/notifications/test', {
    receiver,
  })) as {
    results: readonly TestResult[];
  };
  process.stdout.write(options.json === true ? `${JSON.stringify(results, null, 2)}\n` : renderTest(results));
  process.exitCode = results.length > 0 && results.every(({ ok }) => ok) ? 0 : 1;
}

function renderTest(results: readonly TestResult[]): string {
  if (results.length === 0) return 'this receiver has no way of telling anybody\n';
  const rows = results.map(({ lane, ok, message }) => [
    lane,
    ok ? paint('green', 'sent') : paint('red', 'failed'),
    printable(message),
  ]);
  return `${table(['receiver', 'result', 'answer'], rows)}\n`;
}
