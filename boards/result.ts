/** What a run returns. Times in seconds of board time counted from the failure; null where a thing did not happen. */
import type { DiskRole, Policy } from './scenario.ts';

export type TakeReason = 'inactive' | 'completed' | 'aborted' | 'limit';

export interface TakenDisk {
  name: string;
  role: DiskRole;
  taken_s: number | null;
  reason: TakeReason | null;
}

/** One step of the way from the failure to service, for the report of where each millisecond went. */
export interface Step {
  at_s: number;
  board: 'a' | 'b' | null;
  what: string;
}

export interface RunResult {
  seed: string;
  digest: string; // of the trace, 32 hexadecimal digits
  virtual_s: number; // board time of the whole run
  host_s: number; // filled in by the caller, who has a clock
  memory_bytes: number;
  scenario: string;
  failure_s: number | null; // board time of the first failure, counted from power-on
  failed_board: 'a' | 'b' | null;
  panic: { reason: string; place: string | null; text: string | null } | null;
  outage_s: number | null; // failure until a client was served again on the last of the failed board's volumes
  takeover: {
    policy: Policy;
    detected_s: number | null;
    seen_by: 'message' | 'silence' | 'mailbox' | null;
    service_s: number | null;
    disks: TakenDisk[];
  };
  dump: {
    disk: string | null;
    attribute: 'dumping' | 'inactive' | 'completed' | 'aborted' | null;
    cause: string | null; // why aborted
    started_s: number | null;
    ended_s: number | null;
    limit_s: number;
    memory_bytes: number;
    stored_bytes: number;
    chunks: {
      total: number;
      zero: number;
      stored: number;
      lost: number;
      poisoned: number; // left out: none of their pages could be read
      poisoned_pages: number; // missing in others
    };
    verified: boolean | null; // compared byte by byte with the memory at the panic
  };
  core: { path: string; bytes: number; sha256: string; saved_s: number } | null;
  giveback: { began_s: number; ended_s: number | null } | null;
  clients: {
    writes_acked: number;
    writes_lost: number;
    reads: number;
    wrong_reads: number;
    timed_out: number;
    longest_wait_s: number;
  };
  invariants: {
    checked: number; // checks made, of all invariants together
    each: { number: number; what: string; checks: number }[];
    violations: string[];
  };
  cycles: { run: number; skipped: number; overruns: number };
  steps: Step[];
  settled: boolean; // false: the run hit its end before everything was as it must be
}

/** For the live view; the same fields whether a terminal or a log shows them. */
export interface Progress {
  now_s: number; // board time since power-on
  end_s: number;
  boards: { name: 'a' | 'b'; state: string; serving: number; doing: string }[];
  dump: { disk: string; done: number; total: number; attribute: string } | null;
  clients: { writes_acked: number; reads: number; waiting: number };
  log: string[]; // steps since the last call
}
