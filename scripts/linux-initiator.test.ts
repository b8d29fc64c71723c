/**
 * An unmodified Linux kernel as initiator: Debian's, in QEMU, logged in on both ports of a served shelf. It reserves,
 * looks, makes a file system, and stands in the way of a takeover.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Guest, kernelIn } from './guest.test-helper.ts';
import { needsExternal, needsTool, testUnless } from './harness.ts';
import { ROOT } from './repository.ts';
import { Served } from './served.test-helper.ts';

const KERNEL = process.env['SPARECORE_KERNEL'] ?? join(ROOT, 'build/kernel');
const kernel = kernelIn(KERNEL);
const needs = [
  needsExternal(),
  ...['qemu-system-x86_64', 'iscsid', 'sg_persist', 'mkfs.ext4', 'busybox', 'cpio', 'depmod'].map(needsTool),
  kernel === null ? `no kernel in ${KERNEL}: unpack Debian's linux-image there, with dpkg -x` : null,
];

const scratch = mkdtempSync(join(tmpdir(), 'sparecore-guest-'));
let served: Served | null = null;
let guest: Guest | null = null;
/** Of single tests. */
const others: Served[] = [];

/** Block devices and SCSI generic devices of the guest, by port and disk. */
const devices = new Map<string, { block: string; generic: string }>();

async function machine(): Promise<{ pair: Served; linux: Guest }> {
  if (served !== null && guest !== null) return { pair: served, linux: guest };
  served = await Served.start('shelf');
  guest = await Guest.boot(kernel!, scratch);
  for (const each of served.shelf) {
    const portal = `10.0.2.2:${each.portal.split(':').at(-1)}`;
    const tag = each.port === 'a' ? 1 : 2;
    const node = `iscsiadm -m node -T ${each.target} -p ${portal}`;
    await guest.must(`${node},${tag} -o new`);
    // One port with digests, one without.
    for (const digest of each.port === 'b' ? ['HeaderDigest', 'DataDigest'] : []) {
      await guest.must(`${node} -o update -n node.conn[0].iscsi.${digest} -v CRC32C`);
    }
    await guest.must(`${node} --login`);
  }
  await findDevices(served, guest);
  return { pair: served, linux: guest };
}

async function findDevices(pair: Served, linux: Guest): Promise<void> {
  await linux.must('udevadm settle 2>/dev/null || sleep 1');
  // Session 1 is port a, session 2 port b; the target number is 0, the LUN last.
  const list = await linux.must(
    'for d in /sys/class/scsi_device/*; do echo $(readlink -f $d) $(ls $d/device/block) $(ls $d/device/scsi_generic); done',
  );
  for (const line of list.split('\n')) {
    const found = /\/session(\d)\/.*:(\d+) (\w+) (\w+)$/.exec(line.trim());
    if (found === null) throw new Error(`not a disk: ${line}`);
    const [, session, lun, block, generic] = found;
    const port = session === '1' ? 'a' : 'b';
    const disk = pair.shelf[0]!.luns[Number(lun)]!.disk;
    devices.set(`${port} ${disk}`, { block: `/dev/${block}`, generic: `/dev/${generic}` });
  }
}

const generic = (port: 'a' | 'b', disk: string): string => devices.get(`${port} ${disk}`)!.generic;
const block = (port: 'a' | 'b', disk: string): string => devices.get(`${port} ${disk}`)!.block;

/** Exit codes of sg3_utils, sg3_utils(8). */
const SG_UNIT_ATTENTION = 6;
const SG_RESERVATION_CONFLICT = 24;

test.after(async () => {
  guest?.off();
  for (const each of others) await each.stop('SIGKILL');
  const code = served === null ? 0 : await served.stop();
  rmSync(scratch, { recursive: true });
  assert.is(code, 0, 'the pair that was served ends well, without a violation');
});

testUnless(needs, 'Linux finds every disk behind both ports, as a disk that it can use', async () => {
  const { pair, linux } = await machine();
  assert.is(devices.size, 2 * pair.shelf[0]!.luns.length);
  assert.match(await linux.must(`sg_inq ${generic('a', 'free.0')}`), /EMULATED DISK/);
  const luns = await linux.must(`sg_luns ${generic('b', 'free.0')}`);
  assert.match(luns, new RegExp(`Lun list length = ${8 * pair.shelf[1]!.luns.length}`), luns);
  assert.match(await linux.must('dmesg'), /\[sda\] Attached SCSI disk/);
  assert.not.match(await linux.must('dmesg'), /Sense not available|I\/O error|asking for cache data failed/i);
});

