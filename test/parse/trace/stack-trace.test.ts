import { describe, expect, it } from 'vitest';
import { packScanner } from '../scan-text.ts';

function events(language: string, lines: readonly string[]): string[] {
  const scanner = packScanner({ pattern: '^(?<first>[^\\n]*)', multiline: { stacktrace: [language] } });
  scanner.scan(`${lines.join('\n')}\n`, { flush: true });
  return scanner.records.map(({ body }) => body);
}

const TRACES: readonly (readonly [string, string, readonly string[]])[] = [
  ['go', 'a panic that was recovered and raised again', [
    'panic: boom [recovered]', '\tpanic: boom again', '', 'goroutine 1 [running]:', 'main.f.func1()',
    '\t/src/main.go:9 +0x4c', 'panic({0x45b3a0?, 0x4a6f58?})', '\t/usr/lib/go/src/runtime/panic.go:770 +0x132',
    'main.main()', '\t/src/main.go:12 +0x1d', 'exit status 2',
  ]],
  ['go', 'an error of the runtime, with the newer header', [
    'fatal error: concurrent map writes', '', 'goroutine 7 gp=0xc000007c00 m=3 mp=0xc000100008 [running]:',
    'main.(*Store[...]).put(0xc00001c0a8, {0x4b2e2d, 0x3})', '\t/src/store.go:31 +0x6c',
    'created by main.main in goroutine 1', '\t/src/main.go:20 +0x65', '',
    'goroutine 1 gp=0xc0000061c0 m=nil [sleep]:', 'time.Sleep(0x3b9aca00)', '\t/usr/lib/go/src/runtime/time.go:285 +0xf2',
  ]],
  ['go', 'a dump of goroutines', [
    'SIGQUIT: quit', 'PC=0x46e4a1 m=0 sigcode=0', '', 'goroutine 0 gp=0x54a0e0 m=0 mp=0x54ad00 [idle]:',
    'runtime.futex(0x54ae48, 0x80, 0x0, 0x0, 0x0, 0x0)', '\t/usr/lib/go/src/runtime/sys_linux_amd64.s:558 +0x21', '',
    'rax    0xca', 'rbx    0x0', 'rip    0x46e4a1', 'rflags 0x286', 'cs     0x33',
  ]],
  ['go', 'a report of the race detector', [
    '==================', 'WARNING: DATA RACE', 'Write at 0x00c0000b4010 by goroutine 7:', '  main.main.func1()',
    '      /src/main.go:9 +0x4c', '', 'Previous read at 0x00c0000b4010 by goroutine 6:', '  main.main.func2()',
    '      /src/main.go:14 +0x3a', '', 'Goroutine 7 (running) created at:', '  main.main()', '      /src/main.go:8 +0x84',
    '==================',
  ]],
  ['python', 'an exception group by itself', [
    '  + Exception Group Traceback (most recent call last):', '  |   File "/app/a.py", line 3, in <module>',
    '  |     raise ExceptionGroup("two", [ValueError(1), TypeError(2)])', '  | ExceptionGroup: two (2 sub-exceptions)',
    '  +-+---------------- 1 ----------------', '    | ValueError: 1', '    +---------------- 2 ----------------',
    '    | TypeError: 2', '    +------------------------------------',
  ]],
  ['python', 'a chained traceback', [
    'Traceback (most recent call last):', '  File "/app/a.py", line 2, in f', '    int("x")', 'ValueError: bad', '',
    'During handling of the above exception, another exception occurred:', '', 'Traceback (most recent call last):',
    '  File "/app/a.py", line 4, in <module>', '    f()', '    ~^^', 'app.errors.Wrapped: worse',
  ]],
  ['node', 'an error with properties', [
    'Error: x', '    at f (a.js:1:2) {', "  code: 'E1',", '  errors: [', '    Error: y', '        at g (a.js:2:3)', '  ]', '}',
  ]],
  ['node', 'an error that nobody caught', [
    '/app/a.js:7', "  throw new Error('x');", '  ^', '', 'Error: x', '    at f (/app/a.js:7:9)',
    '    at node:internal/main/run_main_module:28:49', '', 'Node.js v20.19.0',
  ]],
  ['node', 'one with a cause and properties, that nobody caught', [
    'node:internal/process/promises:394', '      triggerUncaughtException(err, true /* fromPromise */);', '      ^', '',
    'TypeError: fetch failed', '    at node:internal/deps/undici/undici:13510:13', '    at async main (/app/a.js:3:3) {',
    '  [cause]: Error: connect ECONNREFUSED 127.0.0.1:1', '      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16) {',
    '    errno: -111,', "    code: 'ECONNREFUSED'", '  }', '}', '', 'Node.js v22.12.0',
  ]],
  ['dotnet', 'an inner exception', [
    'System.InvalidOperationException: cannot save', ' ---> System.IO.IOException: disk', '   at A.B()',
    '   --- End of inner exception stack trace ---', '   at C.D(String s) in /src/C.cs:line 12',
    '--- End of stack trace from previous location ---', '   at E.F()',
  ]],
  ['rust', 'a panic with a backtrace', [
    "thread 'main' panicked at src/main.rs:4:5:", 'index out of bounds: the len is 3 but the index is 9', 'stack backtrace:',
    '   0: rust_begin_unwind', '             at /rustc/90b35a6/library/std/src/panicking.rs:645:5', '   1: app::main',
    'note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.',
  ]],
  ['rust', 'a chain of causes', ['Error: cannot load', '', 'Caused by:', '    0: no such file', '    1: os error 2']],
  ['ruby', 'a trace of an older Ruby, turned round', [
    'Traceback (most recent call last):', "\t2: from app.rb:9:in `<main>'", "\t1: from app.rb:6:in `g'",
    "app.rb:3:in `f': boom (RuntimeError)",
  ]],
  ['php', 'an exception with the one before it', [
    'PHP Fatal error:  Uncaught LogicException: a in /a.php:3', 'Stack trace:', '#0 /a.php(9): f()', '#1 {main}', '',
    'Next RuntimeException: b in /a.php:5', 'Stack trace:', '#0 {main}', '  thrown in /a.php on line 5',
  ]],
  ['java', 'a circular reference', [
    'java.lang.RuntimeException: x', '\tat a.B.c(B.java:3)', 'Caused by: java.lang.RuntimeException: y', '\t... 1 more',
    '\tSuppressed: java.io.IOException: z', '\t\tat a.B.d(B.java:9)', '\t[CIRCULAR REFERENCE: java.lang.RuntimeException: x]',
  ]],
]; // prettier-ignore

describe('a stack trace', () => {
  it.each(TRACES)('of %s is one event: %s', (language, _, lines) => {
    expect(events(language, lines)).toEqual([lines.join('\n')]);
  });

  it.each(TRACES)('of %s ends where other lines go on: %s', (language, _, lines) => {
    const found = events(language, [...lines, '2026-11-30 10:00:00 started', '2026-11-30 10:00:01 stopped']);
    expect(found.slice(-2)).toEqual(['2026-11-30 10:00:00 started', '2026-11-30 10:00:01 stopped']);
    expect(found).toHaveLength(3);
  });

  it.each([
    ['go', ['==================', 'Summary of the run', '==================']],
    ['node', ['/app/a.js:7', 'one', 'two', 'three', 'four', 'five', 'six', 'seven']],
    ['rust', ["thread 'main' has started", 'listening']],
    ['dotnet', ['--> a', 'at b']],
  ])('of %s is not made of lines that only look like its head', (language, lines) => {
    expect(events(language, lines).at(-1)).toBe(lines.at(-1));
    expect(events(language, lines).length).toBeGreaterThan(1);
  });
});
