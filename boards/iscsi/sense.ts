/** Sense data that the transport gives itself, fixed format, [SPC-4] 4.5.3; codes of RFC 7143 11.4.7.2. */
const HARDWARE_ERROR = 0x04;
const ILLEGAL_REQUEST = 0x05;
const ABORTED_COMMAND = 0x0b;

function sense(key: number, code: number, qualifier: number): Uint8Array {
  const bytes = new Uint8Array(18);
  bytes[0] = 0x70;
  bytes[2] = key;
  bytes[7] = 10;
  bytes[12] = code;
  bytes[13] = qualifier;
  return bytes;
}

export const UNEXPECTED_UNSOLICITED_DATA = sense(ABORTED_COMMAND, 0x0c, 0x0c);
export const INCORRECT_AMOUNT_OF_DATA = sense(ABORTED_COMMAND, 0x0c, 0x0d);
export const PROTOCOL_SERVICE_CRC_ERROR = sense(ABORTED_COMMAND, 0x47, 0x05);
/** ACA without an ACA condition, [SAM-5] 8.6.3. */
export const INVALID_MESSAGE = sense(ILLEGAL_REQUEST, 0x49, 0x00);
/** LOGICAL UNIT DOES NOT RESPOND TO SELECTION: the disk behind the target is dead. */
export const LOGICAL_UNIT_SILENT = sense(HARDWARE_ERROR, 0x05, 0x00);