testUnless(
  needs,
  'sg_vpd, sg_modes, sg_opcodes and sg_logs decode all that the disks say of themselves',
  async () => {
    const { linux, pair } = await machine();
    const sg = generic('a', 'free.0');
    assert.match(await linux.must(`sg_vpd -p sv ${sg}`), /Supported VPD pages/);
    for (const page of ['sn', 'di', 'ei', 'bl', 'bdc', 'lbpv']) await linux.must(`sg_vpd -p ${page} ${sg}`);
    assert.ok((await linux.must(`sg_vpd -p di ${sg}`)).includes(pair.shelf[0]!.target));
    assert.match(await linux.must(`sg_modes -a ${sg}`), /Caching[\s\S]*Control/);
    assert.match(await linux.must(`sg_opcodes ${sg}`), /Persistent reserve out, preempt and abort/i);
    assert.match(await linux.must(`sg_opcodes --tmf ${sg}`), /Logical unit reset/i);
    assert.match(await linux.must(`sg_logs -a ${sg}`), /Supported log pages/i);
    await linux.must(`sg_readcap --16 ${sg}`);
    await linux.must(`sg_turs -n 5 ${sg}`);
  },
);

testUnless(
  needs,
  'sg_persist: every service action, from two ports, and the disk keeps the others out',
  async () => {
    const { linux } = await machine();
    const [a, b] = [generic('a', 'free.1'), generic('b', 'free.1')];
    const out = (device: string, action: string): Promise<{ code: number; out: string }> =>
      linux.run(`sg_persist --out ${action} ${device}`);
    const ok = async (device: string, action: string): Promise<void> => {
      const { code, out: text } = await out(device, action);
      assert.is(code, 0, `${action}: ${text}`);
    };
    const keys = async (): Promise<string> => linux.must(`sg_persist -i -k ${a}`);
    await ok(a, '--register --param-sark=0xa1');
    await ok(b, '--register-ignore --param-sark=0xb1');
    assert.match(await keys(), /0xa1[\s\S]*0xb1/);
    assert.match(await linux.must(`sg_persist -i -c ${a}`), /Persist Through Power Loss Capable/i);
    await ok(a, '--reserve --param-rk=0xa1 --prout-type=1');
    assert.match(await linux.must(`sg_persist -i -r ${b}`), /Write Exclusive/);
    const write = `dd if=/dev/zero of=${block('b', 'free.1')} bs=4096 count=1 oflag=direct`;
    assert.is.not((await linux.run(write)).code, 0);
    await linux.must(`dd if=${block('b', 'free.1')} of=/dev/null bs=4096 count=1 iflag=direct`);
    assert.is((await out(b, '--reserve --param-rk=0xb1 --prout-type=1')).code, SG_RESERVATION_CONFLICT);
    await ok(a, '--release --param-rk=0xa1 --prout-type=1');
    await linux.must(write);
    await ok(a, '--reserve --param-rk=0xa1 --prout-type=5');
    await ok(b, '--preempt --param-rk=0xb1 --param-sark=0xa1 --prout-type=5');
    const told = await linux.run(`sg_turs -v ${a}`);
    assert.match(told.out, /Registrations preempted/i, 'the preempted port is told, once');
    assert.is((await out(a, '--reserve --param-rk=0xa1 --prout-type=5')).code, SG_RESERVATION_CONFLICT);
    await ok(a, '--register --param-sark=0xa2');
    await ok(b, '--preempt-abort --param-rk=0xb1 --param-sark=0xa2 --prout-type=5');
    await linux.run(`sg_turs ${a}`);
    await ok(a, '--register --param-sark=0xa3');
    const full = await linux.must(`sg_persist -i -s ${b}`);
    assert.match(
      full,
      /0xa3[\s\S]*iqn\.2026-11\.example\.guest:linux|iqn\.2026-11\.example\.guest:linux[\s\S]*0xa3/,
    );
    await ok(b, '--clear --param-rk=0xb1');
    const cleared = await linux.run(`sg_turs -v ${a}`);
    assert.match(cleared.out, /Reservations preempted/i);
    assert.match(await keys(), /NO registered reservation keys/i);
  },
);

testUnless(needs, 'an ext4 made through one port is whole through the other', async () => {
  const { linux } = await machine();
  const [a, b] = [block('a', 'free.0'), block('b', 'free.0')];
  await linux.must(`mkfs.ext4 -q -F ${a}`);
  await linux.must(`mount ${a} /mnt`);
  await linux.must('for n in 1 2 3 4 5 6 7 8; do dd if=/dev/urandom of=/mnt/file$n bs=64k count=64; done');
  const sums = await linux.must('cd /mnt && sha256sum file* && cd /');
  await linux.must('umount /mnt');
  await linux.must(`e2fsck -fn ${a}`);
  await linux.must(`blockdev --flushbufs ${b}`);
  await linux.must(`mount -o ro ${b} /mnt`);
  assert.is(await linux.must('cd /mnt && sha256sum file* && cd /'), sums);
  await linux.must('umount /mnt');
});

