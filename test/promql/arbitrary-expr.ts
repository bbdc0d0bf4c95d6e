import { fc } from '../fuzz.ts';

const name = fc.constantFrom('up', 'errors_total', 'a:b', 'sum', 'offset', 'by');
const text = fc.string({ unit: 'grapheme', maxLength: 8 }).map((value) => JSON.stringify(value));
const duration = fc.constantFrom('5m', '1h30m', '90', '250ms', '1d', '1w', '0x10');
const modifier = fc.constantFrom(
  '',
  ' offset 5m',
  ' offset -1d',
  ' @ 1609746000.125',
  ' @ end()',
  ' @ start() offset 1m',
);
const matcher = fc
  .tuple(fc.constantFrom('job', 'le', '"odd name"'), fc.constantFrom('=', '!='), text)
  .map((parts) => parts.join(''));
const regexMatcher = fc.constantFrom('job=~"a|b.*"', 'job!~"[0-9]+"', 'job=~"(?i:x)"');
const selector = fc
  .tuple(name, fc.array(fc.oneof(matcher, regexMatcher), { maxLength: 3 }))
  .map(([metric, matchers]) => (matchers.length === 0 ? metric : `${metric}{${matchers.join(',')}}`));
const labels = fc.constantFrom('()', '(job)', '(job, "odd name")');
const grouping = fc.tuple(fc.constantFrom('by', 'without'), labels).map((parts) => parts.join(' '));

/** Any valid expression of type instant vector. */
export const { vector: arbitraryVector } = fc.letrec<{ vector: string; scalar: string; matrix: string }>(
  (tie) => ({
    scalar: fc.oneof(
      { depthSize: 'small' },
      fc.double().map((value) => String(value).replace('Infinity', 'Inf')),
      duration,
      tie('vector').map((inner) => `scalar(${inner})`),
      fc
        .tuple(tie('scalar'), fc.constantFrom('+', '-', '^', '== bool'), tie('scalar'))
        .map((parts) => parts.join(' ')),
    ),
    matrix: fc.oneof(
      { depthSize: 'small' },
      fc.tuple(selector, duration, modifier).map(([of, range, after]) => `${of}[${range}]${after}`),
      fc
        .tuple(tie('vector'), duration, fc.constantFrom('', '1m'), modifier)
        .map(([of, range, step, after]) => `(${of})[${range}:${step}]${after}`),
    ),
    vector: fc.oneof(
      { depthSize: 'small' },
      fc.tuple(selector, modifier).map((parts) => parts.join('')),
      fc
        .tuple(fc.constantFrom('rate', 'max_over_time', 'changes'), tie('matrix'))
        .map(([of, arg]) => `${of}(${arg})`),
      fc
        .tuple(fc.constantFrom('sum', 'avg', 'group'), grouping, tie('vector'))
        .map(([of, how, arg]) => `${of} ${how} (${arg})`),
      fc.tuple(tie('scalar'), tie('vector')).map(([k, arg]) => `topk(${k}, ${arg})`),
      fc
        .tuple(tie('vector'), fc.constantFrom('+', '>', '^', 'atan2', '!= bool'), tie('scalar'))
        .map((parts) => parts.join(' ')),
      fc
        .tuple(
          tie('vector'),
          fc.constantFrom('*', '<=', '== bool'),
          fc.constantFrom('', 'on (job) group_left (x)', 'ignoring (le)'),
          tie('vector'),
        )
        .map(([left, op, matching, right]) => `(${left}) ${op} ${matching} (${right})`),
      fc
        .tuple(tie('vector'), fc.constantFrom('and', 'or', 'unless'), tie('vector'))
        .map(([left, op, right]) => `(${left}) ${op} (${right})`),
      tie('vector').map((inner) => `-${inner}`),
      tie('vector').map((inner) => `(${inner})`),
    ),
  }),
);
