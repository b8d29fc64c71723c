/**
 * A pair that runs in real time while initiators of the real world stand at the ports of its disks. What happens is
 * told as it happens; what an operator orders is done at once.
 */
import { type LiveAnswer, answerLive } from './core/live-board.ts';
import { type Attachment, openLines } from './attached/lines.ts';
import type { Host } from './host.ts';
import { type ChapSecrets, type IscsiEvent, type IscsiServer, serveIscsi } from './iscsi/server.ts';
import { type Machine, makeMachine } from './machine.ts';
import { stepText } from './observer/steps.ts';
import * as F from '../firmware/layout.ts';
import { RealTime } from './real-time.ts';
import type { EventConfig, Scenario } from './scenario.ts';
import { Script } from './script.ts';
import { type Status, statusOf } from './status.ts';

/** Something that happened: one line of `serve --json`. `at_s` is board time. */
export type ServeEvent =
  | { event: 'step'; at_s: number; board: 'a' | 'b'; name: string; text: string }
  | { event: 'order'; at_s: number; text: string }
  | { event: 'violation'; at_s: number; text: string }
  | ({ at_s: number } & IscsiEvent);

export interface Portal {
  address: string;
  port: number;
}

export interface ServeOptions {
  scenario: Scenario;
  host: Host;
  portals: readonly [Portal, Portal];
  chap: ChapSecrets | null;
  disksDir?: string | undefined;
  firmware?: string | undefined;
  /** Where boards are attached; by default both are emulated. */
  attached?: Attachment | undefined;
  onEvent: (event: ServeEvent) => void;
}

export interface ShelfPort {
  port: 'a' | 'b';
  portal: string; // address:port
  target: string; // iSCSI name
  luns: { lun: number; disk: string; role: string }[];
}

/** One target a port of the shelf, [RFC 7143] 4.2.7.1; "example" is nobody's domain, [RFC 2606] 2. */
export const TARGETS = [
  'iqn.2026-11.example.sparecore:shelf.a',
  'iqn.2026-11.example.sparecore:shelf.b',
] as const;

/** Boards that are not up by then are not waited for: a scenario may be about just that. */
const READY_NS = 10e9;

export class Serving {
  readonly ports: readonly ShelfPort[];
  readonly #machine: Machine;
  readonly #pace: RealTime;
  readonly #script: Script;
  readonly #iscsi: IscsiServer;
  readonly #options: ServeOptions;
  #told = 0;

  private constructor(options: ServeOptions, machine: Machine, pace: RealTime, iscsi: IscsiServer) {
    this.#options = options;
    this.#machine = machine;
    this.#pace = pace;
    this.#iscsi = iscsi;
    this.#script = new Script(machine);
    const luns = machine.scenario.disks.map(({ name, role }, lun) => ({ lun, disk: name, role }));
    this.ports = iscsi.portals.map(({ address, port, target }, index) => ({
      port: index === 0 ? 'a' : 'b',
      portal: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
      target,
      luns,
    }));
  }

  /** Listens, powers both boards on, and resolves when they serve. */
  static async start(options: ServeOptions): Promise<Serving> {
    const { scenario, host } = options;
    const machine = makeMachine({
      scenario,
      seed: scenario.seed,
      folder: options.disksDir ?? null,
      firmware: options.firmware ?? null,
      attached: await openLines(options),
    });
    const pace = new RealTime(machine.clock, host);
    const tell = (event: IscsiEvent): void => options.onEvent({ at_s: machine.clock.now / 1e9, ...event });
    try {
      const iscsi = await serveIscsi({
        shelf: machine.shelf,
        host,
        enter: (call) => pace.enter(call),
        portals: options.portals,
        targets: TARGETS,
        chap: options.chap,
        onEvent: tell,
      });
      const serving = new Serving(options, machine, pace, iscsi);
      await serving.#powerOn();
      return serving;
    } catch (error) {
      pace.stop();
      machine.close();
      throw error;
    }
  }

  #powerOn(): Promise<void> {
    const { boards, observer, clock, scenario } = this.#machine;
    const up = new Set<number>();
    return new Promise((resolve) => {
      const component = clock.register(() => resolve());
      clock.at(READY_NS, component, 0);
      observer.onEvent = (name, event) => {
        this.#script.heard(name);
        const text = stepText(scenario, event);
        const { onEvent } = this.#options;
        const board = 'ab'[event.board] as 'a' | 'b';
        if (text !== null) onEvent({ event: 'step', at_s: event.time / 1e9, board, name, text });
        this.#tellViolations();
        if (event.code === F.EV_READY) up.add(event.board);
        if (up.size === 2) resolve();
      };
      for (const board of boards) board.powerOn();
      this.#pace.start();
    });
  }

  #tellViolations(): void {
    const { violations } = this.#machine.observer.invariants;
    while (this.#told < violations.length) {
      const text = violations[this.#told++]!;
      this.#options.onEvent({ event: 'violation', at_s: this.#machine.clock.now / 1e9, text });
    }
  }

  /** What an operator ordered, in the operator's words, happens now. */
  order(text: string, event: EventConfig): void {
    this.#pace.enter(() => {
      this.#options.onEvent({ event: 'order', at_s: this.#machine.clock.now / 1e9, text });
      this.#script.happen(event);
    });
  }

  /** The answer to a debugger's order; null for an order of another kind. */
  debug(order: string): LiveAnswer | null {
    let answer: LiveAnswer | null = null;
    this.#pace.enter(() => {
      answer = answerLive(order, this.#machine.boards);
    });
    return answer;
  }

  status(): Status {
    let status: Status | null = null;
    this.#pace.enter(() => {
      this.#tellViolations();
      status = statusOf(this.#machine, this.#pace.forgiven, this.#iscsi.sessions());
    });
    if (status === null) throw new Error('the pair is no longer served');
    return status;
  }

  get violations(): readonly string[] {
    return this.#machine.observer.invariants.violations;
  }

  /** Logs the initiators out, stops the boards, and leaves the media as they are. */
  async close(): Promise<void> {
    await this.#iscsi.close();
    this.#pace.stop();
    this.#machine.close();
  }
}
