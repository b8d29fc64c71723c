/** Which parts of a medium are mapped: runs that do not touch, as many as there are, however large the medium is. */
export class Extents {
  /** Beginning and end of each run, in turn, ascending. So at an odd index lies an end, before which is a run. */
  #edges: number[];

  constructor(edges: readonly number[] = []) {
    this.#edges = [...edges];
  }

  get edges(): readonly number[] {
    return this.#edges;
  }

  add(from: number, to: number): void {
    this.#set(from, to, true);
  }

  remove(from: number, to: number): void {
    this.#set(from, to, false);
  }

  /** Whether `at` lies in a run, and where that ends to be so; Infinity behind the last run. */
  at(at: number): { inside: boolean; until: number } {
    const next = this.#above(at);
    return { inside: next % 2 === 1, until: this.#edges[next] ?? Infinity };
  }

  /** Index of the first edge above `at`. */
  #above(at: number): number {
    let low = 0;
    let high = this.#edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#edges[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #set(from: number, to: number, inside: boolean): void {
    if (from >= to) return;
    const edges = this.#edges;
    // An edge at `from` itself goes, too: runs that touch become one.
    const first = this.#above(from - 1);
    const last = this.#above(to);
    const before = first % 2 === 1;
    const behind = last % 2 === 1;
    if (before === inside && behind === inside && first === last) return;
    const made: number[] = [];
    if (before !== inside) made.push(from);
    if (behind !== inside) made.push(to);
    edges.splice(first, last - first, ...made);
  }
}
