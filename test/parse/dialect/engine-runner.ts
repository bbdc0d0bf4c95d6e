import { spawnSync } from 'node:child_process';
import { RE2JS } from 're2js';

/** What an engine makes of a text: the named groups, null for no match; undefined where it refuses the expression. */
export type Captures = Readonly<Record<string, string | null>> | null | undefined;

export interface Case {
  readonly expression: string;
  readonly text: string;
}

const PYTHON = `
import json, re, sys, warnings
warnings.simplefilter('ignore')
for line in sys.stdin:
    case = json.loads(line)
    try:
        found = re.compile(case['expression'], re.ASCII).search(case['text'])
        print(json.dumps({'groups': None if found is None else found.groupdict()}))
    except Exception:
        print('{}')
`;

const PERL = `
use strict; use warnings; no warnings;
use JSON::PP; binmode STDIN; binmode STDOUT;
my $json = JSON::PP->new->utf8->canonical;
while (my $line = <STDIN>) {
  my $case = $json->decode($line);
  my $source = $case->{expression};
  my $regex = eval { qr/$source/a };
  if (!defined $regex) { print "{}\\n"; next; }
  my $matched = eval { $case->{text} =~ $regex ? 1 : 0 };
  if (!defined $matched) { print "{}\\n"; next; }
  if ($matched) {
    my %groups = map { $_ => undef } ($source =~ /\\(\\?P?['<]([a-z]+\\d*)['>]/g);
    $case->{text} =~ $regex;
    $groups{$_} = $+{$_} for keys %+;
    print $json->encode({ groups => \\%groups }), "\\n";
  } else { print "{\\"groups\\":null}\\n"; }
}
`;

/** Runs all cases in one process of the engine. Throws where the program is missing or fails. */
export function runPython(cases: readonly Case[]): Captures[] {
  return runProgram('python3', ['-c', PYTHON], cases);
}

export function runPerl(cases: readonly Case[]): Captures[] {
  return runProgram('perl', ['-e', PERL], cases);
}

export function runRe2(cases: readonly Case[]): Captures[] {
  return cases.map(({ expression, text }) => {
    let regex: RE2JS;
    try {
      regex = RE2JS.compile(expression);
    } catch {
      return undefined;
    }
    const matcher = regex.matcher(text);
    if (!matcher.find()) return null;
    return Object.fromEntries(
      Object.entries(regex.namedGroups()).map(([name, group]) => [name, matcher.group(group) ?? null]),
    );
  });
}

function runProgram(program: string, args: readonly string[], cases: readonly Case[]): Captures[] {
  const input = cases.map((one) => `${JSON.stringify(one)}\n`).join('');
  const { stdout, status, stderr } = spawnSync(program, args, { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${program}: ${String(stderr)}`);
  const lines = stdout.toString('utf8').trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { groups?: Captures }).groups);
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}
