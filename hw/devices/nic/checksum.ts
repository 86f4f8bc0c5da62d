/** Sums that network hardware computes: RFC 1071 over 16-bit words, CRC-32 of Ethernet, CRC-32C of SCTP. */

/** Adds the big-endian 16-bit words of bytes[from, to) to `sum`, without folding. */
export function add16(bytes: Uint8Array, from: number, to: number, sum = 0): number {
  for (let i = from; i + 1 < to; i += 2) sum += bytes[i] * 256 + bytes[i + 1]
  if ((to - from) % 2 === 1) sum += bytes[to - 1] * 256
  return sum
}

/** Folds a sum into 16 bits. */
export function fold16(sum: number): number {
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000)
  return sum
}

export function get16(bytes: Uint8Array, at: number): number {
  return bytes[at] * 256 + bytes[at + 1]
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

const ETHERNET = 0xedb8_8320
const CASTAGNOLI = 0x82f6_3b78

function table(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1
    return value
  })
}
const ethernet = table(ETHERNET)
const castagnoli = table(CASTAGNOLI)

function crc(bytes: Uint8Array, from: number, by: Uint32Array): number {
  let value = 0xffff_ffff
  for (let i = from; i < bytes.length; i++) value = by[(value ^ bytes[i]) & 0xff] ^ (value >>> 8)
  return ~value >>> 0
}

/** The frame check sequence: to be sent low byte first. */
export function frameCheck(frame: Uint8Array): number {
  return crc(frame, 0, ethernet)
}

/** CRC-32C of bytes from `from` on, to be stored low byte first. */
export function crc32c(bytes: Uint8Array, from: number): number {
  return crc(bytes, from, castagnoli)
}
