import { answerQuestion } from '../lines/answer-question.ts';
import type { LineAnswer, LineQuestion, NewLines, QuestionLimits } from '../lines/line-question.ts';
import { newLines } from '../lines/new-lines.ts';
import { type StoredAgent, readAgents } from './fleet-query.ts';
import { LineSearch } from './line-search.ts';
import type { RecordFilter, RecordPage, RecordQuery, StoredRecord } from './record-query.ts';
import { RecordSearch } from './record-search.ts';
import { type Database, openDatabase, Stopped, stoppable } from './sqlite.ts';

/** The reading thread: answers queries from a connection of its own, so that a long one does not hold up ingest. */
export class ReaderService {
  readonly #db: Database;
  readonly #records: RecordSearch;
  readonly #lines: LineSearch;
  readonly #isToStop: () => boolean;

  /** A query throws Stopped once `isToStop` says so. */
  constructor(path: string, isToStop: () => boolean) {
    this.#db = stoppable(openDatabase(path, { readOnly: true }), isToStop);
    this.#db.exec('PRAGMA cache_size = -65536');
    this.#db.exec('PRAGMA temp_store = MEMORY');
    this.#records = new RecordSearch(this.#db);
    this.#lines = new LineSearch(this.#db);
    this.#isToStop = isToStop;
  }

  records(query: RecordQuery): RecordPage {
    return this.#records.page(query);
  }

  recordsAfter(
    block: number,
    filter: RecordFilter,
    limit: number,
  ): { readonly records: readonly StoredRecord[]; readonly through: number } {
    return this.#records.after(block, filter, limit);
  }

  newestBlock(): number {
    return this.#records.newestBlock();
  }

  recordCount(query: Pick<RecordQuery, 'fromMs' | 'toMs' | 'labels' | 'text'>): number {
    return this.#records.count(query);
  }

  recordVolume(fromMs: number, toMs: number, slots: number, filter: RecordFilter): number[] {
    return this.#records.volume(fromMs, toMs, slots, filter);
  }

  lines(question: LineQuestion, limits: QuestionLimits): Promise<LineAnswer> {
    return answerQuestion(question, this.#lines, limits, () => {
      if (this.#isToStop()) throw new Stopped();
    });
  }

  linesAfter(place: string, query: string, limit: number): NewLines {
    return newLines(this.#lines, Number(place), query, limit);
  }

  agents(): StoredAgent[] {
    return readAgents(this.#db);
  }

  close(): void {
    this.#db.close();
  }
}
