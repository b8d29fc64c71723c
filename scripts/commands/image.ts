import { Command, InvalidArgumentError, Option } from 'commander';
import { HEADER_BYTES, HEADER_MAX } from '../../firmware/bootloader/layout.ts';
import { readImage, readPayload } from '../../boards/image/file.ts';
import { type Image, isSignedBy, makeImage } from '../../boards/image/image.ts';
import { readPrivateKey, readPublicKey } from '../../boards/image/keys.ts';
import { KINDS, kindName } from '../../boards/image/kind.ts';
import { type ImageVersion, versionOf, versionText } from '../../boards/image/version.ts';
import { EXIT_BAD_FLASH_IMAGE, EXIT_CANNOT_WRITE, InputError } from '../../boards/input-error.ts';
import { developmentKey, keygen, writeWhole } from '../image-keys.ts';
import { version as programVersion } from '../version.ts';
import { jsonOption } from './options.ts';
import { print } from './show.ts';

const COUNTER_MAX = 0xffff_ffff;

function parseVersion(text: string): ImageVersion {
  const version = versionOf(text);
  if (version === null) throw new InvalidArgumentError('It is like 1.2.3 or 1.2.3+4.');
  return version;
}

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`It is a number, ${least} to ${most}.`);
    return value;
  };

interface SignFlags {
  out?: string;
  key?: string;
  board: string;
  version?: ImageVersion;
  counter: number;
  headerBytes: number;
}

export function signImage(path: string, flags: SignFlags): string[] {
  const payload = readPayload(path);
  const image = makeImage(payload, {
    key: readPrivateKey(flags.key ?? developmentKey()),
    version: flags.version ?? versionOf(programVersion())!,
    counter: flags.counter,
    board: KINDS[flags.board]!,
    headerBytes: flags.headerBytes,
  });
  const out = flags.out ?? `${path.replace(/\.(wasm|bin)$/, '')}.img`;
  writeWhole(out, image);
  return [`${out}: ${image.length} bytes`];
}

const facts = (image: Image): Record<string, string | number> => ({
  version: versionText(image.version),
  board: kindName(image.board),
  security_counter: image.counter,
  bytes: image.bytes.length,
  payload_bytes: image.payload.length,
  payload_offset: image.headerBytes,
  sha256: image.digest.toString('hex'),
  key_hash: image.keyHash.toString('hex'),
});

const factLines = (image: Image): string[] =>
  Object.entries(facts(image)).map(([name, value]) => `${name.replaceAll('_', ' ').padEnd(17)} ${value}`);

function checkSignature(path: string, keyPath: string): string[] {
  const image = readImage(path);
  if (!isSignedBy(image, readPublicKey(keyPath))) {
    throw new InputError(`${path}: not signed by the key in ${keyPath}`, EXIT_BAD_FLASH_IMAGE);
  }
  return [
    `${path}: ${versionText(image.version)} for ${kindName(image.board)}, signed by the key in ${keyPath}`,
  ];
}

const signCommand = (): Command =>
  new Command('sign')
    .summary('make a signed image of a firmware build')
    .argument('<build>', 'the payload: a wasm module, or code of a Cortex-M')
    .option('--out <file>', 'the image (default: beside the build, .img)')
    .option('--key <file>', 'private key in PEM (default: a development key, made when there is none)')
    .addOption(
      new Option('--board <kind>', 'what it runs on').choices(Object.keys(KINDS)).default('emulated'),
    )
    .addOption(new Option('--version <version>', 'default: of sparecore').argParser(parseVersion))
    .addOption(
      new Option('--counter <number>', 'security counter: a board that ran a higher one refuses it')
        .argParser(wholeNumber(0, COUNTER_MAX))
        .default(1),
    )
    .addOption(
      new Option('--header-bytes <number>', 'where the payload begins')
        .argParser(wholeNumber(HEADER_BYTES, HEADER_MAX))
        .default(HEADER_BYTES),
    )
    .action((build: string, flags: SignFlags) => print(signImage(build, flags)));

export function imageCommand(): Command {
  const command = new Command('image')
    .summary('make, read and check firmware images')
    .description(
      "Firmware images in MCUboot's format: SHA-256, Ed25519 signature, version, security counter, kind of board.",
    )
    .addHelpText(
      'after',
      `
Examples:
  $ npm run build:image                               build/firmware.img, of the firmware as it is built
  $ sparecore image keygen rig.pem                    rig.pem signs, rig.pub.pem is what boards trust
  $ sparecore image sign build/firmware.wasm --key rig.pem --version 1.4.0 --counter 3 --out rig.img
  $ sparecore image verify rig.img --key rig.pub.pem

Exit codes: 0 all went well, 2 wrong usage, ${EXIT_BAD_FLASH_IMAGE} image or key refused, ${EXIT_CANNOT_WRITE} output cannot be written.`,
    );
  command
    .command('info')
    .summary('what an image says of itself')
    .argument('<image>')
    .addOption(jsonOption('it as one JSON object'))
    .action((path: string, { json }: { json?: true }) => {
      const image = readImage(path);
      print(json === true ? [JSON.stringify(facts(image))] : factLines(image));
    });
  command
    .command('verify')
    .summary('whether a key signed an image')
    .argument('<image>')
    .requiredOption('--key <file>', 'public key in PEM')
    .action((path: string, { key }: { key: string }) => print(checkSignature(path, key)));
  command
    .command('keygen')
    .summary('make a key pair')
    .argument('<file>', 'the private key, NAME.pem; the public one is NAME.pub.pem')
    .option('--force', 'replace a key that is there')
    .action((path: string, { force }: { force?: true }) => print(keygen(path, force === true)));
  return command.addCommand(signCommand());
}
