import { crc32 } from '../support/crc32.js';

/** Length and CRC-32 of the payload, each in 4 bytes, little-endian. */
export const HEADER_BYTES = 8;

/** The file is damaged in a way that no crash explains: what was on disk once is wrong now. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}

/** A record as it lies in the file; a payload is never empty. */
export function encode(payload: Uint8Array): Buffer {
  const record = Buffer.alloc(HEADER_BYTES + payload.length);
  record.writeUInt32LE(payload.length, 0);
  record.writeUInt32LE(crc32(payload), 4);
  record.set(payload, HEADER_BYTES);
  return record;
}

/**
 * The payloads of a file that was only ever appended to. A crash may leave its last record half there, or as zeros: that
 * record was never confirmed to anybody and is left out.
 *
 * @throws DamagedError if a record does not check out and is not the end of the file
 */
export function readRecords(file: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= file.length) {
    const length = file.readUInt32LE(at);
    const payload = file.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (crc32(payload) !== file.readUInt32LE(at + 4)) break;
    payloads.push(payload);
    at += HEADER_BYTES + length;
  }
  return payloads;
}
