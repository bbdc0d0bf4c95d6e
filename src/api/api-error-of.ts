import type { PromqlError } from '../promql/promql-error.ts';
import { ApiError } from './api-response.ts';

export const TIMED_OUT = 'query timed out in expression evaluation';

/** Who must act on a query that failed, in Prometheus's terms. */
export function apiErrorOf({ kind, message }: PromqlError): ApiError {
  switch (kind) {
    case 'timeout':
      return new ApiError('timeout', TIMED_OUT);
    case 'cancelled':
      return new ApiError('canceled', message);
    case 'parse':
      return new ApiError('bad_data', message);
    case 'evaluation':
    case 'limit':
      return new ApiError('execution', message);
  }
}
