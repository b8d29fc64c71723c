/**
 * A scenario: everything that decides what exists in a run and what goes wrong in it. Together with the seed it is the
 * whole experiment. Times of events count from power-on.
 */
export type BoardName = 'a' | 'b';
export type DiskRole = 'root' | 'data' | 'spare' | 'dump' | 'mailbox' | 'free';
export type Policy = 'parallel' | 'sequential';
export type Protocol = 'linux-scsi' | 'nfs' | 'windows' | 'iscsi';

export interface BoardsConfig {
  memoryMib: number; // 16 to 4096
  cpus: 1 | 2; // the second one helps with the dump
  cycleUs: number;
  postMs: number; // from power-on or reset to the first instruction of firmware
  heartbeatMs: number;
  heartbeatLossMs: number;
  watchdogMs: number;
  dumpLimitMs: number; // counted from the failure
  givebackMs: number | null; // delay of the automatic giveback; null: never
  rebootAfterPanic: boolean;
  dumpRoomPercent: number; // of RAM, that a coredump disk must hold
  rootFloorMib: number; // free space that savecore leaves
  saveSharePercent: number; // of a disk's time that savecore may use
  dumpCodec: 'raw' | 'lz4'; // lz4: chunks are compressed where that saves a block
  dumpKey: string | null; // X25519 public key that dumps are encrypted to, 64 hexadecimal digits
  dumpOverwrite: 'never' | 'always'; // of an older core that nobody has saved
  stopBoundMs: number; // wait for the answer to a stop request
}

export interface DiskConfig {
  name: string; // unique, at most 15 ASCII characters
  role: DiskRole;
  owner: BoardName | null; // null: mailbox and free
  sizeMib: number;
  volume: number | null; // volume number of a data disk
  accessUs: number; // of a command that is not sequential
  rateMbS: number; // 10^6 bytes a second
  /** What one command may move, as the disk says in its Block Limits; absent: what its device server does. */
  maxTransferKib?: number;
  reserveUs: number; // of a PERSISTENT RESERVE OUT, which writes its state to the medium (APTPL)
  /** Commands take no board time: for initiators of the real world, whose own time counts. Free disks only. */
  immediate: boolean;
  blockBytes: number; // of a logical block: 512 or 4096
  physicalExponent: number; // log2 of the logical blocks in a physical block: 512e has 3, 512n and 4Kn 0
  thin: boolean; // thin provisioned
  protection: 0 | 1; // type of protection information
  writeProtected: boolean;
  writeCache: boolean; // volatile, enabled at power-on
}

export interface ClientsConfig {
  perVolume: number;
  protocols: Protocol[]; // dealt out in turn
  writePercent: number;
  ioKib: number; // at most 64
  thinkUs: number; // mean pause between two requests of a client
  workingSetMib: number; // of each volume
  source: string | null; // tree of files whose bytes are written; null: the project's own pinned packages
}

/** What happens in a run, and when. */
export interface EventConfig {
  atMs: number | null; // of board time from power-on; null: by `on`
  on: string | null; // name of a trace event, as in observer/events.ts: the first time it happens
  plusMs: number; // after that
  do:
    | 'nmi' // operator's NMI button: panic
    | 'trap' // the firmware's own debug command: a wasm trap
    | 'assert' // a failed assert
    | 'hang' // the CPU never returns from its cycle; the watchdog finds it
    | 'memory-error' // uncorrectable ECC error
    | 'stop-dump' // the partner of `board` asks it to stop its dump
    | 'power-off'
    | 'power-on'
    | 'cut-interconnect'
    | 'mend-interconnect'
    | 'fail-disk' // every write fails
    | 'kill-disk' // does not answer on either port
    | 'slow-disk' // `factor` times slower
    | 'mend-disk' // none of the three any more
    | 'cut-path' // port `path` of `disk` as seen by `board`
    | 'mend-path'
    | 'quiet'; // clients stop sending
  board: BoardName | null;
  disk: string | null; // a disk's name, or `coredump-of-a`, `coredump-of-b`
  path: 0 | 1 | null;
  factor: number | null;
}

export interface LeftoverConfig {
  disks: 'all' | string[];
  board: BoardName; // whose reservation it is
  epoch: number; // of an earlier life
}

export interface Scenario {
  name: string;
  title: string; // one line: what happens
  seed: string; // decimal, up to 2^64 - 1
  policy: Policy;
  endMs: number; // the run lasts at least so long
  endMaxMs: number; // and ends here even when not everything has settled (then it failed)
  boards: BoardsConfig;
  disks: DiskConfig[];
  clients: ClientsConfig;
  events: EventConfig[];
  leftover: LeftoverConfig[];
  interconnectUs: number; // latency
  networkUs: number; // latency between clients and boards
  startUtc: number; // seconds since 1970 that the real-time clocks show at power-on
}
