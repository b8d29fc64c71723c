/** How a login ends, RFC 7143 11.13.5: status class and detail. */
export const LOGIN_SUCCESS = 0x0000;
export const INITIATOR_ERROR = 0x0200;
export const AUTHENTICATION_FAILURE = 0x0201;
export const TARGET_NOT_FOUND = 0x0203;
export const UNSUPPORTED_VERSION = 0x0205;
export const TOO_MANY_CONNECTIONS = 0x0206;
export const MISSING_PARAMETER = 0x0207;
export const SESSION_TYPE_NOT_SUPPORTED = 0x0209;
export const SESSION_DOES_NOT_EXIST = 0x020a;
export const INVALID_DURING_LOGIN = 0x020b;
export const OUT_OF_RESOURCES = 0x0302;

export interface LoginReply {
  flags: number;
  status: number;
  data: Uint8Array;
}

/** A login request that leads nowhere. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, why: string) {
    super(why);
    this.status = status;
  }
}
