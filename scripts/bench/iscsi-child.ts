// Serves a shelf of free disks on two loopback portals until its input ends; the first line it prints says where.
import { realHost } from '../../boards/host.ts';
import { serveIscsi } from '../../boards/iscsi/server.ts';
import { bareShelf } from '../../boards/shelf/bare.ts';

const [sizeMib = '256', disks = '2', port = '0'] = process.argv.slice(2);
const server = await serveIscsi({
  shelf: bareShelf({ disks: Number(disks), sizeMib: Number(sizeMib) }),
  host: realHost(),
  enter: (call) => call(),
  portals: [
    { address: '127.0.0.1', port: Number(port) },
    { address: '127.0.0.1', port: Number(port) === 0 ? 0 : Number(port) + 1 },
  ],
  targets: ['iqn.2026-01.example.sparecore:a', 'iqn.2026-01.example.sparecore:b'],
  chap: null,
  onEvent: (event) => {
    if (process.env['ISCSI_EVENTS'] !== undefined) console.error(JSON.stringify(event));
  },
});
console.log(JSON.stringify(server.portals));
process.stdin.resume();
process.stdin.on('end', () => {
  void server.close();
});
