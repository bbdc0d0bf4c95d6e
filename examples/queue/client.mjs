// What producer and consumer share: a connection to the queue that comes back by itself, and a logfmt log file.
import { appendFileSync, renameSync, statSync } from 'node:fs';
import net from 'node:net';
import { createInterface } from 'node:readline';

const LOG_BYTES_MAX = 5 * 1024 * 1024;

/** Appends logfmt lines to a file and rotates it by rename at 5 MiB, keeping one old one. */
export function openLog(path) {
  return (level, msg, fields = {}) => {
    const pairs = Object.entries({ time: new Date().toISOString(), level, msg, ...fields });
    appendFileSync(path, `${pairs.map(([key, value]) => `${key}=${quote(String(value))}`).join(' ')}\n`);
    if (statSync(path).size > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
  };
}

function quote(text) {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/** Calls `onOpen(send)` for each connection and `onReply(reply, send)` for each answer. */
export function connect(port, log, onOpen, onReply) {
  const socket = net.connect(port, '127.0.0.1');
  const send = (request) => socket.write(`${JSON.stringify(request)}\n`);
  socket.on('connect', () => {
    log('info', 'connected', { queue: `127.0.0.1:${port}` });
    onOpen(send);
  });
  createInterface({ input: socket }).on('line', (line) => onReply(JSON.parse(line), send));
  socket.on('error', (error) => log('error', 'connection failed', { error: error.code ?? error.message }));
  socket.on('close', () => setTimeout(() => connect(port, log, onOpen, onReply), 1000));
}
