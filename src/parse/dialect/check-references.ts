import { at, complain } from './complaint.ts';
import type { GroupNode, Node, PlainNode } from './node.ts';

/**
 * Throws a PatternError for a back-reference to a group that is not closed before it: JavaScript takes it for nothing,
 * where other engines fail.
 */
export function checkReferences(alternatives: readonly (readonly Node[])[]): void {
  new References().check(alternatives);
}

class References {
  /** Numbers of the groups that are closed, and fields of those that have one. */
  readonly #closed = new Set<number | string>();
  #opened = 0;

  check(alternatives: readonly (readonly Node[])[]): void {
    for (const node of alternatives.flat()) this.#node(node);
  }

  #node(node: Node): void {
    if (node.kind === 'repeat') this.#node(node.node);
    else if (node.kind === 'group') this.#group(node);
    else if (node.kind === 'reference') this.#reference(node);
  }

  #group({ capture, alternatives, field }: GroupNode): void {
    const captures = capture === 'named' || capture === 'plain';
    const number = captures ? ++this.#opened : 0;
    this.check(alternatives);
    if (!captures) return;
    this.#closed.add(number);
    if (field !== undefined) this.#closed.add(field);
  }

  #reference({ name, source, place }: PlainNode): void {
    if (this.#closed.has(name ?? Number(source.slice(1)))) return;
    const { text, start, end, definition } = place;
    complain(
      `${at(text.slice(start, end), start)} means nothing: no such group is closed before it`,
      definition,
    );
  }
}
