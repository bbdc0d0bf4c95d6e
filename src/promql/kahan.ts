/** A sum that carries what rounding lost (Neumaier's variant of Kahan summation), as Prometheus computes it. */
export class KahanSum {
  sum = 0;
  /** What the sum still lacks. */
  compensation = 0;

  add(value: number): void {
    const total = this.sum + value;
    if (!Number.isFinite(total) && !Number.isNaN(total)) this.compensation = 0;
    else if (Math.abs(this.sum) >= Math.abs(value)) this.compensation += this.sum - total + value;
    else this.compensation += value - total + this.sum;
    this.sum = total;
  }

  get total(): number {
    return isInfinite(this.sum) ? this.sum : this.sum + this.compensation;
  }
}

/** A mean over a Kahan sum that goes over to an incremental mean where the sum would overflow. */
export class KahanMean {
  #state = new KahanSum();
  #count = 0;
  #incremental = false;

  add(value: number): void {
    this.#count++;
    if (!this.#incremental) {
      const { sum, compensation } = this.#state;
      this.#state.add(value);
      if (this.#count === 1 || !isInfinite(this.#state.sum)) return;
      this.#incremental = true;
      this.#state.sum = sum / (this.#count - 1);
      this.#state.compensation = compensation / (this.#count - 1);
    }
    const share = (this.#count - 1) / this.#count;
    this.#state.sum *= share;
    this.#state.compensation *= share;
    this.#state.add(value / this.#count);
  }

  get mean(): number {
    const { sum, compensation } = this.#state;
    return this.#incremental ? sum + compensation : sum / this.#count + compensation / this.#count;
  }
}

function isInfinite(value: number): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}
