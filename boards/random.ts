/**
 * Named random streams: each component draws from its own, so that one more draw in one place changes nothing in
 * another. Integers only.
 *
 * [xoshiro] Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators": xoshiro128**
 */
const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

export class RandomStream {
  #s: Uint32Array;

  constructor(seed: string, name: string) {
    // FNV-1a of both, then splitmix32 to fill the state.
    let h = 0x811c9dc5;
    for (const c of `${seed}\0${name}`) h = Math.imul(h ^ c.codePointAt(0)!, 0x01000193) >>> 0;
    this.#s = Uint32Array.from({ length: 4 }, () => {
      h = (h + 0x9e3779b9) >>> 0;
      let z = h;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    });
  }

  /** 32 random bits. */
  next(): number {
    const s = this.#s;
    const result = Math.imul(rotl(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotl(s[3]!, 11);
    return result;
  }

  /** A whole number from 0 to n - 1; n at most 2^32. */
  below(n: number): number {
    return Math.floor((this.next() * n) / 0x1_0000_0000);
  }

  /** True in `numerator` of `denominator` cases. */
  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator;
  }

  save(): number[] {
    return [...this.#s];
  }

  restore(state: number[]): void {
    this.#s.set(state);
  }
}
