/** A portal: a listening socket with one target behind it. */
import { type AddressInfo, type Server, Socket, createServer } from 'node:net';
import { EXIT_BAD_PORTAL, InputError } from '../input-error.ts';
import { Connection } from './connection.ts';
import type { Entrance } from './entrance.ts';

const KEEP_ALIVE_MS = 30_000;
const BACKLOG = 64;

export class Portal {
  readonly #entrance: Entrance;
  readonly #max: number;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  /** Receive buffers of connections that are over. */
  readonly #buffers: Uint8Array[] = [];
  address = '';
  tcpPort = 0;

  constructor(entrance: Entrance, max: number) {
    this.#entrance = entrance;
    this.#max = max;
    const options = {
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      pauseOnConnect: true,
    };
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
    if (this.#connections.size >= this.#max) this.#makeRoom();
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
    const connection: Connection = new Connection(
      this.#entrance,
      this.#buffers.pop() ?? newBuffer(),
      (buffer) => {
        this.#connections.delete(connection);
        this.#buffers.push(buffer);
      },
    );
    this.#connections.add(connection);
    connection.attach(withBuffer(socket, connection.buffer, (bytes) => connection.received(bytes)));
  }

  /** Whoever has been silent longest goes: a flood of connections that never log in keeps nobody out. */
  #makeRoom(): void {
    for (const connection of this.#connections) {
      if (connection.silent)
        return connection.drop('it made room for another, as it had not begun to log in');
    }
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
    for (const connection of Array.from(this.#connections)) connection.askForLogout();
  }

  closeAll(why: string): void {
    for (const connection of Array.from(this.#connections)) connection.close(why);
  }
}

/** What one read of a socket may bring. */
const RECEIVE_BYTES = 1 << 19;
const newBuffer = (): Uint8Array => new Uint8Array(RECEIVE_BYTES);

interface Accepted {
  _handle: object | null;
  _server: Server | null;
}

/**
 * The same connection, read into a buffer of ours: by default a socket that was accepted gets fresh memory for every
 * read, which costs more than all the rest of a large write. Node has `onread` for sockets that connect; an accepted
 * one is made anew around its handle.
 */
function withBuffer(accepted: Socket, buffer: Uint8Array, received: (bytes: number) => void): Socket {
  const { _handle: handle, _server: server } = accepted as unknown as Accepted;
  const options = { handle, onread: { buffer, callback: (bytes: number) => (received(bytes), true) } };
  const socket = new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]);
  Object.assign(socket, { _server: server }); // which counts its connections
  Object.assign(accepted, { _handle: null, _server: null });
  socket.resume();
  return socket;
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code ?? '') {
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
