// What a scenario file may hold: keys, types, limits and defaults. Published as scenarios/schema.json.
import { z } from 'zod';

const whole = (least: number, most: number, text: string): z.ZodNumber =>
  z.number().int().min(least).max(most).describe(text);

const line = (most: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^\P{Cc}*$/u, { error: 'must be one line of text' });

const MS_MAX = 3_600_000;

export const BOARD = z.enum(['a', 'b']);
export const ROLE = z.enum(['root', 'data', 'spare', 'dump', 'mailbox', 'free']);
const POLICY = z.enum(['parallel', 'sequential']);
const PROTOCOL = z.enum(['linux-scsi', 'nfs', 'windows', 'iscsi']);
export const ACTION = z.enum([
  'nmi',
  'trap',
  'assert',
  'hang',
  'memory-error',
  'stop-dump',
  'power-off',
  'power-on',
  'cut-interconnect',
  'mend-interconnect',
  'fail-disk',
  'kill-disk',
  'slow-disk',
  'mend-disk',
  'cut-path',
  'mend-path',
  'quiet',
]);

const boards = z
  .strictObject({
    memory_mib: whole(16, 4096, 'RAM of each board').default(256),
    cpus: z
      .literal([1, 2])
      .describe('CPUs of each board: the second one helps with the dump; emulated boards only')
      .default(1),
    cycle_us: whole(10, 10_000, 'period of the firmware loop').default(100),
    post_ms: whole(0, MS_MAX, 'from power-on or reset to the first instruction of firmware').default(500),
    heartbeat_ms: whole(10, 60_000, 'period of heartbeats').default(100),
    heartbeat_loss_ms: whole(50, MS_MAX, 'silence that counts as a failure').default(15_000),
    watchdog_ms: whole(10, 600_000, 'a loop that does not return for so long panics').default(2000),
    dump_limit_ms: whole(1, MS_MAX, 'time for the dump, counted from the failure').default(25_000),
    giveback_ms: z
      .union([whole(0, MS_MAX, 'delay'), z.literal('never')], {
        error: `must be a whole number from 0 to ${MS_MAX}, or never`,
      })
      .describe('delay of the automatic giveback after the failed board is back, or never')
      .default('never'),
    reboot_after_panic: z.boolean().describe('reboot when the dump has ended; else halt').default(true),
    dump_room_percent: whole(1, 200, 'share of RAM that a coredump disk must hold').default(60),
    root_floor_mib: whole(0, 1 << 20, 'space on the root volume that saving a core leaves free').default(16),
    save_share_percent: whole(1, 100, 'share of a disk that saving a core may use').default(50),
    dump_codec: z
      .enum(['raw', 'lz4'])
      .describe('lz4: chunks of a dump are compressed where that saves a block')
      .default('raw'),
    dump_key: z
      .string()
      .min(1)
      .describe(
        'X25519 public key that dumps are encrypted to: 64 hexadecimal digits, or a file with them or with a PEM, from the folder of this file',
      )
      .optional(),
    dump_overwrite: z
      .enum(['never', 'always'])
      .describe('may a dump go over an older core that nobody has saved')
      .default('never'),
    stop_bound_ms: whole(
      1,
      MS_MAX,
      'so long a board that was asked to stop its dump may take to answer',
    ).default(60_000),
  })
  .describe('both controllers');

const model = {
  access_us: whole(1, 1_000_000, 'time of a command that is not sequential'),
  rate_mb_s: whole(1, 100_000, 'transfer rate, 10^6 bytes a second'),
  reserve_us: whole(1, 10_000_000, 'time of a PERSISTENT RESERVE OUT, which writes its state to the medium'),
};

const MAX_TRANSFER = whole(
  72,
  32_768,
  'what one command may move, as the disk says in its Block Limits; by default 32 MiB',
);

const diskModel = z
  .strictObject({
    access_us: model.access_us.default(2000),
    rate_mb_s: model.rate_mb_s.default(100),
    reserve_us: model.reserve_us.default(1000),
  })
  .describe('how fast disks are');