testUnless(
  needs,
  'an initiator that took a disk from a board that lost power is preempted by the takeover: one unit attention, then conflicts',
  async () => {
    const { pair, linux } = await machine();
    const sg = generic('b', 'a.data.0');
    const from = pair.events.length;
    const holder = async (): Promise<string> => linux.must(`sg_persist -i -r ${sg}`);
    const keyOfA = /Key=(0x[0-9a-f]+)/.exec(await holder())![1]!;
    assert.is(pair.ctl('power off a').code, 0);
    await linux.must(`sg_persist --out --register --param-sark=0xfeed ${sg}`);
    await linux.must(
      `sg_persist --out --preempt --param-rk=0xfeed --param-sark=${keyOfA} --prout-type=1 ${sg}`,
    );
    assert.match(await holder(), /Key=0xfeed/);
    assert.is(pair.status().disks[pair.lun('a.data.0')]!.holder, 'initiator');
    await linux.must(`dd if=${block('b', 'a.data.0')} of=/tmp/block bs=4096 count=1 iflag=direct`);

    await pair.until('takeover-end', 'b', from);
    assert.is(pair.status().disks[pair.lun('a.data.0')]!.holder, 'b');
    const first = await linux.run(`sg_raw -r 512 ${sg} 28 00 00 00 00 00 00 00 01 00`);
    assert.is(first.code, SG_UNIT_ATTENTION, first.out);
    assert.match(first.out, /Registrations preempted/i);
    const write = `sg_raw -s 512 -i /dev/zero ${sg} 2a 00 00 00 00 00 00 00 01 00`;
    for (let n = 0; n < 2; n++) assert.is((await linux.run(write)).code, SG_RESERVATION_CONFLICT);
    // Write Exclusive: reading is allowed to all.
    await linux.must(`sg_raw -r 512 -o /tmp/block ${sg} 28 00 00 00 00 00 00 00 01 00`);
    assert.match(await linux.must(`sg_persist -i -k ${sg}`), /^((?!0xfeed)[\s\S])*$/);
    assert.equal(pair.status().violations, []);
  },
);

/** Without PRgeneration, which power loss takes. */
const registrationIn = (full: string): string => full.slice(full.indexOf('Key='));

testUnless(
  needs,
  'a server is killed and comes back: Linux logs in again by itself, and what it reserved to last is its own',
  async () => {
    const { linux } = await machine();
    const disks = ['--disks', join(scratch, 'disks')];
    const first = await Served.start('shelf', ...disks);
    others.push(first);
    const lun = first.lun('free.0');
    const { target } = first.shelf[0]!;
    const port = first.portal('a').split(':').at(-1);
    const node = `iscsiadm -m node -T ${target} -p 10.0.2.2:${port}`;
    await linux.must(`${node},1 -o new`);
    await linux.must(`${node} --login`);
    await linux.must('udevadm settle 2>/dev/null || sleep 1');
    const device = `$(readlink -f /sys/class/iscsi_session/session3/device)/target*/*:${lun}`;
    const sg = `/dev/${await linux.must(`ls -d ${device}/scsi_generic/* | sed 's/.*\\///'`)}`;
    const disk = `/dev/${await linux.must(`ls -d ${device}/block/* | sed 's/.*\\///'`)}`;
    await linux.must(`sg_persist --out --register --param-sark=0xca --param-aptpl ${sg}`);
    await linux.must(`sg_persist --out --reserve --param-rk=0xca --prout-type=3 ${sg}`);
    const registration = registrationIn(await linux.must(`sg_persist -i -s ${sg}`));
    assert.match(registration, /Key=0xca[\s\S]*iqn\.2026-11\.example\.guest:linux,i,0x/);
    const write = `dd if=/dev/zero of=${disk} bs=4096 count=1 oflag=direct`;
    await linux.must(write);

    await first.stop('SIGKILL');
    const second = await Served.start('shelf', ...disks, '--portal-a', `127.0.0.1:${port}`);
    others.push(second);
    // Its first command waits for the session, or is told of the power-on.
    await linux.must(`for n in 1 2 3 4 5 6 7 8; do sg_turs ${sg} && break; sleep 1; done`);
    assert.is(registrationIn(await linux.must(`sg_persist -i -s ${sg}`)), registration);
    assert.match(await linux.must(`sg_persist -i -r ${sg}`), /Key=0xca[\s\S]*Exclusive Access/);
    await linux.must(write);
    assert.match(await linux.must('dmesg'), /session3|connection3/);
    await linux.must(`${node} --logout`);
    assert.is(await second.stop(), 0);
  },
);

test.run();
