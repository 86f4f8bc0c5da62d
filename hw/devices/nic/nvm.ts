/** The card's EEPROM: 16-bit words, with a checksum over the first 64. 82576 6.2. */
import { NIC_DEVICE, NIC_VENDOR, NVM_SUM, NVM_WORD } from '../../spec/devices/nic.ts'

export const NVM_WORDS = 8192

/** The image of a card with this station address; words that mean nothing are all ones. */
export function nvmImage(mac: readonly number[]): Uint16Array {
  const words = new Uint16Array(NVM_WORDS).fill(0xffff)
  for (let i = 0; i < 3; i++) words[NVM_WORD.MAC + i] = mac[2 * i] | (mac[2 * i + 1] << 8)
  words[NVM_WORD.COMPATIBILITY] = 0
  words[NVM_WORD.VERSION] = 0x1500
  words[NVM_WORD.PBA] = 0xe345
  words[NVM_WORD.PBA + 1] = 0x7802
  words[NVM_WORD.INITIALIZATION_CONTROL_1] = 0x4020
  words[NVM_WORD.SUBSYSTEM_ID] = 0xa03c
  words[NVM_WORD.SUBSYSTEM_VENDOR] = NIC_VENDOR
  words[NVM_WORD.DEVICE_ID] = NIC_DEVICE
  words[NVM_WORD.VENDOR_ID] = NIC_VENDOR
  // no flow control advertised
  words[NVM_WORD.INITIALIZATION_CONTROL_2] = 0
  words[NVM_WORD.INITIALIZATION_CONTROL_3] = 0
  let sum = 0
  for (let i = 0; i < NVM_WORD.CHECKSUM; i++) sum += words[i]
  words[NVM_WORD.CHECKSUM] = NVM_SUM - sum
  return words
}
