import type { HookStatus } from '../hooks/hook-status.ts';
import { shorten } from './printable.ts';
import { table } from './style.ts';

const ERROR_WIDTH = 100;

/** Who is told of alerts, and how the last notification fared. */
export function receiverTable({ receivers }: Pick<HookStatus, 'receivers'>): string {
  if (receivers.length === 0) return 'no receivers are configured: nobody is told';
  return table(
    ['receiver', 'waiting', 'last', 'error'],
    receivers.map(({ name, queueLength, recent, retrying }) => [
      name,
      queueLength,
      recent[0]?.status ?? 'nothing sent yet',
      shorten(retrying?.error ?? recent[0]?.error ?? '', ERROR_WIDTH),
    ]),
  );
}
