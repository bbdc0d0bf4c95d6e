import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, test } from 'vitest';
import { EmailSender } from '../../../src/hooks/receivers/email-sender.ts';
import { config } from '../harness.ts';
import { TWO, context } from './receiver-harness.ts';

const never = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function smtp(options: SMTPServerOptions = {}) {
  const mails: { from: string; to: string[]; user: string | undefined; text: string }[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) =>
      auth.password === 'correct horse'
        ? done(null, { user: auth.username! })
        : done(new Error('wrong password')),
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user,
          text: Buffer.concat(parts).toString(),
        });
        done();
      });
    },
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => new Promise((resolve) => server.close(() => resolve())));
  return { mails, smarthost: `127.0.0.1:${(server.server.address() as AddressInfo).port}` };
}

function sender(more: object): EmailSender {
  const receiver = {
    name: 'a',
    email_configs: [
      {
        from: 'Taffrail <watch@ship.example>',
        to: 'a@x.example, b@x.example',
        require_tls: false,
        timeout: '5s',
        ...more,
      },
    ],
  };
  return new EmailSender(config({ receivers: [receiver] }).receivers[0]!.email_configs[0]!, context);
}

test('a mail goes to all with a text and an HTML body that is escaped', async () => {
  const { mails, smarthost } = await smtp();
  await sender({
    smarthost,
    auth_username: 'u',
    auth_password: 'correct horse',
    headers: { 'X-Team': '{{ .Receiver }}' },
  }).send(TWO, never);
  expect(mails).toHaveLength(1);
  const [mail] = mails;
  expect(mail).toMatchObject({ from: 'watch@ship.example', to: ['a@x.example', 'b@x.example'], user: 'u' });
  const text = mail!.text.replace(/=\r?\n/g, '');
  for (const part of [
    'Subject: [FIRING:1] Slow (shop)',
    'X-Team: pager',
    `Message-ID: <${TWO.id}@ship.example>`,
    'summary: too <slow>',
    'too &lt;slow&gt;',
    'text/plain',
    'text/html',
  ]) {
    expect(text).toContain(part);
  }
});

test('a template of the subject cannot bring in another header', async () => {
  const { mails, smarthost } = await smtp();
  await sender({ smarthost, headers: { Subject: 'one\r\nBcc: evil@x.example' } }).send(TWO, never);
  expect(mails[0]!.to).toEqual(['a@x.example', 'b@x.example']);
  expect(mails[0]!.text).toContain('Subject: one Bcc: evil@x.example');
});

test('without STARTTLS nothing is sent where it is required', async () => {
  const { mails, smarthost } = await smtp();
  await expect(sender({ smarthost, require_tls: true }).send(TWO, never)).rejects.toMatchObject({
    message: expect.stringContaining('STARTTLS') as string,
  });
  expect(mails).toEqual([]);
});

test('a certificate that nobody we trust has signed is refused, with words', async () => {
  const { smarthost } = await smtp({ disabledCommands: [] });
  await expect(sender({ smarthost, require_tls: true }).send(TWO, never)).rejects.toMatchObject({
    retryable: true,
    message: expect.stringMatching(/certificate/) as string,
  });
});

test('a wrong password is told without the password', async () => {
  const { smarthost } = await smtp();
  const failure = await sender({ smarthost, auth_username: 'u', auth_password: 'sesame-open' })
    .send(TWO, never)
    .catch((error: unknown) => error as Error);
  expect(failure).toMatchObject({ retryable: true });
  expect(JSON.stringify([failure, (failure as Error).message])).not.toContain('sesame-open');
});

test('a refusal for good is final, one for now is not', async () => {
  const refuse = (responseCode: number): SMTPServerOptions => ({
    onMailFrom: (_address, _session, done) => done(Object.assign(new Error('not you'), { responseCode })),
  });
  const final = await smtp(refuse(550));
  await expect(sender({ smarthost: final.smarthost }).send(TWO, never)).rejects.toMatchObject({
    retryable: false,
    message: expect.stringContaining('550 not you') as string,
  });
  const later = await smtp(refuse(451));
  await expect(sender({ smarthost: later.smarthost }).send(TWO, never)).rejects.toMatchObject({
    retryable: true,
  });
});

test('a server that is not there is named', async () => {
  await expect(sender({ smarthost: '127.0.0.1:1' }).send(TWO, never)).rejects.toMatchObject({
    message: 'connection refused at 127.0.0.1:1',
    retryable: true,
  });
});
