/**
 * Assembly for images of TypeScript software (hw/port.ts): the instructions at which its loads, stores and AMOs trap.
 * Behind each, `entry 4095` resumes the entry whose token is in t6 with the result in t5. An image that lacks them
 * traps at its `entry` instruction instead, which suits software whose accesses nobody emulates.
 */

/** By port operation: the instruction. The address is in t4, the value stored or loaded in t5. */
export const STUB_INSTRUCTIONS = {
  load8: 'lbu t5, 0(t4)',
  load16: 'lhu t5, 0(t4)',
  load32: 'lwu t5, 0(t4)',
  load64: 'ld t5, 0(t4)',
  store8: 'sb t5, 0(t4)',
  store16: 'sh t5, 0(t4)',
  store32: 'sw t5, 0(t4)',
  store64: 'sd t5, 0(t4)',
  swap32: 'amoswap.w t5, t5, (t4)',
  add32: 'amoadd.w t5, t5, (t4)',
  and32: 'amoand.w t5, t5, (t4)',
  or32: 'amoor.w t5, t5, (t4)',
} as const

/** The symbol at which an image's stubs begin. */
export const STUBS_SYMBOL = 'port_stubs'

/** `entry 4095`: resumes the entry whose token is in t6, its pending operation done. */
export const RESUME_INDEX = 4095

/** The stubs, to be appended to an image's source. Uncompressed, so that each takes four bytes. */
export const PORT_STUBS: string = [
  '.option push',
  '.option norvc',
  '.balign 8',
  `${STUBS_SYMBOL}:`,
  ...Object.values(STUB_INSTRUCTIONS).flatMap(instruction => [instruction, `entry ${RESUME_INDEX}`]),
  '.option pop',
  '',
].join('\n')
