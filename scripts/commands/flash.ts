import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { realHost } from '../../boards/host.ts';
import { readImage } from '../../boards/image/file.ts';
import { versionText } from '../../boards/image/version.ts';
import { EXIT_BAD_BOARD, EXIT_BAD_FLASH_IMAGE, EXIT_BAD_PORT } from '../../boards/input-error.ts';
import type { Wanted } from '../../boards/serial/connect.ts';
import { type FlashResult, flash } from '../../boards/serial/flasher.ts';
import { openPort } from '../../boards/serial/port.ts';
import { lookOf } from '../render/look.ts';
import { TransferView, kib } from '../render/transfer.ts';
import { print } from './show.ts';

interface Flags {
  protocol: Wanted;
  baud?: number;
  yes?: true;
  test?: true;
  confirm?: true;
}

/** What boards of this house and most others speak, tried in turn when no speed is given. */
const BAUDS = [115200, 921600] as const;

function parseBaud(text: string): number {
  if (!/^\d{3,8}$/.test(text))
    throw new InvalidArgumentError('It is a number of bits a second, like 115200.');
  return Number(text);
}

async function mayErase(what: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    console.error(`sparecore: ${what}? There is no terminal to ask on: --yes goes without.`);
    return false;
  }
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await ask.question(`${what}. Go on? [y/N] `)).trim());
  } finally {
    ask.close();
  }
}

function summary(
  image: string,
  { protocol, bytes, repeats, losses, wasThere }: FlashResult,
  confirm: boolean,
  ms: number,
): string[] {
  if (wasThere) return [`${image}: nothing to do`];
  const seconds = ms / 1000;
  const trouble = [
    ...(repeats > 0 ? [`${repeats} chunks sent again`] : []),
    ...(losses > 0 ? [`lost and found ${losses} times`] : []),
  ];
  return [
    `${image}: ${kib(bytes)} in ${seconds.toFixed(1)} s over ${protocol === 'smp' ? 'SMP' : 'AN3155'}` +
      `${trouble.length > 0 ? ` (${trouble.join(', ')})` : ''}`,
    confirm
      ? 'the board boots it from now on'
      : 'the board boots it on trial: unless the firmware confirms itself, the next reset brings the old one back',
  ];
}

async function run(path: string, imagePath: string, flags: Flags): Promise<void> {
  const image = readImage(imagePath);
  const host = realHost(true);
  const look = lookOf(process.stdout, process.env);
  const nowMs = (): number => host.now() / 1e6;
  const view = new TransferView(look, (text) => void process.stdout.write(text), nowMs);
  const begun = nowMs();
  const result = await flash({
    host,
    path,
    image,
    open: (baud, parity) => openPort({ path, baud, parity }),
    bauds: flags.baud === undefined ? BAUDS : [flags.baud],
    wanted: flags.protocol,
    confirm: flags.confirm === true,
    mayErase: (what) => mayErase(what, flags.yes === true),
    onStep: (text) => {
      view.end();
      print([text]);
    },
    onProgress: (progress) => view.show(progress),
  });
  view.end();
  print(summary(versionText(image.version), result, flags.confirm === true, nowMs() - begun));
}

export const flashCommand = (): Command =>
  new Command('flash')
    .summary('write a firmware image to a board on a serial port')
    .description(
      'Writes a signed firmware image to a board on a serial port: over SMP, as the serial recovery of MCUboot and Zephyr ' +
        'speak it, or over the protocol of the bootloader in STM32 ROM (AN3155). It goes on after noise, a pulled cable or ' +
        'a reset of the board; started again, it goes on where it was.',
    )
    .argument('<port>', 'as sparecore ports lists it')
    .argument('<image>', 'as sparecore image sign makes it')
    .addOption(
      new Option('--protocol <name>', 'what the board speaks')
        .choices(['auto', 'smp', 'stm32'] satisfies Wanted[])
        .default('auto'),
    )
    .addOption(
      new Option('--baud <number>', `bits a second (default: ${BAUDS.join(', then ')})`).argParser(parseBaud),
    )
    .option('--yes', 'erase without asking')
    .addOption(
      new Option('--test', 'boot it on trial: it must confirm itself (default)').conflicts('confirm'),
    )
    .option('--confirm', 'boot it for good, without a trial')
    .addHelpText(
      'after',
      `
Examples:
  $ sparecore ports
  $ npm run build:image
  $ sparecore flash /dev/ttyACM0 build/firmware.img

Exit codes:
  0   written and started
  2   wrong usage
  ${EXIT_BAD_FLASH_IMAGE}  image refused: damaged, wrong key, for another board, or a downgrade
  ${EXIT_BAD_PORT}  port refused: not there, not permitted, or in use
  ${EXIT_BAD_BOARD}  no answer, the board refused, or nothing was to be erased`,
    )
    .action((port: string, image: string, flags: Flags) => run(port, image, flags));
