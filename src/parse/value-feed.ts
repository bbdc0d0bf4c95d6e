import type { Cell, Feed } from '../model/aggregator.ts';

/** A feed that takes all label sets alike: for aggregators where speed is not the point. */
export abstract class ValueFeed implements Feed {
  abstract cell(values: readonly string[]): Cell;

  cell0(): Cell {
    return this.cell([]);
  }

  cell1(a: string): Cell {
    return this.cell([a]);
  }

  cell2(a: string, b: string): Cell {
    return this.cell([a, b]);
  }

  cell3(a: string, b: string, c: string): Cell {
    return this.cell([a, b, c]);
  }
}