const diskGroup = z
  .strictObject({
    role: ROLE,
    owner: BOARD.describe('board that owns it at home; none for mailbox and free').optional(),
    count: whole(1, 64, 'number of equal disks').default(1),
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,14}$/, {
        error: 'must be 1 to 15 of a-z 0-9 . _ - and begin with a letter or digit',
      })
      .describe('name of the disk; by default owner.role.number')
      .optional(),
    size_mib: whole(16, 1 << 26, 'size; by default what the role needs').optional(),
    block_bytes: z
      .union([z.literal(512), z.literal(4096)], { error: 'must be 512 or 4096' })
      .describe('size of a logical block; free disks only')
      .optional(),
    physical_exponent: whole(
      0,
      3,
      'log2 of the logical blocks in a physical block; by default 3 (512e), 0 for blocks of 4096',
    ).optional(),
    thin: z.boolean().describe('thin provisioned; free disks only').optional(),
    protection: z
      .union([z.literal(0), z.literal(1)], { error: 'must be 0 or 1' })
      .describe('type of protection information; free disks only')
      .optional(),
    write_protected: z.boolean().describe('refuses writes; free disks only').optional(),
    write_cache: z.boolean().describe('volatile write cache, enabled at power-on').optional(),
    access_us: model.access_us.optional(),
    rate_mb_s: model.rate_mb_s.optional(),
    reserve_us: model.reserve_us.optional(),
    max_transfer_kib: MAX_TRANSFER.optional(),
  })
  .describe('a group of equal disks');

const workload = z
  .strictObject({
    per_volume: whole(0, 64, 'clients of each volume; 0: none').default(2),
    protocols: z
      .array(PROTOCOL)
      .min(1)
      .describe('whose patience the clients have, dealt out in turn')
      .default(['linux-scsi', 'nfs', 'windows', 'iscsi']),
    write_percent: whole(0, 100, 'share of writes').default(30),
    io_kib: z
      .literal([4, 8, 16, 32, 64])
      .describe("size of a request; a line of the boards' caches holds a whole number of them")
      .default(16),
    think_us: whole(0, 60_000_000, 'mean pause between two requests of a client').default(20_000),
    working_set_mib: whole(1, 1 << 20, 'part of each volume that clients use').default(16),
    source: z
      .string()
      .min(1)
      .describe('folder whose files clients write, from the folder of this file; default: own packages')
      .optional(),
  })
  .describe('clients of the volumes');

const event = z
  .strictObject({
    at_s: z.number().min(0).max(86_400).describe('board time from power-on').optional(),
    on: z.string().min(1).describe('name of a trace event: the first time it happens').optional(),
    plus_ms: whole(0, MS_MAX, 'so long after `on`').optional(),
    do: ACTION,
    board: BOARD.optional(),
    disk: z.string().min(1).describe('name of a disk, or coredump-of-a, coredump-of-b').optional(),
    path: z
      .union([z.literal(0), z.literal(1)], { error: 'must be 0 or 1' })
      .describe('port of the disk')
      .optional(),
    factor: whole(2, 100_000, 'how many times slower').optional(),
  })
  .describe('what happens, and when: either at_s or on');

const leftover = z
  .strictObject({
    disks: z.union([z.literal('all'), z.array(z.string().min(1)).min(1)], {
      error: 'must be all, or a list of names of disks',
    }),
    board: BOARD.describe('whose reservation it is'),
    epoch: whole(1, 0x7fff_ffff, 'boot epoch of that earlier life').default(1),
  })
  .describe('reservations that are on the disks at power-on');

export const SCENARIO = z
  .strictObject({
    name: line(60).describe('default: the name of the file').optional(),
    title: line(200).describe('one line: what happens'),
    seed: z.union([z.string(), z.number()]).describe('decimal, up to 2^64 - 1').default('1'),
    takeover: POLICY.describe('take disks while the dump runs, or wait for its end').default('parallel'),
    end_s: z.number().min(0.1).max(86_400).describe('the run lasts at least so long').default(60),
    end_max_s: z
      .number()
      .min(0.1)
      .max(172_800)
      .describe('and fails when not everything has settled by then; default: end_s + 60')
      .optional(),
    interconnect_us: whole(1, 1_000_000, 'latency between the boards').default(50),
    network_us: whole(1, 1_000_000, 'latency between clients and boards').default(100),
    start_utc: whole(0, 0xffff_ffff, 'seconds since 1970 that the clocks of the boards show').default(
      1_767_225_600,
    ),
    boards: boards.prefault({}),
    disk_model: diskModel.prefault({}),
    disks: z.array(diskGroup).min(1).describe('the shelf'),
    workload: workload.prefault({}),
    events: z.array(event).default([]),
    leftover: z.array(leftover).default([]),
  })
  .describe('A scenario of sparecore: all that exists in a run and all that goes wrong in it');

export type ScenarioInput = z.output<typeof SCENARIO>;

/** The JSON Schema that editors and other programs check a scenario file with. */
export function scenarioJsonSchema(): object {
  return z.toJSONSchema(SCENARIO, { io: 'input' });
}
