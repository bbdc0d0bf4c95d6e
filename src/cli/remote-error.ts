/** An agent or collector could not do what it was asked for: exit status 1, and the message alone is shown. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
}
