/** Deterministic log lines: the same bytes on every machine. */
export class Lcg {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 … below − 1. */
  next(below: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.next(list.length)]!;
  }
}

const METHODS = ['GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'HEAD'];
const STATUS = ['200', '200', '200', '200', '304', '301', '404', '500', '503'];
const PATHS = [
  '/',
  '/index.html',
  '/api/v1/orders',
  '/api/v1/users/42/cart',
  '/static/app.8f3a.js',
  '/search?q=towed+log',
];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1',
  'curl/8.5.0',
];

const two = (n: number): string => String(n).padStart(2, '0');

export function accessLog(bytes: number): Buffer {
  const random = new Lcg(1);
  return lines(bytes, (i) => {
    const second = Math.floor(i / 500);
    const time = `17/May/2024:${two(Math.floor(second / 3600) % 24)}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)} +0000`;
    const ip = `${random.next(223) + 1}.${random.next(256)}.${random.next(256)}.${random.next(256)}`;
    const took = `${random.next(3)}.${String(random.next(1000)).padStart(3, '0')}`;
    return `${ip} - - [${time}] "${random.pick(METHODS)} ${random.pick(PATHS)} HTTP/1.1" ${random.pick(STATUS)} ${random.next(100_000)} "https://shop.example/" "${random.pick(AGENTS)}" ${took}\n`;
  });
}

/** pino lines: twelve keys. */
export function jsonLog(bytes: number): Buffer {
  const random = new Lcg(2);
  return lines(
    bytes,
    (i) =>
      `${JSON.stringify({
        level: random.pick([20, 30, 30, 30, 40, 50]),
        time: 1_715_940_303_000 + i,
        pid: 17,
        hostname: 'app-1',
        reqId: `req-${i.toString(36)}`,
        req: { method: random.pick(METHODS), url: random.pick(PATHS), remoteAddress: '203.0.113.7' },
        res: { statusCode: Number(random.pick(STATUS)) },
        responseTime: random.next(100_000) / 100,
        msg: 'request completed',
      })}\n`,
  );
}

export function logfmtLog(bytes: number): Buffer {
  const random = new Lcg(3);
  return lines(
    bytes,
    (i) =>
      `time=2024-05-17T10:05:${two(i % 60)}.120Z level=${random.pick(['info', 'info', 'warn'])} msg="message handled" topic=${random.pick(['orders', 'mails'])} id=m-${i} duration_ms=${random.next(90_000) / 100} lag=${random.next(50)} outcome=${random.pick(['ok', 'ok', 'retry', 'error'])}\n`,
  );
}

const PROGRAMS = ['sshd', 'cron', 'kernel', 'systemd', 'postfix/smtpd', 'named', 'dhcpd', 'sudo'];

/** Syslog lines of which each of twenty messages is one in twenty-five. */
export function syslogLog(bytes: number): Buffer {
  const random = new Lcg(4);
  return lines(bytes, (i) => {
    const kind = random.next(25);
    const text =
      kind < 20
        ? `event${two(kind)} from 203.0.113.${random.next(256)} user u${random.next(100)} took ${random.next(1000)}ms`
        : `something else happened ${i} with no pattern for it at all`;
    return `May 17 10:${two(Math.floor(i / 60) % 60)}:${two(i % 60)} web-1 ${random.pick(PROGRAMS)}[${random.next(30_000)}]: ${text}\n`;
  });
}

/** Syslog lines each of which is one of so many messages. */
export function eventLog(bytes: number, kinds: number): Buffer {
  const random = new Lcg(5);
  return lines(bytes, (i) => {
    const text = `event${two(random.next(kinds))} from 203.0.113.${random.next(256)} user u${random.next(100)} took ${random.next(1000)}ms`;
    return `May 17 10:${two(Math.floor(i / 60) % 60)}:${two(i % 60)} web-1 ${random.pick(PROGRAMS)}[${random.next(30_000)}]: ${text}\n`;
  });
}

function lines(bytes: number, line: (i: number) => string): Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  let block = '';
  for (let i = 0; size + block.length < bytes; i++) {
    block += line(i);
    if (block.length > 1 << 20) {
      parts.push(Buffer.from(block));
      size += block.length;
      block = '';
    }
  }
  return Buffer.concat([...parts, Buffer.from(block)]);
}
