/**
 * A TCP connection: bytes in, PDUs to the login or to the session, bytes out. Who reads too slowly is not read from;
 * who says nothing is asked whether it is there.
 *
 * RFC 7143 4.2.3 (phases), 6.3 (login), 7.12 (errors at ErrorRecoveryLevel 0 end the session)
 */
import type { Socket } from 'node:net';
import type { Timer } from '../host.ts';
import { requestLogout } from './async-message.ts';
import type { Entrance } from './entrance.ts';
import { damaged, fullFeature } from './full-feature.ts';
import { answerLogin } from './login-response.ts';
import { INVALID_DURING_LOGIN, LOGIN_SUCCESS, type LoginReply } from './login-status.ts';
import { Login } from './login.ts';
import { LOGIN_SEGMENT, TARGET_SEGMENT } from './negotiate.ts';
import { nopIn } from './nop.ts';
import { Output, type Wire } from './output.ts';
import { LOGIN_REQUEST, OPCODE_MASK } from './pdu.ts';
import { type PduSink, PduReader } from './reader.ts';
import type { Session } from './session.ts';
import type { Newcomer } from './sessions.ts';
import { Silence } from './silence.ts';
import type { SendTargets } from './text-request.ts';

/** Before there is a socket. */
const NO_WIRE: Wire = { write: () => {}, writableLength: 0 };

export class Connection implements PduSink, Newcomer {
  from = '?';
  readonly target: string;
  readonly port: 1 | 2;
  output: Output;
  readonly sendTargets: SendTargets;
  /** What comes from the socket lies here until `received` returns. */
  readonly buffer: Uint8Array;
  statSn = 1;
  cid = 0;
  readonly #entrance: Entrance;
  #socket: Socket | null = null;
  readonly #reader: PduReader;
  readonly #login: Login;
  readonly #closed: (buffer: Uint8Array) => void;
  #session: Session | null = null;
  #timer: Timer | null = null;
  #silence: Silence | null = null;
  #over = false;
  #ending = false;
  #reading = false;
  #paused = false;
  #flushDue = false;
  /** Bytes of its output that the budget counts. */
  #counted = 0;
  /** Of the buffer, not yet looked at. */
  #arrived = 0;
  readonly #taken = (): void => this.#read();

