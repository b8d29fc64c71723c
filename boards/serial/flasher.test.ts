import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KIND_CORTEX_M, KIND_EMULATED } from '../../firmware/bootloader/layout.ts';
import { makeImage, parseImage } from '../image/image.ts';
import { EXIT_BAD_BOARD, EXIT_BAD_FLASH_IMAGE, EXIT_BAD_PORT, InputError } from '../input-error.ts';
import { firmwarePath } from '../machine.ts';
import type { Wanted } from './connect.ts';
import { type FlashOptions, type FlashResult, flash } from './flasher.ts';
import { openPort } from './port.ts';
import { type Bench, type BenchOptions, KEY, bench, imageOf, keyOf, sleep } from './rig.test-helper.ts';
import type { Running } from './rig/rig.ts';
import { type CborMap, cborDecode, cborEncode } from './smp/cbor.ts';
import { FrameReader, frameOf } from './smp/frame.ts';
import { VirtualHost } from './virtual-host.ts';
import { Wire } from './wire.ts';

const test = suite('flashing');

interface Told {
  steps: string[];
  asked: string[];
}

interface Choice extends Partial<FlashOptions> {
  bytes?: Buffer;
  wanted?: Wanted;
}

function flashOn(on: Bench, choice: Choice = {}): Promise<FlashResult> & Told {
  const told: Told = { steps: [], asked: [] };
  const work = flash({
    host: on.host,
    path: on.wire.path,
    open: (baud, parity) => openPort({ path: on.wire.path, baud, parity, binding: on.wire.binding }),
    bauds: [115200],
    wanted: 'smp',
    image: parseImage(choice.bytes ?? imageOf()),
    confirm: false,
    onStep: (text) => void told.steps.push(text),
    onProgress: () => undefined,
    mayErase: async (what) => {
      told.asked.push(what);
      return true;
    },
    ...choice,
  });
  return Object.assign(work, told);
}

/** A bench whose firmware, once it runs, is in `running`. */
function withFirmware(options: BenchOptions = {}): Bench & { running: () => Running | null } {
  let running: Running | null = null;
  const made = bench({
    ...options,
    rig: {
      ...options.rig,
      onImage: (image) => {
        running = image;
        return { onData: () => undefined, stop: () => (running = null) };
      },
    },
  });
  return { ...made, running: () => running };
}

const majorOf = (running: Running | null): number | null => {
  if (running === null) return null;
  for (let major = 1; major < 9; major++) {
    const { payload } = parseImage(imageOf({ major, bytes: running.payload.length }));
    if (Buffer.compare(payload, running.payload) === 0) return major;
  }
  return null;
};

async function refused(work: Promise<unknown>): Promise<InputError> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    assert.not.match(error.message, '\n');
    return error;
  }
  return assert.unreachable('it was not refused') as never;
}

test('a new board gets its first image, runs it on trial, and keeps it once it is confirmed', async () => {
  const on = withFirmware();
  await on.host.run(
    (async () => {
      const work = flashOn(on);
      const result = await work;
      assert.is(result.protocol, 'smp');
      assert.is(result.wasThere, false);
      assert.is(work.asked.length, 1);
      assert.match(work.asked[0]!, 'erase a slot and write 1.0.0');
      await sleep(on.host, 1000);
      assert.is(majorOf(on.running()), 1);
      on.running()!.confirm();
      on.rig.reset();
      await sleep(on.host, 1000);
      assert.is(majorOf(on.running()), 1);
      assert.is(on.flash.violations, 0);
    })(),
  );
});

test('an image that does not confirm itself is reverted, and the one before it runs again', async () => {
  const on = withFirmware();
  await on.host.run(
    (async () => {
      await flashOn(on, { confirm: true });
      await sleep(on.host, 1000);
      on.running()!.reboot(true);
      const work = flashOn(on, { bytes: imageOf({ major: 2 }) });
      await work;
      assert.match(work.asked[0]!, '1.0.0, which it runs now, stays');
      await sleep(on.host, 1000);
      assert.is(majorOf(on.running()), 2);
      on.rig.reset();
      await sleep(on.host, 1000);
      assert.is(majorOf(on.running()), 1);
    })(),
  );
});

test('flashing what the board runs already does nothing and asks nothing', async () => {
  const on = withFirmware();
  await on.host.run(
    (async () => {
      await flashOn(on, { confirm: true });
      await sleep(on.host, 1000);
      on.running()!.reboot(true);
      const operations = on.flash.operations;
      const work = flashOn(on, { confirm: true });
      assert.is((await work).wasThere, true);
      assert.equal(work.asked, []);
      assert.is(on.flash.operations, operations);
    })(),
  );
});

