/**
 * What keeps the program from starting or going on, and what a person must mend: an address that is taken, a state
 * directory in use or of another version. Its message is written for that person and is shown alone.
 */
export class StartRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartRefused';
  }
}
