/** A portal: a listening socket with one target behind it. */
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { EXIT_BAD_PORTAL, InputError } from '../input-error.ts';
import { Connection, type Entrance } from './connection.ts';

const KEEP_ALIVE_MS = 30_000;
const BACKLOG = 64;

export class Portal {
  readonly #entrance: Entrance;
  readonly #max: number;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  address = '';
  tcpPort = 0;

  constructor(entrance: Entrance, max: number) {
    this.#entrance = entrance;
    this.#max = max;
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    this.#server = createServer(options, (socket) => this.#take(socket));
  }

  listen(address: string, port: number): Promise<void> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new InputError(`portal ${address}:${port}: ${reasonOf(error)}`, EXIT_BAD_PORTAL));
      });
      server.listen({ host: address, port, backlog: BACKLOG }, () => {
        server.removeAllListeners('error');
        server.on('error', () => {}); // accept failed: whoever came must try again
        const bound = server.address() as AddressInfo;
        this.address = bound.address;
        this.tcpPort = bound.port;
        resolve();
      });
    });
  }

  #take(socket: Socket): void {
    const { target } = this.#entrance;
    if (this.#connections.size >= this.#max) {
      const from = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
      socket.on('error', () => {});
      socket.destroy();
      return this.#entrance.tell({
        event: 'connection-refused',
        target,
        from,
        why: 'too many connections',
      });
    }
    const connection: Connection = new Connection(socket, this.#entrance, () => {
      this.#connections.delete(connection);
    });
    this.#connections.add(connection);
  }

  get connections(): number {
    return this.#connections.size;
  }

  stopListening(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  askForLogout(): void {
    for (const connection of [...this.#connections]) connection.askForLogout();
  }

  closeAll(why: string): void {
    for (const connection of [...this.#connections]) connection.close(why);
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'something else listens there; choose another port, or 0 for any free one';
    case 'EADDRNOTAVAIL':
      return 'no such address on this machine';
    case 'EACCES':
      return 'not allowed to listen there; ports below 1024 are for root';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no such host';
    default:
      return `cannot listen there (${error.code ?? error.message})`;
  }
}