  constructor(entrance: Entrance, buffer: Uint8Array, closed: (buffer: Uint8Array) => void) {
    this.buffer = buffer;
    this.#entrance = entrance;
    this.#closed = closed;
    this.target = entrance.target;
    this.port = entrance.port;
    this.sendTargets = (all) => entrance.sendTargets(all, this.#socket?.localAddress ?? '127.0.0.1');
    this.output = new Output(NO_WIRE, entrance.crc);
    this.#reader = new PduReader(this, entrance.crc, LOGIN_SEGMENT);
    this.#login = new Login({
      target: entrance.target,
      portalGroup: entrance.port,
      chap: entrance.chap,
      random: (bytes) => entrance.host.random(bytes),
      admit: (identity, parameters, cmdSn) => {
        this.cid = identity.cid;
        const admitted = entrance.sessions.admit(identity, parameters, cmdSn, this);
        if (typeof admitted === 'number') return admitted;
        this.#session = admitted;
        return LOGIN_SUCCESS;
      },
    });
  }

  /** From now on it is about this socket, which reads into the buffer. */
  attach(socket: Socket): void {
    this.#socket = socket;
    this.from = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.output = new Output(socket, this.#entrance.crc);
    const { limits } = this.#entrance.sessions.around;
    this.#timer = this.#after(limits.loginMs, () => this.drop('no login in time'));
    socket.on('drain', () => this.#entrance.enter(() => this.#goOn()));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#entrance.enter(() => this.#end('the connection was lost')));
  }

  /** So many bytes have come into the buffer. */
  received(bytes: number): void {
    this.#arrived = bytes;
    this.#entrance.enter(this.#taken);
  }

  #after(ms: number, call: () => void): Timer {
    return this.#entrance.host.after(ms, () => this.#entrance.enter(call));
  }

  // -------------------------------------------------------------------------------------------------------- in

  #read(): void {
    if (this.#over) return;
    if (this.#silence !== null) this.#silence.heard = true;
    this.#reading = true;
    this.#reader.push(this.buffer, this.#arrived);
    this.#reading = false;
    this.#afterReading();
  }

  /** The socket has taken what waited. */
  #goOn(): void {
    if (this.#over) return;
    this.output.drained();
    this.#reading = true;
    this.#reader.resume();
    this.#reading = false;
    this.#afterReading();
  }

  #afterReading(): void {
    this.#flush();
    // What stopped the reader may have been nothing but our own batch.
    while (this.#reader.heldBack > 0 && !this.full && !this.#over) {
      this.#reading = true;
      this.#reader.resume();
      this.#reading = false;
      this.#flush();
    }
    const stop = this.full || this.#reader.heldBack > 0;
    if (stop === this.#paused || this.#over) return;
    this.#paused = stop;
    if (stop) this.#socket?.pause();
    else this.#socket?.resume();
  }

  get full(): boolean {
    return this.output.queued > this.#entrance.sessions.around.limits.queuedBytes;
  }

  pdu(buf: Uint8Array, at: number, ahsBytes: number, dataAt: number, dataBytes: number): void {
    if (this.#over || this.#ending) return;
    const session = this.#session;
    if (session === null || !this.#login.done) return this.#loginStep(buf, at, dataAt, dataBytes);
    const after = fullFeature(session, buf, at, ahsBytes, dataAt, dataBytes);
    if (after === 'nothing') return;
    this.#finish(after === 'close' ? 'logout' : 'target cold reset');
    if (after !== 'close') this.#entrance.sessions.closeAllOf(this.target, 'target cold reset');
  }

  badData(buf: Uint8Array, at: number): void {
    if (this.#session !== null && !this.#over && !this.#ending) damaged(this.#session, buf, at);
  }

  broken(why: string): void {
    this.drop(why);
  }

  // ----------------------------------------------------------------------------------------------------- login

  #loginStep(buf: Uint8Array, at: number, dataAt: number, dataBytes: number): void {
    if ((buf[at]! & OPCODE_MASK) !== LOGIN_REQUEST) {
      if (this.#login.identity === null) return this.drop('no login request');
      return this.#refuse(buf, at, { flags: 0, status: INVALID_DURING_LOGIN, data: new Uint8Array(0) });
    }
    const reply = this.#login.request(buf, at, dataAt, dataBytes);
    if (reply.status !== LOGIN_SUCCESS) return this.#refuse(buf, at, reply);
    answerLogin(this, this.#session, buf, at, reply);
    if (this.#login.done) this.#established();
  }

  #established(): void {
    const { headerDigest, dataDigest } = this.#session!.parameters;
    this.#reader.headerDigest = this.output.headerDigest = headerDigest;
    this.#reader.dataDigest = this.output.dataDigest = dataDigest;
    this.#reader.dataMax = TARGET_SEGMENT;
    this.#timer?.cancel();
    this.#timer = this.#silence = new Silence(
      this.#entrance.sessions.around.limits,
      (ms, call) => this.#after(ms, call),
      () => nopIn(this.#session!, this.#session!.tag()),
      () => this.drop('no answer to a NOP-In'),
    );
  }

  #refuse(buf: Uint8Array, at: number, reply: LoginReply): void {
    const { target, from } = this;
    const initiator = this.#login.identity?.initiator ?? null;
    const why = this.#login.refused;
    answerLogin(this, this.#session, buf, at, reply);
    this.#entrance.tell({ event: 'login-refused', initiator, target, from, status: reply.status, why });
    this.#finish('the login was refused');
  }

  // ------------------------------------------------------------------------------------------------------ out

  flushSoon(): void {
    if (this.#reading || this.#flushDue || this.#over) return;
    this.#flushDue = true;
    queueMicrotask(() => {
      this.#flushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#over) return;
    this.output.flush();
    this.#count(this.output.queued);
  }

  #count(bytes: number): void {
    if (bytes === this.#counted) return;
    this.#entrance.sessions.around.budget.used += bytes - this.#counted;
    this.#counted = bytes;
  }

  // ----------------------------------------------------------------------------------------------- silence, end

  drop(why: string): void {
    if (this.#over) return;
    this.#entrance.tell({ event: 'connection-dropped', target: this.target, from: this.from, why });
    this.#end(why);
  }

  /** The last answer goes out, then the connection ends. */
  #finish(why: string): void {
    this.#ending = true;
    this.output.flush();
    this.#closeSession(why);
    this.#socket?.end();
    this.#timer?.cancel();
    this.#timer = this.#after(this.#entrance.sessions.around.limits.logoutMs, () => this.#end(why));
  }

  #closeSession(why: string): void {
    const session = this.#session;
    // After a reinstatement the session is another connection's.
    if (session !== null && session.link === this) this.#entrance.sessions.close(session, why);
  }

  #end(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#reader.stop();
    this.#count(0);
    this.#closeSession(why);
    this.output.stop();
    this.#socket?.destroy();
    this.#closed(this.buffer);
  }

  /** It has not said who it is, so it may have to make room for one that does. */
  get silent(): boolean {
    return this.#login.identity === null && !this.#ending;
  }

  /** True once nothing of it is left. */
  get over(): boolean {
    return this.#over;
  }

  /** The server closes: the initiator is asked to log out. */
  askForLogout(): void {
    if (this.#over || this.#ending) return;
    if (this.#session === null || !this.#login.done) return this.#end('the server closes');
    requestLogout(this.#session);
    this.#flush();
  }

  close(why: string): void {
    this.#end(why);
  }
}
