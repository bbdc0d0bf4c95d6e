/** An expression of a pack that cannot be used; the message is for its author. */
export class PatternError extends Error {}
