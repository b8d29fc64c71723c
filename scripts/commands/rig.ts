import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { HEADER_BYTES } from '../../firmware/bootloader/layout.ts';
import { readImage } from '../../boards/image/file.ts';
import { isSignedBy } from '../../boards/image/image.ts';
import { readPublicKey } from '../../boards/image/keys.ts';
import { EXIT_BAD_FLASH_IMAGE, InputError } from '../../boards/input-error.ts';
import { firmwarePath } from '../../boards/machine.ts';
import { EXIT_OK } from '../exit-codes.ts';
import { developmentKey } from '../image-keys.ts';
import { table } from '../render/format.ts';
import { RIG_KINDS, type RigKind, nativePath } from '../rig/kinds.ts';
import { type RigRecord, rigs } from '../rig/records.ts';
import { startRig, stopRig } from '../rig/rigs.ts';
import { signImage } from './image.ts';
import { jsonOption } from './options.ts';
import { print } from './show.ts';

interface StartFlags {
  kind: RigKind;
  memory: number;
  image?: string;
  key?: string;
  empty?: true;
  json?: true;
}

const MEMORY_MAX_MIB = 4096;

function parseMemory(text: string): number {
  const mib = Number(text);
  if (!/^\d{1,4}$/.test(text) || mib < 16 || mib > MEMORY_MAX_MIB)
    throw new InvalidArgumentError(`It must be 16 to ${MEMORY_MAX_MIB}.`);
  return mib;
}

const nameArgument = (): Argument => new Argument('[name]', 'of the rig').default('rig');

export const rigCommand = (): Command =>
  new Command('rig')
    .summary('boards of their own behind a serial line, for trying out without hardware')
    .description(
      'A rig is a board in a process of its own behind a pair of pseudo-terminals, which look like a serial port: what ' +
        'works with it works with a board on a cable.',
    )
    .addCommand(
      new Command('start')
        .summary('start one, and print its port')
        .addArgument(nameArgument())
        .addOption(
          new Option('--kind <kind>', 'what the board is made of').choices([...RIG_KINDS]).default('node'),
        )
        .option('--memory <mib>', 'the most RAM that a scenario may want', parseMemory, 64)
        .option(
          '--image <file>',
          'the signed image it has (default: one of the firmware that npm run build or build:native made)',
        )
        .option('--key <file>', 'public key that it trusts (default: that of the development key)')
        .option('--empty', 'without an image: it waits in its bootloader to be flashed')
        .addOption(jsonOption('the rig as one JSON object'))
        .action(async (name: string, flags: StartFlags) => {
          process.exitCode = await start(name, flags);
        }),
    )
    .addCommand(
      new Command('stop')
        .summary('stop one')
        .addArgument(nameArgument())
        .action((name: string) => stopRig(name)),
    )
    .addCommand(
      new Command('list')
        .summary('those that run')
        .addOption(jsonOption('them as one JSON array'))
        .action((flags: { json?: true }) => list(flags.json === true)),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sparecore rig start
  $ sparecore run small --board-a serial:$(sparecore rig start a --json | jq -r .port)
  $ sparecore rig start new --empty    then: sparecore flash PORT build/firmware.img
  $ sparecore rig stop a
A rig needs the program socat.`,
    );

async function start(
  name: string,
  { kind, memory, key, empty, json, ...flags }: StartFlags,
): Promise<number> {
  const trusted = key ?? developmentKey();
  const image = empty === true ? null : (flags.image ?? signedBuild(kind));
  if (image !== null && !isSignedBy(readImage(image), readPublicKey(trusted)))
    throw new InputError(`${image}: is not signed by the key in ${trusted}`, EXIT_BAD_FLASH_IMAGE);
  return tell(await startRig({ name, kind, memoryMib: memory, key: trusted, image }), json === true);
}

function tell(rig: RigRecord, json: boolean): number {
  if (json) print([JSON.stringify(rig)]);
  else print([rig.port, `now: npx sparecore run small --board-a serial:${rig.port}`]);
  return EXIT_OK;
}

/** An image of the firmware that the build made, signed for trying it out. */
export function signedBuild(kind: RigKind): string {
  const [build, board] =
    kind === 'qemu' ? [nativePath('sparecore.bin'), 'cortex-m'] : [firmwarePath(), 'emulated'];
  const out = build.replace(/\.(wasm|bin)$/, '.rig.img');
  signImage(build, { out, board, counter: 1, headerBytes: HEADER_BYTES });
  return out;
}

function list(json: boolean): void {
  const found = rigs();
  if (json) return print([JSON.stringify(found)]);
  if (found.length === 0) return print(['no rig runs; sparecore rig start starts one']);
  const rows = found.map(({ name, kind, memoryMib, port }) => [name, kind, `${memoryMib} MiB`, port]);
  print(table([['name', 'kind', 'RAM', 'port'], ...rows], [2]));
}
