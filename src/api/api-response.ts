/** An answer ready for any HTTP server. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Prometheus's error types with the status that each comes with. */
const STATUS_OF_ERROR = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  internal: 500,
  not_found: 404,
  unavailable: 503,
} as const;

export type ApiErrorType = keyof typeof STATUS_OF_ERROR;

/** Ends a request with Prometheus's error shape. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly type: ApiErrorType;

  constructor(type: ApiErrorType, message: string) {
    super(message);
    this.type = type;
  }
}

/** What a handler gives; it becomes the body of a success. */
export interface ApiResult {
  readonly data: unknown;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

export function successResponse({ data, warnings = [], infos = [] }: ApiResult): ApiResponse {
  const body = {
    status: 'success',
    data,
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(infos.length === 0 ? {} : { infos }),
  };
  return { status: 200, headers: HEADERS, body: JSON.stringify(body) };
}

export function errorResponse({ type, message }: ApiError): ApiResponse {
  return {
    status: STATUS_OF_ERROR[type],
    headers: HEADERS,
    body: JSON.stringify({ status: 'error', errorType: type, error: message }),
  };
}

export function methodNotAllowed(allowed: string): ApiResponse {
  return {
    status: 405,
    headers: { allow: allowed, 'content-type': 'text/plain' },
    body: 'Method Not Allowed\n',
  };
}
