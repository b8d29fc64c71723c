/** Flashes a board: connects, asks what it is, sends the image, has it tried or confirmed, and starts it. */
import type { Host } from '../host.ts';
import type { Image } from '../image/image.ts';
import { kindName } from '../image/kind.ts';
import { versionText } from '../image/version.ts';
import { EXIT_BAD_BOARD, EXIT_BAD_FLASH_IMAGE, InputError } from '../input-error.ts';
import { type Connection, type OpenPort, type Wanted, connect, reconnect } from './connect.ts';
import { LineLost, NoAnswer } from './line-error.ts';
import * as smp from './smp/board.ts';
import type { SmpClient } from './smp/client.ts';
import { Refused } from './smp/refusal.ts';
import { type Progress, upload } from './smp/upload.ts';
import { Nack, type Stm32Client } from './stm32/client.ts';
import { start, writeImage } from './stm32/write.ts';

export interface FlashOptions {
  host: Host;
  open: OpenPort;
  path: string;
  bauds: readonly number[];
  wanted: Wanted;
  image: Image;
  /** The new image is confirmed at once, instead of tried. */
  confirm: boolean;
  onStep: (text: string) => void;
  onProgress: (progress: Progress) => void;
  /** May this be erased? */
  mayErase: (what: string) => Promise<boolean>;
}

export interface FlashResult {
  protocol: 'smp' | 'stm32';
  baud: number;
  bytes: number;
  /** Chunks that were sent again. */
  repeats: number;
  /** Times the line or the board was lost on the way. */
  losses: number;
  /** The board had it already. */
  wasThere: boolean;
}

/** So long a pulled cable is waited for. */
const REPLUG_MS = 60_000;
const LOSSES_MAX = 10;
/** [SMP] MGMT_ERR_ENOTSUP */
const NOT_SUPPORTED = 8;

/** Bootloaders that overwrite their only slot, as MCUboot can be built, do not know image states. */
async function orWithout<T, U>(work: Promise<T>, without: U): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refused && error.rc === NOT_SUPPORTED) return without;
    throw error;
  }
}

class Declined extends InputError {}

class Flasher {
  readonly #options: FlashOptions;
  #connection: Connection | null = null;
  #mayErase = false;
  #repeats = 0;
  #repeatsBefore = 0;
  #losses = 0;

  constructor(options: FlashOptions) {
    this.#options = options;
  }

  async run(): Promise<FlashResult> {
    const { onStep } = this.#options;
    this.#connection = await connect(this.#options);
    onStep(`${this.#connection.protocol === 'smp' ? 'SMP' : 'AN3155'} at ${this.#connection.baud} baud`);
    try {
      for (;;) {
        try {
          return await this.#attempt(this.#connection);
        } catch (error) {
          if (!(error instanceof LineLost || error instanceof NoAnswer || error instanceof Nack)) {
            await this.#leave(this.#connection);
            throw error;
          }
          if (++this.#losses > LOSSES_MAX)
            throw new InputError(`${this.#options.path}: ${error.message}`, EXIT_BAD_BOARD);
          this.#repeatsBefore += this.#repeats;
          this.#repeats = 0;
          onStep(`lost: ${error.message}; waiting for it to come back`);
          await this.#connection.port.close();
          const { protocol, baud } = this.#connection;
          this.#connection = await reconnect(
            { ...this.#options, wanted: protocol, bauds: [baud] },
            REPLUG_MS,
          );
          onStep('there again');
        }
      }
    } finally {
      await this.#connection.port.close();
    }
  }

  /** A board that got nothing new runs again what it had. */
  async #leave(connection: Connection): Promise<void> {
    if (connection.protocol !== 'smp') return;
    try {
      await smp.reset(connection.client);
    } catch {
      // What went wrong is told already.
    }
  }

