import type { Automaton } from './automaton.ts';

/** The positions that can be reached from themselves, those that reach each other together (Tarjan's algorithm). */
export function loopsOf({ next }: Automaton): readonly (readonly number[])[] {
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  const loops: number[][] = [];
  const visit = (at: number): void => {
    order.set(at, order.size);
    low.set(at, order.get(at)!);
    open.push(at);
    isOpen.add(at);
    for (const to of next[at]!.keys()) {
      if (!order.has(to)) {
        visit(to);
        low.set(at, Math.min(low.get(at)!, low.get(to)!));
      } else if (isOpen.has(to)) low.set(at, Math.min(low.get(at)!, order.get(to)!));
    }
    if (low.get(at) !== order.get(at)) return;
    const members = open.splice(open.indexOf(at));
    for (const one of members) isOpen.delete(one);
    if (members.length > 1 || next[at]!.has(at)) loops.push(members);
  };
  for (let at = 0; at < next.length; at++) if (!order.has(at)) visit(at);
  return loops;
}
