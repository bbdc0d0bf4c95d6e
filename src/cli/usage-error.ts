/** The command was called wrongly, or what it needs cannot be had: exit status 2, and the message alone is shown. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UsageError';
  }
}
