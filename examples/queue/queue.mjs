// A small message queue: one process, one TCP port on loopback, JSON lines. Messages are delivered at least once:
// one that is not acknowledged within its time, or whose consumer went away, is delivered again.
//
//   node queue.mjs --port 0 --data data.tsv      prints {"port": 12345} when it listens
//
// Requests: {"op":"publish","topic","body"}  {"op":"consume"}  {"op":"ack","id"}  {"op":"nack","id"}
import { appendFileSync, existsSync } from 'node:fs';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, data: { type: 'string', default: 'data.tsv' } },
});
const ACK_WITHIN_MS = 10_000;
const DEPTH_MAX = 10_000;

let nextId = 1;
const waiting = [];
const unacknowledged = new Map();
const idleConsumers = [];
const totals = { published: 0, acknowledged: 0, redelivered: 0 };

function deliver() {
  while (waiting.length > 0 && idleConsumers.length > 0) {
    const consumer = idleConsumers.shift();
    if (consumer.destroyed) continue;
    const message = waiting.shift();
    message.attempt++;
    unacknowledged.set(message.id, { message, consumer, deadline: Date.now() + ACK_WITHIN_MS });
    send(consumer, { message, depth: waiting.length });
  }
}

function redeliver(id) {
  const held = unacknowledged.get(id);
  if (held === undefined) return;
  unacknowledged.delete(id);
  totals.redelivered++;
  waiting.unshift(held.message);
}

function send(socket, reply) {
  socket.write(`${JSON.stringify(reply)}\n`);
}

function handle(socket, request) {
  switch (request.op) {
    case 'publish': {
      if (waiting.length >= DEPTH_MAX) return send(socket, { error: 'queue full' });
      const id = nextId++;
      waiting.push({ id, topic: request.topic, body: request.body, publishedAt: Date.now(), attempt: 0 });
      totals.published++;
      send(socket, { id });
      return deliver();
    }
    case 'consume':
      idleConsumers.push(socket);
      return deliver();
    case 'ack':
      if (unacknowledged.delete(request.id)) totals.acknowledged++;
      return;
    case 'nack':
      redeliver(request.id);
      return deliver();
    default:
      return send(socket, { error: `unknown op ${String(request.op)}` });
  }
}

const server = net.createServer((socket) => {
  createInterface({ input: socket }).on('line', (line) => {
    try {
      handle(socket, JSON.parse(line));
    } catch {
      send(socket, { error: 'not a JSON line' });
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    for (const [id, held] of unacknowledged) if (held.consumer === socket) redeliver(id);
    deliver();
  });
});

setInterval(() => {
  for (const [id, held] of unacknowledged) if (held.deadline < Date.now()) redeliver(id);
  deliver();
  if (!existsSync(values.data)) appendFileSync(values.data, 'name\tvalue\n');
  const oldest = waiting[0]?.publishedAt;
  const rows = {
    queue_depth: waiting.length,
    queue_unacknowledged: unacknowledged.size,
    queue_oldest_message_age_seconds: oldest === undefined ? 0 : (Date.now() - oldest) / 1000,
    queue_redelivered: totals.redelivered,
  };
  appendFileSync(
    values.data,
    Object.entries(rows)
      .map(([name, value]) => `${name}\t${value}\n`)
      .join(''),
  );
}, 1000);

server.listen(Number(values.port), '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
// Whoever starts this as a part of something can have it end when its standard input does.
if (process.env.TAFFRAIL_STOP_WITH_STDIN === '1') process.stdin.resume().on('end', () => process.exit(0));
