import * as fc from 'fast-check';

/**
 * What is drawn is the same in every run, so that a change is refused only for what it did. `FUZZ_SEED=random`
 * looks further, and `FUZZ_SEED=<number>` looks elsewhere; a failure prints its own seed and path either way.
 */
const seed = process.env['FUZZ_SEED'] ?? '1';
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) });

export * as fc from 'fast-check';
