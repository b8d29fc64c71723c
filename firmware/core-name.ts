/**
 * The name of a core file: core.SYSTEM.YYYY-MM-DD.hh_mm_ss, UTC at the failure; the next of that name ends in .1; one
 * that is encrypted in .enc
 */

let end: usize = 0;

/** Writes the name at `to`; returns its bytes, at most 40. */
export function core_name(to: usize, system: u32, utc: u64, again: u32, sealed: bool): u32 {
  end = to;
  byte(0x63); // core.
  byte(0x6f);
  byte(0x72);
  byte(0x65);
  byte(0x2e);
  number(system, 1);
  byte(0x2e);
  date(<u32>(utc / 86400));
  byte(0x2e);
  const second = <u32>(utc % 86400);
  number(second / 3600, 2);
  byte(0x5f);
  number((second / 60) % 60, 2);
  byte(0x5f);
  number(second % 60, 2);
  if (again) {
    byte(0x2e);
    number(again, 1);
  }
  if (sealed) {
    byte(0x2e); // .enc
    byte(0x65);
    byte(0x6e);
    byte(0x63);
  }
  return <u32>(end - to);
}

/** Civil date of a day since 1970-01-01; Hinnant, "chrono-compatible low-level date algorithms". */
function date(day: u32): void {
  const z = day + 719468;
  const era = z / 146097;
  const doe = z - era * 146097;
  const yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const mp = (5 * doy + 2) / 153;
  const month = mp < 10 ? mp + 3 : mp - 9;
  number(yoe + era * 400 + (month <= 2 ? 1 : 0), 4);
  byte(0x2d);
  number(month, 2);
  byte(0x2d);
  number(doy - (153 * mp + 2) / 5 + 1, 2);
}

function number(value: u32, width: u32): void {
  let divisor: u32 = 1;
  for (let digits: u32 = 1; digits < width || value / divisor >= 10; digits++) divisor *= 10;
  for (; divisor; divisor /= 10) byte(0x30 + <u8>((value / divisor) % 10));
}

function byte(value: u8): void {
  store<u8>(end++, value);
}
