import { mkdir } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Prng } from '../torture/prng.ts';
import { TailHarness } from './harness.ts';
import { KubeletWriter } from '../torture/kubelet-writer.ts';

const ID = '0123456789abcdef'.repeat(4);
const RUNS = Number(process.env['TAIL_KUBELET_RUNS'] ?? 4);

/** What a node's agent may be told to read, and whether the pod's file is a link itself. */
const PLACES = [
  ['containers/*.log', false],
  ['containers/*.log', true],
  ['pods/*/*/*.log', false],
] as const;

describe.each(PLACES)('a container read at %s (its file is a link to docker: %s)', (glob, isDocker) => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it.each(Array.from({ length: RUNS }, (_, i) => i + 1))(
    'is read once, whatever kubelet does (seed %i)',
    async (seed) => {
      const random = new Prng(seed);
      tail = await TailHarness.create((folder) => ({
        paths: [`${folder}/${glob}`],
        lingerMs: random.pick([30, 5_000]),
      }));
      for (const name of ['pods', 'containers']) await mkdir(tail.path(name));
      await tail.start();
      const writer = new KubeletWriter({
        pods: tail.path('pods'),
        containers: tail.path('containers'),
        namespace: 'shop',
        pod: 'web-1',
        uid: '6f1c1c2e-3d0e-4c5f-9a43-0d6f7a1b2c3d',
        container: 'app',
        id: ID,
        ...(isDocker ? { docker: tail.path('docker') } : {}),
      });
      const written: string[] = [];
      const write = (lines: number): void => {
        const more = Array.from(
          { length: lines },
          (_, i) => `${seed} line ${written.length + i} ${'x'.repeat(30)}`,
        );
        written.push(...more);
        writer.write(more.map((line) => `${line}\n`).join(''));
      };
      const story: string[] = [];
      const steps = {
        write: () => write(random.between(12, 60)),
        rotate: () => writer.rotate(),
        compress: () => writer.compress(),
        kubelet: () => (writer.compress(), writer.rotate()),
        again: () => (isDocker ? undefined : writer.restart()),
        read: () => tail.linesAre(written),
        down: () => tail.stop(),
      };
      let isUp = true;
      write(20);
      await tail.linesAre(written);
      for (let i = 0; i < 25; i++) {
        const step = random.weighted({
          write: 8,
          rotate: 3,
          compress: 2,
          kubelet: 2,
          again: 1,
          read: 3,
          down: 2,
        });
        story.push(step);
        if (!isUp && (step === 'read' || step === 'down')) {
          await tail.start();
          isUp = true;
        } else if (step === 'down') {
          await tail.stop();
          isUp = false;
        } else await steps[step as keyof typeof steps]();
      }
      if (!isUp) await tail.start();
      write(1);
      await tail.linesAre(written).catch((error: Error) => {
        throw new Error(
          `${story.join(' ')}: ${written.filter((line) => !tail.lines.includes(line)).length} missing; ${error.message}`,
        );
      });
      expect({
        story: story.join(' '),
        twice: tail.lines.filter((line, i) => tail.lines.indexOf(line) < i).length,
      }).toEqual({ story: story.join(' '), twice: 0 });
      expect([...tail.lines].sort()).toEqual([...written].sort());
      expect(tail.missed).toEqual([]);
      writer.close();
    },
  );
});
