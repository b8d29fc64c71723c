/**
 * The memory controller's list of poisoned pages: uncorrectable errors that a read would run into. RAM is tested and
 * cleared at power-on, and then none is.
 */
const PAGE = 4096;
const NONE = 0xffffffff;

export class Ecc {
  /** Page numbers, rising. */
  #pages: number[] = [];

  get pages(): readonly number[] {
    return this.#pages;
  }

  poison(address: number): void {
    const page = Math.floor(address / PAGE);
    if (!this.#pages.includes(page)) this.#pages = [...this.#pages, page].toSorted((a, b) => a - b);
  }

  clear(): void {
    this.#pages = [];
  }

  /** First poisoned page from `page` on, or all ones. */
  next(page: number): number {
    for (const each of this.#pages) if (each >= page) return each;
    return NONE;
  }

  /** True when any of these bytes is poisoned. */
  meets(address: number, bytes: number): boolean {
    if (this.#pages.length === 0 || bytes === 0) return false;
    const next = this.next(Math.floor(address / PAGE));
    return next !== NONE && next * PAGE < address + bytes;
  }
}