for (const wanted of ['smp', 'stm32'] as const) {
  test(`over ${wanted}, one wrong byte in 10,000 costs time, not the image`, async () => {
    const on = withFirmware({ wire: { flipsPerMillion: 100, lossesPerMillion: 20, seed: wanted } });
    await on.host.run(
      (async () => {
        const result = await flashOn(on, { wanted, bytes: imageOf({ bytes: 40_000 }) });
        assert.is(result.protocol, wanted);
        assert.ok(result.repeats > 0, 'there was no noise');
        assert.ok(on.wire.toBoard.flipped > 0);
        await sleep(on.host, 1000);
        assert.is(majorOf(on.running()), 1);
        assert.is(on.flash.violations, 0);
      })(),
    );
  });
}

test('one wrong byte in 1,000 costs more time, and still not the image', async () => {
  const on = withFirmware({ wire: { flipsPerMillion: 1000, seed: '7' } });
  await on.host.run(
    (async () => {
      await flashOn(on, { bytes: imageOf({ bytes: 20_000 }) });
      await sleep(on.host, 1000);
      assert.is(majorOf(on.running()), 1);
    })(),
  );
});

test('a cable pulled at any tenth of the way is waited for, and the upload goes on where it was', async () => {
  for (let tenth = 1; tenth <= 9; tenth += 2) {
    const on = withFirmware();
    await on.host.run(
      (async () => {
        let isPulled = false;
        let sentBefore = 0;
        const work = flashOn(on, {
          bytes: imageOf({ bytes: 20_000 }),
          onProgress: ({ done, total }) => {
            if (isPulled || done * 10 < total * tenth) return;
            isPulled = true;
            sentBefore = on.wire.toBoard.sent;
            on.wire.pull();
            on.host.after(5000, () => on.wire.plug());
          },
        });
        const result = await work;
        assert.is(result.losses, 1);
        assert.is(work.asked.length, 1);
        const sentAfter = on.wire.toBoard.sent - sentBefore;
        assert.ok(sentAfter < (20_000 * 1.5 * (11 - tenth)) / 10 + 4000, `${tenth}: ${sentAfter} bytes`);
        await sleep(on.host, 1000);
        assert.is(majorOf(on.running()), 1);
      })(),
    );
  }
});

test('a board that is reset on the way goes on at the last piece that it wrote down', async () => {
  const on = withFirmware();
  await on.host.run(
    (async () => {
      await flashOn(on, { confirm: true });
      await sleep(on.host, 1000);
      on.running()!.reboot(true);
      const bytes = imageOf({ major: 2, bytes: 100_000 });
      let resets = 0;
      let from = 0;
      await flashOn(on, {
        bytes,
        onProgress: ({ done }) => {
          if (done < 70_000 || resets > 0) return;
          resets++;
          from = on.wire.toBoard.sent;
          on.rig.reset(); // it would boot the old image, but the host goes on talking to it
        },
      });
      assert.is(resets, 1);
      const sent = on.wire.toBoard.sent - from;
      assert.ok(sent < (100_000 - 65_536) * 1.5 + 20_000, `${sent} bytes were sent again`);
      await sleep(on.host, 1000);
      assert.is(majorOf(on.running()), 2);
    })(),
  );
});

test('another key, another kind of board and a downgrade are refused before anything is erased', async () => {
  const on = withFirmware();
  await on.host.run(
    (async () => {
      await flashOn(on, { bytes: imageOf({ counter: 5 }), confirm: true });
      await sleep(on.host, 1000);
      on.running()!.reboot(true);
      const operations = on.flash.operations;
      for (const [bytes, why] of [
        [imageOf({ major: 2, counter: 5, key: keyOf(2) }), 'wrong key'],
        [
          imageOf({ major: 2, counter: 5, board: KIND_CORTEX_M }),
          'the image is for cortex-m, the board is emulated',
        ],
        [imageOf({ major: 2, counter: 4 }), "a downgrade: the image's security counter is 4, the board's 5"],
      ] as const) {
        const work = flashOn(on, { bytes });
        const error = await refused(work);
        assert.match(error.message, why);
        assert.is(error.exitCode, EXIT_BAD_FLASH_IMAGE);
        assert.equal(work.asked, []);
      }
      assert.is(on.flash.operations, operations);
    })(),
  );
});

test('who says no to the question leaves the board as it was', async () => {
  const on = withFirmware();
  await on.host.run(
    (async () => {
      const error = await refused(flashOn(on, { mayErase: async () => false }));
      assert.match(error.message, 'nothing was erased');
      assert.is(error.exitCode, EXIT_BAD_BOARD);
      assert.is(
        on.flash.bytes.subarray(0x4000).every((byte) => byte === 0xff),
        true,
      );
    })(),
  );
});

test('a board that does not answer: what was tried, at which speeds', async () => {
  const on = withFirmware();
  on.rig.powerOff();
  on.wire.board.onLines = () => undefined; // no reset is wired
  await on.host.run(
    (async () => {
      const error = await refused(flashOn(on, { wanted: 'auto', bauds: [115200, 921600] }));
      assert.is(error.exitCode, EXIT_BAD_BOARD);
      assert.match(error.message, 'SMP at 115200 and 921600 baud, 8N1');
      assert.match(error.message, 'AN3155 (stm32) at 115200 and 921600 baud, 8E1');
    })(),
  );
});

