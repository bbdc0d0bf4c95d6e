// Takes messages one at a time, works on each, acknowledges it, and logs what came of it. Now and then (about every
// two minutes, for half a minute) its work slows down, so that the queue fills and there is something to see.
//
//   node consumer.mjs --port PORT --log consumer.log
import { parseArgs } from 'node:util';
import { connect, openLog } from './client.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    log: { type: 'string', default: 'consumer.log' },
    'slow-every': { type: 'string', default: '120' },
    'slow-for': { type: 'string', default: '30' },
  },
});
const log = openLog(values.log);
const startedAt = Date.now();
let wasSlow = false;

function isSlow() {
  const phase = ((Date.now() - startedAt) / 1000) % Number(values['slow-every']);
  return phase > Number(values['slow-every']) - Number(values['slow-for']);
}

function work(message, depth, send) {
  const slow = isSlow();
  if (slow !== wasSlow) log(slow ? 'warn' : 'info', slow ? 'database slow' : 'database recovered', { depth });
  wasSlow = slow;
  const began = performance.now();
  setTimeout(
    () => {
      const fields = {
        topic: message.topic,
        id: message.id,
        bytes: message.body.length,
        attempt: message.attempt,
        duration_ms: (performance.now() - began).toFixed(3),
        lag_ms: Date.now() - message.publishedAt,
        depth,
      };
      const failed = Math.random() < (slow ? 0.08 : 0.01);
      if (failed && message.attempt < 3) {
        log('warn', 'consumed', { ...fields, outcome: 'retry', error: 'database timeout' });
        send({ op: 'nack', id: message.id });
      } else {
        log(failed ? 'error' : 'info', 'consumed', { ...fields, outcome: failed ? 'error' : 'ok' });
        send({ op: 'ack', id: message.id });
      }
      send({ op: 'consume' });
    },
    (slow ? 60 : 8) * (0.5 + Math.random()),
  );
}

connect(
  Number(values.port),
  log,
  (send) => send({ op: 'consume' }),
  (reply, send) => {
    if (reply.message !== undefined) work(reply.message, reply.depth, send);
  },
);
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
// Whoever starts this as a part of something can have it end when its standard input does.
if (process.env.TAFFRAIL_STOP_WITH_STDIN === '1') process.stdin.resume().on('end', () => process.exit(0));
