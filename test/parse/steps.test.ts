import { describe, expect, it } from 'vitest';
import { compileRoutes } from '../../src/parse/step/route-step.ts';
import { compileMask } from '../../src/parse/step/mask-step.ts';
import { packScanner } from './scan-text.ts';

function run(steps: object[], text: string) {
  const scanner = packScanner({ format: 'logfmt', steps });
  const { counts } = scanner.scan(text);
  return { counts, records: scanner.records, fields: scanner.records.map(({ fields }) => fields) };
}

describe('steps', () => {
  it('convert to types and base units, and leave what cannot be converted', () => {
    const steps = [
      { convert: { field: 'took', unit: 'ms' } },
      { convert: { field: 'n', to: 'int' } },
      { convert: { field: 'ok', to: 'bool' } },
      { convert: { field: 'size', unit: 'size' } },
      { convert: { field: 'd', unit: 'duration' } },
    ];
    expect(run(steps, 'took=12 n=7 ok=yes size=12KiB d=1m2.5s\ntook=soon n=x ok=maybe\n').fields).toEqual([
      { took: 0.012, n: 7, ok: true, size: 12_288, d: 62.5 },
      { took: 'soon', n: 'x', ok: 'maybe' },
    ]);
  });

  it('rename, map, template, extract and remove', () => {
    const steps = [
      { rename: { lvl: 'level' } },
      {
        map: {
          field: 'status',
          to: 'outcome',
          values: { '200': 'ok' },
          patterns: [{ matches: '^5', value: 'error' }],
          default: 'other',
        },
      },
      { template: { field: 'where', text: '${host}:${port}' } },
      { template: { field: 'who', text: 'nobody', when: { user: { exists: false } } } },
      { extract: { field: 'req', pattern: '^(?<method>[A-Z]+) (?<path>\\S+)' } },
      { remove: ['req', 'host', 'port', 'status'] },
    ];
    expect(
      run(steps, 'lvl=info status=503 host=a port=1 req="GET /x"\nstatus=404 user=u req=?\n').fields,
    ).toEqual([
      { level: 'info', outcome: 'error', where: 'a:1', who: 'nobody', method: 'GET', path: '/x' },
      { user: 'u', outcome: 'other', where: ':' },
    ]);
  });

  it('keep and drop count what they filter by their names', () => {
    const steps = [
      { keep: { name: 'errors-only', when: { level: ['error', 'fatal'] } } },
      { drop: { name: 'noise', when: [{ msg: { contains: 'ping' } }, { n: { above: 9 } }] } },
    ];
    const { counts, fields } = run(
      steps,
      'level=info\nlevel=error msg=ping\nlevel=error n=10\nlevel=fatal n=9\n',
    );
    expect(counts).toMatchObject({
      lines: 4,
      matched: 1,
      unmatched: 0,
      filtered: 3,
      filteredBy: { 'errors-only': 1, noise: 2 },
    });
    expect(fields).toEqual([{ level: 'fatal', n: '9' }]);
  });

  it('mask and hash also in the line, and mask in lines that were not read', () => {
    const scanner = packScanner({
      pattern: '^user=(?<user>\\S+) mail=(?<mail>\\S+)$',
      steps: [{ mask: { what: ['email', 'card'] } }, { hash: { field: 'user', salt: 's' } }],
    });
    const { unmatchedSample } = scanner.scan(
      'user=alice mail=a@b.example\ncard 4111 1111 1111 1111 of x@y.example\n',
    );
    const [first, second] = scanner.records;
    expect(first!.fields['mail']).toBe('***');
    expect(first!.fields['user']).toMatch(/^[0-9a-f]{16}$/);
    expect(first!.body).toBe(`user=${first!.fields['user']} mail=***`);
    expect(second!.body).toBe('card *** of ***');
    expect(unmatchedSample).toBe('card *** of ***');
  });

  it.each([
    ['token', 'token=abcdef123456 next', 'token=*** next'],
    ['token', 'Authorization: Bearer abcdefghijkl', 'Authorization: ***'],
    ['token', 'the token expired', 'the token expired'],
    ['card', 'order 1234567890123456', 'order 1234567890123456'],
    ['ip', 'from 203.0.113.7 at 10:05:03 to 2001:db8::1', 'from *** at 10:05:03 to ***'],
    ['phone', 'call +49 30 1234567 now', 'call *** now'],
  ] as const)('mask %s in %j', (what, text, masked) => {
    expect(compileMask({ what: [what], with: '***' }, {})(text)).toBe(masked);
  });

  it.each([
    ['/users/123', '/users/:id'],
    ['/users/123/orders?x=1', '/users/:id/orders'],
    ['https://shop.example/users/7#top', '/users/:id'],
    ['/static/js/app.8f3a2b1c.js', '/static/*'],
    ['/v2/items/9f8b7c6d5e4f3a2b', '/v2/items/:id'],
    ['/a/550e8400-e29b-41d4-a716-446655440000/b', '/a/:id/b'],
    ['/about', '/about'],
    ['/', '/'],
  ])('route %s to %s', (target, route) => {
    expect(compileRoutes(['/static/*', '/users/:id', '/users/:id/orders'], 'guess')(target)).toBe(route);
  });

  it('route to other where asked', () => {
    expect(compileRoutes(['/users/:id'], 'other')('/wp-login.php')).toBe('other');
  });
});