  async #attempt(connection: Connection): Promise<FlashResult> {
    const wasThere =
      connection.protocol === 'smp'
        ? await this.#bySmp(connection.client, connection.baud)
        : await this.#byStm32(connection.client, connection.identity);
    return {
      protocol: connection.protocol,
      baud: connection.baud,
      bytes: this.#options.image.bytes.length,
      repeats: this.#repeatsBefore + this.#repeats,
      losses: this.#losses,
      wasThere,
    };
  }

  async #bySmp(client: SmpClient, baud: number): Promise<boolean> {
    const { image, confirm, onStep } = this.#options;
    this.#compare(await smp.boardInfo(client));
    const states = await orWithout(smp.images(client), []);
    if (this.#runs(states, confirm)) {
      await smp.reset(client); // it runs again
      return true;
    }
    await this.#ask(states);
    const parameters = await smp.parameters(client);
    const send = (): Promise<boolean | null> =>
      upload(client, {
        image: image.bytes,
        parameters,
        baud,
        onProgress: (progress) => this.#progress(progress),
      });
    if ((await send()) === false) {
      onStep('what the board has differs from what was sent; once more from the beginning');
      await smp.erase(client);
      if ((await send()) === false)
        throw new InputError('the board does not keep what it is sent', EXIT_BAD_BOARD);
    }
    onStep(confirm ? 'confirming' : 'marking for a trial');
    if ((await orWithout(smp.select(client, image.digest, confirm), null)) === null) {
      onStep('this bootloader has no trial: it boots what was written');
    }
    await smp.reset(client);
    return false;
  }

  async #byStm32(
    client: Stm32Client,
    identity: Parameters<typeof writeImage>[1]['identity'],
  ): Promise<boolean> {
    if (this.#options.confirm) {
      throw new InputError(
        'AN3155 cannot confirm an image: use SMP, or let the firmware confirm itself',
        EXIT_BAD_BOARD,
      );
    }
    await this.#ask([]);
    await writeImage(client, {
      image: this.#options.image.bytes,
      identity,
      onProgress: (progress) => this.#progress(progress),
    });
    this.#options.onStep('written and read back');
    await start(client);
    return false;
  }

  #progress(progress: Progress): void {
    this.#repeats = progress.repeats;
    this.#options.onProgress(progress);
  }

  /** What the board would refuse in the end is refused before anything is sent. */
  #compare(info: smp.BoardInfo | null): void {
    const { image, path } = this.#options;
    const no = (what: string): never => {
      throw new InputError(`${path}: ${what}`, EXIT_BAD_FLASH_IMAGE);
    };
    if (info === null) return;
    if (info.kind === null || info.keyHash === null)
      return no('the board trusts no key yet; its factory data is missing');
    if (info.kind !== image.board) {
      return no(`the image is for ${kindName(image.board)}, the board is ${kindName(info.kind)}`);
    }
    if (!image.keyHash.equals(info.keyHash)) {
      return no(
        `wrong key: the image is signed by ${image.keyHash.toString('hex').slice(0, 16)}…, the board trusts ` +
          `${Buffer.from(info.keyHash).toString('hex').slice(0, 16)}…`,
      );
    }
    if (image.counter < info.counter) {
      return no(`a downgrade: the image's security counter is ${image.counter}, the board's ${info.counter}`);
    }
    if (image.bytes.length > info.room)
      return no(`${image.bytes.length} bytes do not fit its slot of ${info.room}`);
  }

  /** Nothing is to be done where the board would boot this image anyway. */
  #runs(states: readonly smp.ImageState[], confirm: boolean): boolean {
    const active = states.find((state) => state.active);
    if (active === undefined || !this.#options.image.digest.equals(active.hash)) return false;
    if (!active.confirmed && (confirm || !active.pending)) return false;
    this.#options.onStep(
      active.confirmed ? 'the board runs this image already' : 'this image is on trial already',
    );
    return true;
  }

  async #ask(states: readonly smp.ImageState[]): Promise<void> {
    if (this.#mayErase) return;
    const active = states.find((state) => state.active);
    const rest = active === undefined ? '' : `; ${active.version}, which it runs now, stays in the other`;
    const { image, path } = this.#options;
    const what = `${path}: erase a slot and write ${versionText(image.version)} (${image.bytes.length} bytes)${rest}`;
    this.#mayErase = await this.#options.mayErase(what);
    if (!this.#mayErase) throw new Declined('nothing was erased', EXIT_BAD_BOARD);
  }
}

export const flash = (options: FlashOptions): Promise<FlashResult> => new Flasher(options).run();
