import { z } from 'zod';

/** Arrays and objects within each other; an agent's own status has 6 at most. */
const DEPTH_MAX = 32;

const word = z.string().regex(/^[\w.:@-]{1,128}$/, { error: 'must be a word of at most 128 characters' });
const whole = z.int({ error: 'must be a whole number' }).min(0, { error: 'must be a whole number' });
// Control characters belong into no name.
const name = z.string({ error: 'must be text' }).regex(/^[^\p{Cc}]{0,512}$/u, {
  error: 'must be text of at most 512 characters, without control characters',
});
const text = z.string({ error: 'must be text' }).max(100_000, { error: 'must be shorter' });
const number = z.number({ error: 'must be a number' });
/** Milliseconds since 1970, as far as a Date reaches. */
const time = number.min(-8.64e15).max(8.64e15);
const flag = z.boolean({ error: 'must be true or false' });
const texts = z.record(z.string(), text, { error: 'must be a mapping of names to text' });
const counts = z.record(z.string(), number, { error: 'must be a mapping of names to numbers' });

const fate = z.looseObject({
  delivered: number.optional(),
  buffered: number.optional(),
  before: number.optional(),
  lost: z.union([number, counts]).optional(),
});

const source = z.looseObject({
  name,
  parser: name.optional(),
  files: z.union([number, z.array(z.unknown())]).optional(),
  fileCount: number.optional(),
  unreadableCount: number.optional(),
  lagBytes: number.optional(),
  linesPerSecond: number.optional(),
  linesTotal: number.optional(),
  lastLineMs: time.optional(),
  ledger: z
    .looseObject({ read: number.optional(), unmatched: number.optional(), filtered: number.optional() })
    .optional(),
});

const sink = z.looseObject({
  name,
  type: name.optional(),
  healthy: flag.optional(),
  lastError: text.optional(),
  ledger: z.record(z.string(), fate).optional(),
});

const alert = z.looseObject({
  labels: texts,
  annotations: texts.optional(),
  state: name,
  activeAtMs: time.optional(),
  value: z.union([text, number]).optional(),
  query: text.optional(),
  ruleLabels: texts.optional(),
});

/** What is compared and shown of a heartbeat. Keys that newer agents add are kept as they are. */
const heartbeat = z.looseObject(
  {
    agent: word,
    epoch: word,
    instance: word,
    generation: whole,
    /** `deliveredRecords` counts batches up to this one. */
    throughBatch: whole.optional(),
    deliveredRecords: z.record(z.string(), whole).optional(),
    host: name.optional(),
    version: name.optional(),
    startedAtMs: time.optional(),
    nowMs: time.optional(),
    ready: flag.optional(),
    problems: z.array(text).optional(),
    sources: z.array(source).optional(),
    sinks: z.array(sink).optional(),
    ledger: z.looseObject({}).optional(),
    alerts: z.array(alert).optional(),
  },
  { error: 'must be an object' },
);

export type Heartbeat = z.infer<typeof heartbeat>;

export type CheckedHeartbeat =
  { readonly kind: 'ok'; readonly beat: Heartbeat } | { readonly kind: 'bad'; readonly message: string };

/** A heartbeat as it came, or a sentence that names the key and what it must be. */
export function checkHeartbeat(value: unknown): CheckedHeartbeat {
  if (isDeeperThan(value, DEPTH_MAX))
    return { kind: 'bad', message: `the heartbeat is nested more than ${DEPTH_MAX} deep` };
  const parsed = heartbeat.safeParse(value);
  if (parsed.success) return { kind: 'ok', beat: parsed.data };
  const { path, message } = parsed.error.issues[0]!;
  const key = path.map(String).join('.').slice(0, 200);
  const said = message.startsWith('must') ? ` ${message}` : `: ${message}`;
  return { kind: 'bad', message: key === '' ? `the heartbeat${said}` : `the heartbeat's "${key}"${said}` };
}

/** Of what an earlier version may have stored, the parts that are as they must be. */
export function soundParts(value: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isDeeperThan(value, DEPTH_MAX))
    return null;
  const parsed = heartbeat.partial().safeParse(value);
  if (parsed.success) return parsed.data;
  const bad = new Set(parsed.error.issues.map(({ path }) => String(path[0])));
  return Object.fromEntries(Object.entries(value).filter(([key]) => !bad.has(key)));
}

function isDeeperThan(value: unknown, most: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null
        ? Object.values(one as object).filter((inner) => typeof inner === 'object' && inner !== null)
        : [],
    );
  }
  return false;
}
