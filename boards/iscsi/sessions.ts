/**
 * The sessions of both targets: who may come in, and who makes room for whom.
 *
 * RFC 7143 6.3.1 (login to a session), 6.3.5 (session reinstatement), 6.3.4 (connection reinstatement)
 */
import type { SessionInfo } from './event.ts';
import { OUT_OF_RESOURCES, SESSION_DOES_NOT_EXIST, TOO_MANY_CONNECTIONS } from './login-status.ts';
import type { LoginIdentity } from './login.ts';
import type { Parameters } from './negotiate.ts';
import { type Link, Session, type Surroundings } from './session.ts';
import type { SendTargets } from './text-request.ts';

/** The connection that logs in, as the table needs it. */
export interface Newcomer extends Link {
  readonly from: string;
  readonly target: string;
  readonly port: 1 | 2;
  readonly sendTargets: SendTargets;
}

export class Sessions {
  readonly around: Surroundings;
  readonly #all = new Map<number, { session: Session; from: string }>();
  #nextTsih = 0;

  constructor(around: Surroundings) {
    this.around = around;
  }

  /** The session that this login makes or continues, or the status that refuses it. */
  admit(who: LoginIdentity, parameters: Parameters, cmdSn: number, link: Newcomer): Session | number {
    const old = who.discovery ? undefined : this.#find(who, link.port);
    if (who.tsih !== 0) return this.#rejoin(old, who, parameters, link);
    if (old !== undefined) this.#replace(old);
    if (this.#all.size >= this.around.limits.sessions) return OUT_OF_RESOURCES;
    const nexus = who.discovery ? null : this.around.shelf.ports.login(who.initiator, who.isid, link.port);
    if (nexus === null && !who.discovery) return OUT_OF_RESOURCES;
    const { initiator, isid } = who;
    const { target, port } = link;
    const identity = { initiator, isid, tsih: this.#tsih(), target, port, nexus };
    const session = new Session(identity, this.around, parameters, link, cmdSn, link.sendTargets);
    this.#all.set(identity.tsih, { session, from: link.from });
    this.around.tell({
      event: 'session-opened',
      initiator,
      isid,
      target,
      from: link.from,
      discovery: who.discovery,
    });
    return session;
  }

  #find(who: LoginIdentity, port: 1 | 2): Session | undefined {
    const initiator = who.initiator.toLowerCase();
    for (const { session } of this.#all.values()) {
      const { identity } = session;
      if (identity.nexus === null || identity.port !== port || identity.isid !== who.isid) continue;
      if (identity.initiator.toLowerCase() === initiator) return session;
    }
    return undefined;
  }

  /** Another connection for a session: only in place of the one it has, as MaxConnections is 1. */
  #rejoin(
    session: Session | undefined,
    who: LoginIdentity,
    parameters: Parameters,
    link: Newcomer,
  ): Session | number {
    if (session?.identity.tsih !== who.tsih) return SESSION_DOES_NOT_EXIST;
    if (who.cid !== session.link.cid) return TOO_MANY_CONNECTIONS;
    const before = session.link;
    session.endTasks();
    session.link = link; // so that the old connection's end is not the session's
    before.drop('the connection was reinstated');
    Object.assign(session.parameters, parameters);
    return session;
  }

  #replace(old: Session): void {
    const { link } = old;
    this.close(old, 'the session was reinstated');
    link.drop('the session was reinstated');
  }

  /** I_T nexus loss. */
  close(session: Session, why: string): void {
    if (session.closed) return;
    session.closed = true;
    const { initiator, isid, target, tsih, nexus } = session.identity;
    this.#all.delete(tsih);
    session.endTasks();
    if (nexus !== null) this.around.shelf.ports.logout(nexus);
    this.around.tell({ event: 'session-closed', initiator, isid, target, why, commands: session.served });
  }

  closeAllOf(target: string, why: string): void {
    for (const { session } of Array.from(this.#all.values())) {
      if (session.identity.target === target) session.link.drop(why);
    }
  }

  list(): SessionInfo[] {
    return [...this.#all.values()].map(({ session, from }) => {
      const { initiator, isid, tsih, target, port, nexus } = session.identity;
      const { served, commands } = session;
      return { initiator, isid, tsih, target, port, nexus, from, served, commands: commands.size };
    });
  }

  #tsih(): number {
    do this.#nextTsih = (this.#nextTsih % 65535) + 1;
    while (this.#all.has(this.#nextTsih));
    return this.#nextTsih;
  }
}
