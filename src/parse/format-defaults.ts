import type { Pack, PackSeverity, PackTimestamp } from '../config/pack-schema.ts';

/** Formats that say themselves where the time stands need no `timestamp`. */
export function timestampOf(pack: Pack): PackTimestamp | undefined {
  if (pack.timestamp !== undefined) return pack.timestamp;
  if (pack.format === 'syslog')
    return {
      field: 'time',
      format: [
        'MMM d HH:mm:ss',
        'iso8601',
        'MMM d HH:mm:ss.u',
        'MMM d yyyy HH:mm:ss',
        'EEE MMM d HH:mm:ss yyyy',
        'MMM d HH:mm:ss yyyy',
        'MMM d HH:mm:ss z',
        'MMM d HH:mm:ss.u z',
        'MMM d yyyy HH:mm:ss.u',
        'MMM d yyyy HH:mm:ss z',
        'MMM d yyyy HH:mm:ss.u z',
      ],
    };
  return pack.format === 'cri' ? { field: 'time', format: 'iso8601' } : undefined;
}

export function severityOf(pack: Pack): PackSeverity | undefined {
  return pack.severity ?? (pack.format === 'syslog' ? { field: 'severity' } : undefined);
}
