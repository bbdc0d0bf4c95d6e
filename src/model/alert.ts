import type { Labels } from './series.ts';

export type AlertState = 'pending' | 'firing' | 'inactive';

/** What a rule evaluation tells the hooks: Alertmanager's words. Identity is the label set. */
export interface AlertChange {
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAtMs: number;
  /** For a resolved alert when it ended; for a firing one, when the receiver may assume so if it hears no more. */
  readonly endsAtMs: number;
  readonly status: 'firing' | 'resolved';
  /** Link to the expression, Alertmanager's generatorURL; may be empty. */
  readonly generatorUrl: string;
  /** The value as Prometheus prints it. */
  readonly value: string;
}
