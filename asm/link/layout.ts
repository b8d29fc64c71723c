/**
 * The link between a host and a board at the far end of a UART: frames, and how both ends keep them in order.
 * Integers only: the AssemblyScript compiler and Node both read this file as it is.
 *
 * **On the line** a frame is FRAME_HEADER_BYTES of header, up to FRAME_PAYLOAD_MAX of payload and a CRC32C (RFC 3385)
 * of both, all little-endian, as one COBS packet (Cheshire and Baker, "Consistent Overhead Byte Stuffing", 1999) and a
 * zero byte. Whatever does not decode, has a wrong length or sum, or is too long is dropped and counted.
 *
 * **Session.** The host sends OPEN with a new session number until the board answers OFFER, whose payload is a nonce of
 * 32 bits; the host answers CONFIRM with the same one, and with that both ends start from nothing. An OPEN that
 * comes late so never ends a session. A board that gets a frame of a session it does not know, because it was reset,
 * answers RESET with that session: the host then knows that the board's state is gone. Either end may send RESET.
 *
 * **Order.** DATA frames are numbered from 0 (mod 2^16), whatever their channel, and are given to the receiver in that
 * order, once each. At most LINK_WINDOW are on their way. Every frame acknowledges: `ack` is the first number that is
 * missing, bit i of `sack` says that ack + 1 + i is there. Selective repeat: a frame is sent again when three that were
 * sent after it have been acknowledged, or when the time for it is over (RFC 6298: smoothed round trip and four times
 * its deviation, doubled at each try).
 *
 * A receiver that has data of its own to send acknowledges with them. Else it sends ACK: at once when a frame is missing
 * or came twice, after ACK_FRAMES frames, and when ACK_US have passed since the last one.
 *
 * **Credits** are bytes, a channel at a time: a frame costs its payload and FRAME_COST. The receiver grants a running
 * total (mod 2^32), at first CREDIT_*. DATA and ACK carry the grant for one channel, of which the sender knows least. A
 * sender without credit asks with PROBE, which is answered by an ACK whose payload is the grants of all (u32 each). The
 * host also probes a board that has been silent for PROBE_US.
 *
 * What the channels carry is in firmware/attached/layout.ts.
 */
export const FRAME_KIND_AT: u32 = 0; // u8, FRAME_*
export const FRAME_CHANNEL_AT: u32 = 1; // u8, CHANNEL_* of the payload; from bit 4 on that of the credit
export const FRAME_LENGTH_AT: u32 = 2; // u16, of the payload
export const FRAME_SESSION_AT: u32 = 4; // u16, never 0
export const FRAME_SEQUENCE_AT: u32 = 6; // u16, of DATA
export const FRAME_ACK_AT: u32 = 8; // u16
export const FRAME_SACK_AT: u32 = 10; // u16
export const FRAME_CREDIT_AT: u32 = 12; // u32, of DATA and ACK
export const FRAME_HEADER_BYTES: u32 = 16;
export const FRAME_PAYLOAD_MAX: u32 = 1024;
export const FRAME_CRC_BYTES: u32 = 4;
export const FRAME_BYTES_MAX: u32 = FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX + FRAME_CRC_BYTES;
/** Of a frame on the line: a byte in 254 more, one at the start, and the zero. */
export const LINE_BYTES_MAX: u32 = 1050;

export const FRAME_OPEN: u32 = 1;
export const FRAME_OFFER: u32 = 2;
export const FRAME_CONFIRM: u32 = 3;
export const FRAME_DATA: u32 = 4;
export const FRAME_ACK: u32 = 5;
export const FRAME_PROBE: u32 = 6;
export const FRAME_RESET: u32 = 7;

export const CHANNEL_CONTROL: u32 = 0;
export const CHANNEL_TIME: u32 = 1;
export const CHANNEL_HBA: u32 = 2;
export const CHANNEL_PORT: u32 = 3; // front-end port
export const CHANNEL_INTERCONNECT: u32 = 4;
export const CHANNEL_CONSOLE: u32 = 5;
export const CHANNEL_PANIC: u32 = 6;
export const CHANNEL_TRACE: u32 = 7;
export const CHANNELS: u32 = 8;

export const FRAME_COST: u32 = 4;
/** First grant, and room at the receiver. Those that carry bulk data have room for a window, and half as much again. */
export const CREDIT_BYTES: u32 = 4096;
export const CREDIT_BULK_BYTES: u32 = 24576; // CHANNEL_HBA, CHANNEL_PANIC

export const LINK_WINDOW: u32 = 16;
export const ACK_FRAMES: u32 = 8;
export const LINK_HOST: u32 = 0;
export const LINK_BOARD: u32 = 1;

/** What link_state() says. */
export const LINK_CLOSED: u32 = 0;
export const LINK_OPENING: u32 = 1;
export const LINK_OPEN: u32 = 2;
export const LINK_LOST: u32 = 3; // the far end was reset, or said goodbye

/** Times, us. */
export const OPEN_US: u32 = 100000; // OPEN is sent again
export const ACK_US: u32 = 25000; // twice what a whole frame takes at 921,600 baud
export const PROBE_US: u32 = 500000;
export const RTO_FIRST_US: u32 = 300000;
export const RTO_MIN_US: u32 = 60000;
export const RTO_MAX_US: u32 = 2000000;
/** What link_due() says when nothing will be due. */
export const LINK_NEVER: u32 = 0xffffffff;
/** What link_take() says when nothing is there. */
export const LINK_NOTHING: u32 = 0xffffffff;

/** What link_count() counts. */
export const COUNT_BAD: u32 = 0; // lines that were no frame
export const COUNT_DUPLICATE: u32 = 1; // frames that had been there, or that nobody had room for
export const COUNT_AGAIN: u32 = 2; // frames sent again
export const COUNT_SENT: u32 = 3; // frames of data sent, each once
export const COUNT_TAKEN: u32 = 4; // and taken
export const COUNT_ALL: u32 = 5; // frames sent, of every kind
export const COUNTS: u32 = 6;
