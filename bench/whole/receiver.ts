// Takes OTLP requests, reads them to their end and answers; nothing else: `receiver.js PORT`.
import { createServer } from 'node:http';

createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
}).listen(Number(process.argv[2]), '127.0.0.1');
