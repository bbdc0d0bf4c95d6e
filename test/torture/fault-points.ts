import fs from 'node:fs';
import path from 'node:path';

/** Which steps a call passes, by the name of the function that takes the area as its text argument. */
const STEPS_OF: Readonly<Record<string, readonly string[]>> = {
  'DurableFile.open': ['write', 'sync'],
  'DurableFile.create': ['create', 'write', 'sync'],
  writeFileAtomically: ['unlink', 'create', 'write', 'sync', 'rename', 'dirsync'],
  LineJournal: ['unlink', 'create', 'write', 'sync', 'rename', 'dirsync'],
  makeFolderDurably: ['dirsync'],
  unlinkFile: ['unlink'],
  setAside: ['link', 'dirsync'],
  renameDurably: ['rename', 'dirsync'],
  syncDirectory: ['dirsync'],
  openForReading: ['open'],
  readAt: ['read'],
  statDescriptor: ['stat'],
  statPath: ['stat'],
  listFolder: ['list'],
};

const CALL = new RegExp(
  `(${Object.keys(STEPS_OF).join('|').replaceAll('.', '\\.')})\\(([^;]*?)'([a-z]+(?:\\.[a-z_]+)*)'`,
  'gs',
);
const LITERAL = /faultPoint\('([a-z_.]+)'\)/g;

/** Every point that the product names, found in its source. */
export function faultPoints(sourceFolder: string): {
  readonly agent: string[];
  readonly collector: string[];
} {
  const points = new Set<string>();
  for (const file of fs.readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = fs.readFileSync(path.join(sourceFolder, file), 'utf8');
    for (const [, point] of text.matchAll(LITERAL)) points.add(point!);
    for (const [, call, , area] of text.matchAll(CALL)) {
      for (const step of STEPS_OF[call!]!) {
        points.add(`${area}.${step}.before`);
        points.add(`${area}.${step}.after`);
      }
    }
  }
  const all = [...points].filter((point) => !/^(hooks(?!\.journal)|sink)\./.test(point)).sort();
  return {
    agent: all.filter((point) => !point.startsWith('collect.')),
    collector: all.filter((point) => point.startsWith('collect.')),
  };
}
