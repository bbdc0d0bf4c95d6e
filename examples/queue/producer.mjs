// Publishes orders, payments and e-mails at an uneven pace and logs each one.
//
//   node producer.mjs --port PORT --log producer.log --rate 20
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { connect, openLog } from './client.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    log: { type: 'string', default: 'producer.log' },
    rate: { type: 'string', default: '20' },
  },
});
const TOPICS = ['orders', 'orders', 'orders', 'payments', 'payments', 'emails'];
const log = openLog(values.log);
const pending = [];
let send;

function publish() {
  // The pace swells and ebbs over two minutes, so that the graphs have a shape.
  const swell = 1 + 0.6 * Math.sin((Date.now() / 120_000) * 2 * Math.PI);
  setTimeout(publish, (1000 / (Number(values.rate) * swell)) * (0.5 + Math.random()));
  if (send === undefined) return;
  const topic = TOPICS[Math.floor(Math.random() * TOPICS.length)];
  const body = randomBytes(64 + Math.floor(Math.random() * 1500)).toString('base64');
  pending.push({ topic, bytes: body.length, startedAt: performance.now() });
  send({ op: 'publish', topic, body });
}

connect(
  Number(values.port),
  log,
  (sender) => {
    pending.length = 0;
    send = sender;
  },
  (reply) => {
    const { topic, bytes, startedAt } = pending.shift();
    const duration_ms = (performance.now() - startedAt).toFixed(3);
    if (reply.error === undefined) log('info', 'published', { topic, id: reply.id, bytes, duration_ms });
    else log('error', 'publish failed', { topic, bytes, duration_ms, error: reply.error });
  },
);
publish();
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
// Whoever starts this as a part of something can have it end when its standard input does.
if (process.env.TAFFRAIL_STOP_WITH_STDIN === '1') process.stdin.resume().on('end', () => process.exit(0));
