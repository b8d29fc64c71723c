import { appendFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { type SerialAddress, parseAddress } from '../../boards/attached/address.ts';
import { Alone } from '../../boards/attached/alone.ts';
import { type Look, lookAt } from '../../boards/attached/look.ts';
import { Transport } from '../../boards/attached/transport.ts';
import { realHost } from '../../boards/host.ts';
import { EXIT_CANNOT_WRITE, InputError } from '../../boards/input-error.ts';
import { firmwarePath } from '../../boards/machine.ts';
import { type Port, openPort } from '../../boards/serial/port.ts';
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts';
import { hostHold } from '../host-pause.ts';

interface ConsoleFlags {
  log?: string;
  run?: true;
  memory: number;
  for?: number;
}

/** Ctrl-], as in telnet and picocom's kin: nothing a firmware wants to hear. */
const EXIT_KEY = '\x1d';
const EXIT_KEY_NAME = 'Ctrl-]';
const MACHINES: Readonly<Record<number, string>> = { 3: 'WebAssembly', 40: 'Arm' };

function parseSeconds(text: string): number {
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text)) throw new InvalidArgumentError('It must be seconds.');
  return Number(text);
}

/** A port as in --board-a, or the port alone. */
const portOf = (text: string): SerialAddress =>
  parseAddress(text.startsWith('serial:') ? text : `serial:${text}`) as SerialAddress;

export const consoleCommand = (): Command =>
  new Command('console')
    .summary("talk to a board's uart")
    .description(
      'Attaches to the uart of the board behind a serial port. A board of ours is asked what it is, and shows the log ' +
        'that its last run left in its RAM; with --run its firmware is booted, without disks or partner, and runs in ' +
        'real time. Anything else behind the port, such as a boot loader, is talked to as it is.',
    )
    .argument('<port>', 'serial port, as PORT[,baud=N]', portOf)
    .option('--run', 'boot the firmware: it clears what RAM holds')
    .option('--memory <mib>', 'RAM that it gets', Number, 16)
    .option('--log <file>', 'append all that is shown to this file')
    .option('--for <seconds>', 'end after so long', parseSeconds)
    .addHelpText(
      'after',
      `
Examples:
  $ sparecore console /dev/ttyACM0
  $ sparecore console /dev/ttyUSB0,baud=115200 --log board.log
  $ sparecore console /dev/ttyACM0 --run            then t, a, g or s: see firmware/console.ts
${EXIT_KEY_NAME} ends it.`,
    )
    .action(async (address: SerialAddress, flags: ConsoleFlags) => {
      process.exitCode = await attach(address, flags);
    });

type Show = (text: string) => void;

function shower(path: string | undefined): Show {
  return (text) => {
    process.stdout.write(text, 'latin1');
    if (path === undefined) return;
    try {
      appendFileSync(path, text, 'latin1');
    } catch (error) {
      throw new InputError(`${path}: ${(error as Error).message}`, EXIT_CANNOT_WRITE);
    }
  };
}

async function attach(address: SerialAddress, flags: ConsoleFlags): Promise<number> {
  const show = shower(flags.log);
  const port = await openPort({ path: address.path, baud: address.baud });
  const raw: Uint8Array[] = [];
  const look = await lookAt(port, realHost(), (bytes) => void raw.push(bytes));
  if (look === null) return talk(port, raw, show, flags);
  tell(look, show);
  await port.close();
  if (flags.run === true) return runAlone(address, show, flags);
  note('no host runs its firmware; --run boots it, and so does sparecore run --board-a');
  return EXIT_OK;
}

const note = (text: string): void => void process.stderr.write(`[${text}]\n`);

function tell({ machine, roomMib, ramMib, build, log }: Look, show: Show): void {
  const ram = ramMib === 0 ? 'none in use since power-on' : `${ramMib} MiB as the last run left it`;
  note(
    `a board of sparecore: ${MACHINES[machine] ?? `machine ${machine}`}, firmware ${build}, RAM ${roomMib} MiB at most, ${ram}`,
  );
  show(log);
}

/** Keys to `type` until the exit key, the end of `--for`, a signal, or `ended`. */
async function keys(flags: ConsoleFlags, type: Show, ended: Promise<string>): Promise<string> {
  const { stdin } = process;
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    note(`${EXIT_KEY_NAME} ends`);
  }
  const left = new Promise<string>((resolve) => {
    stdin.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      const at = text.indexOf(EXIT_KEY);
      type(at < 0 ? text : text.slice(0, at));
      if (at >= 0) resolve('');
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(''));
  });
  const hold = hostHold(flags.for === undefined ? undefined : flags.for * 1000);
  try {
    return await Promise.race([left, ended, hold.over.then(() => '')]);
  } finally {
    hold.letGo();
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.destroy();
  }
}

/** What is there is no board of ours, or none that listens: its bytes, and ours. */
async function talk(port: Port, before: Uint8Array[], show: Show, flags: ConsoleFlags): Promise<number> {
  note('no board of sparecore answers; what is there is talked to as it is');
  const text = (bytes: Uint8Array): void => show(Buffer.from(bytes).toString('latin1'));
  before.forEach(text);
  port.onData = text;
  const gone = new Promise<string>((resolve) => {
    port.onClose = () => resolve('the serial port is gone');
  });
  const why = await keys(flags, (typed) => port.write(Buffer.from(typed, 'latin1')), gone);
  await port.close();
  if (why !== '') note(why);
  return why === '' ? EXIT_OK : EXIT_FAILED;
}

async function runAlone(address: SerialAddress, show: Show, flags: ConsoleFlags): Promise<number> {
  const memoryBytes = flags.memory * 2 ** 20;
  const carrier = await Transport.open(address, firmwarePath(), memoryBytes);
  const alone = new Alone({ carrier, host: realHost(), memoryBytes, onText: show });
  alone.start();
  const why = await keys(flags, (typed) => alone.type(typed), alone.ended);
  alone.stop();
  if (why !== '') note(why);
  return EXIT_OK;
}