test('a board whose firmware runs is reset into its bootloader over the modem lines', async () => {
  const on = withFirmware();
  await on.host.run(
    (async () => {
      await flashOn(on, { confirm: true });
      await sleep(on.host, 1000);
      assert.is(majorOf(on.running()), 1);
      await flashOn(on, { bytes: imageOf({ major: 2 }), wanted: 'auto' });
      await sleep(on.host, 1000);
      assert.is(majorOf(on.running()), 2);
    })(),
  );
});

test('a port that is not there is said to be so', async () => {
  const on = withFirmware();
  on.wire.pull();
  const error = await on.host.run(refused(flashOn(on)));
  assert.match(error.message, 'no such port');
  assert.is(error.exitCode, EXIT_BAD_PORT);
});

test('AN3155 writes, reads back and starts an image, with parity or where the port has none', async () => {
  for (const refusesParity of [false, true]) {
    const on = withFirmware({ wire: { refusesParity } });
    await on.host.run(
      (async () => {
        const result = await flashOn(on, { wanted: 'stm32' });
        assert.is(result.protocol, 'stm32');
        await sleep(on.host, 1000);
        assert.is(majorOf(on.running()), 1);
      })(),
    );
  }
});

test('over AN3155 the board itself refuses another key', async () => {
  const on = withFirmware();
  const error = await on.host.run(
    refused(flashOn(on, { wanted: 'stm32', bytes: imageOf({ key: keyOf(2) }) })),
  );
  assert.is(error.exitCode, EXIT_BAD_FLASH_IMAGE);
});

test('the firmware itself: what boots is the module that was built, byte by byte', async () => {
  const module = readFileSync(firmwarePath());
  const on = withFirmware({ baud: 921600 });
  const bytes = makeImage(module, {
    key: KEY,
    counter: 1,
    board: KIND_EMULATED,
    version: { major: 1, minor: 0, revision: 0, build: 0 },
  });
  await on.host.run(
    (async () => {
      await flashOn(on, { bytes, bauds: [921600] });
      await sleep(on.host, 1000);
      const { payload } = on.running()!;
      assert.ok(module.equals(payload));
      const exported = WebAssembly.Module.exports(new WebAssembly.Module(Uint8Array.from(payload)));
      assert.ok(exported.some(({ name }) => name === 'boot_board'));
    })(),
  );
});

test('a bootloader with one slot and no image states, which starts over at every break, is flashed, too', async () => {
  const host = new VirtualHost();
  const wire = new Wire({ host, flipsPerMillion: 50, seed: '5' });
  const image = imageOf({ bytes: 8000 });
  let got = Buffer.alloc(0);
  let resets = 0;
  /** Says what a request gets: as little of SMP as there can be. */
  const answer = (group: number, id: number, body: CborMap): Record<string, number | string> => {
    if (group === 0 && id === 0) return { r: body['d'] as string };
    if (group === 0 && id === 5) return { rc: (resets++, 0) };
    if (group !== 1 || id !== 1) return { rc: 8 };
    if (body['off'] === 0) got = Buffer.alloc(0);
    if (body['off'] === got.length) got = Buffer.concat([got, body['data'] as Uint8Array]);
    return { rc: 0, off: got.length };
  };
  const reader = new FrameReader((packet) => {
    const body = cborDecode(packet.subarray(8)) as CborMap;
    const map = cborEncode(answer(packet.readUInt16BE(4), packet[7]!, body));
    const head = [
      packet[0]! + 1,
      0,
      map.length >> 8,
      map.length & 255,
      packet[4]!,
      packet[5]!,
      packet[6]!,
      packet[7]!,
    ];
    wire.board.write(frameOf(Buffer.concat([Uint8Array.from(head), map])));
  });
  wire.board.onData = (bytes) => reader.feed(bytes);
  const steps: string[] = [];
  const work = flash({
    host,
    path: wire.path,
    open: (baud, parity) => openPort({ path: wire.path, baud, parity, binding: wire.binding }),
    bauds: [115200],
    wanted: 'auto',
    image: parseImage(image),
    confirm: false,
    onStep: (text) => void steps.push(text),
    onProgress: () => undefined,
    mayErase: async () => true,
  });
  const result = await host.run(work);
  assert.is(result.protocol, 'smp');
  assert.ok(got.equals(image));
  assert.ok(resets > 0);
  assert.ok(steps.some((step) => step.includes('no trial')));
});

test('auto speaks SMP where both are there', async () => {
  const on = withFirmware();
  assert.is((await on.host.run(flashOn(on, { wanted: 'auto' }))).protocol, 'smp');
});

test.run();
