/**
 * Looks for interrupt files in a device tree, on a machine without a PLIC: a second reading, since few machines need it.
 * The hart that starts has the first of the supervisor's files.
 */
import type { HartPort } from '../../hw/port.ts'
import { bigEndian, endOfString, hashAt, nameHash, nextWord, type TreeFindings } from './device-tree.ts'

const BEGIN_NODE = 1
const END_NODE = 2
const PROPERTY = 3
const NOP = 4
const TOKENS_AT_A_TIME = 64
const EXTERNAL_S = 9

const COMPATIBLE = nameHash('compatible')
const REG = nameHash('reg')
const INTERRUPTS_EXTENDED = nameHash('interrupts-extended')
const IMSICS = nameHash('riscv,imsics')

/** The supervisor's file of the hart that starts, 0 if there is none; and of the node that is read: what it is. Registered state. */
export type FileFindings = { file: number; reading: boolean; isFiles: boolean; isSupervisors: boolean; reg: number }

export function fileFindings(): FileFindings {
  return { file: 0, reading: false, isFiles: false, isSupervisors: false, reg: 0 }
}

/** Reads on from `tree.cursor`. True when the tree is at its end. */
export function readFiles(port: HartPort, tree: TreeFindings, found: FileFindings): boolean {
  let at = tree.cursor
  for (let count = 0; count < TOKENS_AT_A_TIME; count++) {
    const token = bigEndian(port, at)
    at += 4
    if (token === PROPERTY) {
      const bytes = bigEndian(port, at)
      readProperty(port, found, hashAt(port, tree.strings + bigEndian(port, at + 4)), at + 8, bytes)
      at = nextWord(at + 7 + bytes)
    } else if (token === BEGIN_NODE) {
      close(found)
      at = nextWord(endOfString(port, at))
    } else if (token === END_NODE) close(found)
    else if (token !== NOP) return true
  }
  tree.cursor = at
  return false
}

function readProperty(port: HartPort, found: FileFindings, name: number, value: number, bytes: number): void {
  if (name === REG && bytes >= 8) found.reg = bigEndian(port, value) * 0x1_0000_0000 + bigEndian(port, value + 4)
  else if (name === INTERRUPTS_EXTENDED) found.isSupervisors = bigEndian(port, value + 4) === EXTERNAL_S
  else if (name === COMPATIBLE) {
    let at = value
    while (at < value + bytes) {
      if (hashAt(port, at) === IMSICS) found.isFiles = true
      at = endOfString(port, at) + 1
    }
  }
}

function close(found: FileFindings): void {
  if (found.isFiles && found.isSupervisors) found.file = found.reg
  found.isFiles = false
  found.isSupervisors = false
}
