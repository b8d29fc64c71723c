/**
 * A sanitize operation in the background: it goes on whatever becomes of the command that began it, of its nexus and of
 * the power, and meanwhile the device server keeps all others from the medium. One that was cut begins anew: the medium
 * is overwritten as a whole at the end.
 *
 * [SBC-3] 4.11 sanitize operations · [SBC-4] 4.11 resumed after power on
 */
import * as L from '../../asm/layout.ts';
import { type Clock, US } from '../clock.ts';
import type { Shop } from './landing.ts';
import { ImageError } from './medium.ts';
import type { Unit } from './unit.ts';
import type { DeviceServers } from './server.ts';
import type { Task } from './task.ts';

/** How often the progress is told. */
const STEPS = 64;
const STEP = 1;

export class Sanitizer {
  #unit: Unit;
  #servers: DeviceServers;
  #clock: Clock;
  #component: number;
  /** Makes the non-volatile image durable. */
  #keep: () => void;
  /** Its block of data, and what is told at the end; null: nothing runs. */
  #running: { pattern: readonly number[]; stepUs: number; ended: (good: boolean) => void } | null = null;

  constructor(unit: Unit, servers: DeviceServers, clock: Clock, keep: () => void) {
    this.#unit = unit;
    this.#servers = servers;
    this.#clock = clock;
    this.#keep = keep;
    this.#component = clock.register((_kind, step) => this.#step(step));
  }

  /** Begins the operation of the task, which takes `us`; 0: it is done at once. */
  begin(task: Task, us: number, shop: Shop, ended: (good: boolean) => void): void {
    const { number, medium, config } = this.#unit;
    this.#run(task.extents, us, (good) => {
      if (good) shop.wrote(number, task.nexus, 0, medium.bytes / config.blockBytes);
      ended(good);
    });
  }

  /** Begins anew the operation that the loss of power has cut, if there is one. */
  resume(us: number): void {
    const pattern = this.#servers.interruptedSanitize(this.#unit.number);
    if (pattern !== null) this.#run(pattern, us, () => {});
  }

  #run(pattern: readonly number[], us: number, ended: (good: boolean) => void): void {
    this.#running = { pattern, stepUs: Math.ceil(us / STEPS), ended };
    if (us === 0) this.#end();
    else this.#clock.after(this.#running.stepUs * US, this.#component, STEP, 1);
  }

  #step(step: number): void {
    if (this.#running === null) return;
    if (step === STEPS) return this.#end();
    this.#servers.sanitize(this.#unit.number, Math.floor((step * 0x10000) / STEPS));
    this.#clock.after(this.#running.stepUs * US, this.#component, STEP, step + 1);
  }

  #end(): void {
    const running = this.#running!;
    this.#running = null;
    const good = !this.#unit.writesFail && !this.#unit.dead && this.#overwrite(running.pattern);
    if (this.#servers.sanitize(this.#unit.number, good ? L.SANITIZE_DONE : L.SANITIZE_FAILED)) this.#keep();
    running.ended(good);
  }

  /** The pattern again and again in each block; without one the blocks are erased. False: the host could not. */
  #overwrite(pattern: readonly number[]): boolean {
    try {
      this.#cover(pattern);
      return true;
    } catch (error) {
      if (error instanceof ImageError) return false;
      throw error;
    }
  }

  #cover(pattern: readonly number[]): void {
    const { medium, tags, config } = this.#unit;
    if (pattern.length === 0) medium.unmap(0, medium.bytes);
    else medium.fill(Uint8Array.from({ length: config.blockBytes }, (_, i) => pattern[i % pattern.length]!));
    tags?.unmap(0, tags.bytes);
    medium.flush(); // before the image says that it is done
    tags?.flush();
  }
}
