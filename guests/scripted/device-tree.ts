/**
 * Reads the flattened device tree (Devicetree Specification 0.4, chapter 5) from the guest's memory, at run time, some
 * tokens at a time, so that no entry takes long. It knows the few nodes that scripted guests need. Names are compared
 * by their hashes.
 */
import type { HartPort } from '../../hw/port.ts'

const BEGIN_NODE = 1
const END_NODE = 2
const PROPERTY = 3
const NOP = 4
/** Offsets in the header. */
const STRUCTURE = 8
const STRINGS = 12
const TOKENS_AT_A_TIME = 64

// FNV-1a, of 32 bits.
const FNV_BASIS = 0x811c_9dc5 | 0
const FNV_PRIME = 0x0100_0193

/** Names are compared by it. */
export function nameHash(name: string): number {
  let hash = FNV_BASIS
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), FNV_PRIME)
  return hash
}

const COMPATIBLE = nameHash('compatible')
const REG = nameHash('reg')
const RANGES = nameHash('ranges')
const INTERRUPTS = nameHash('interrupts')
const INTERRUPTS_EXTENDED = nameHash('interrupts-extended')
const INTERRUPT_MAP = nameHash('interrupt-map')
const TIMEBASE = nameHash('timebase-frequency')
const PLIC = nameHash('riscv,plic0')
const VIRTIO = nameHash('virtio,mmio')
const PCIE = nameHash('pci-host-ecam-generic')

/** The supervisor's external interrupt, as `interrupts-extended` names it. */
const EXTERNAL_S = 9
/** A row of `ranges`: space, bus address (2), address (2), size (2); memory below 4 GiB is space 2. */
const RANGE_BYTES = 28
const MEMORY32 = 2
/** In a row of `interrupt-map`: the source at the parent, behind address (3), pin and parent. */
const MAPPED_SOURCE = 20

/** More slots than any machine has. */
export const VIRTIO_SLOTS = 32

/** What has been found, and how far the reading is. Zero: not found. Registered state. */
export type TreeFindings = {
  plic: number
  /** This hart's context at the PLIC; -1: none. */
  context: number
  ticksPerSecond: number
  ecam: number
  /** Where PCIe functions' memory may be put, and the source of the bus's first wire. */
  pcieMemory: number
  pcieSource: number
  virtioSlots: number
  cursor: number
  strings: number
  /** The node that is being read: what it is compatible with, and its properties. */
  kind: number
  reg: number
  source: number
  memory: number
  mapped: number
  external: number
}

export function treeFindings(): TreeFindings {
  return {
    plic: 0,
    context: -1,
    ticksPerSecond: 0,
    ecam: 0,
    pcieMemory: 0,
    pcieSource: 0,
    virtioSlots: 0,
    cursor: 0,
    strings: 0,
    kind: 0,
    reg: 0,
    source: 0,
    memory: 0,
    mapped: 0,
    external: -1,
  }
}

/** Register windows and sources of the virtio-mmio slots, in tree order. */
export interface VirtioSlots {
  readonly windows: Float64Array
  readonly sources: Int32Array
}

/** Begins to read the tree at an address. */
export function openTree(port: HartPort, tree: number, findings: TreeFindings): void {
  findings.cursor = tree + bigEndian(port, tree + STRUCTURE)
  findings.strings = tree + bigEndian(port, tree + STRINGS)
}

/** Reads on. True when the tree is at its end. */
export function readTree(port: HartPort, findings: TreeFindings, slots: VirtioSlots): boolean {
  let at = findings.cursor
  for (let count = 0; count < TOKENS_AT_A_TIME; count++) {
    const token = bigEndian(port, at)
    at += 4
    if (token === PROPERTY) {
      const bytes = bigEndian(port, at)
      readProperty(port, findings, hashAt(port, findings.strings + bigEndian(port, at + 4)), at + 8, bytes)
      at = nextWord(at + 7 + bytes)
    } else if (token === BEGIN_NODE) {
      closeNode(findings, slots)
      at = nextWord(endOfString(port, at))
    } else if (token === END_NODE) closeNode(findings, slots)
    else if (token !== NOP) return true
  }
  findings.cursor = at
  return false
}

function readProperty(port: HartPort, findings: TreeFindings, name: number, value: number, bytes: number): void {
  if (name === COMPATIBLE) readCompatible(port, findings, value, bytes)
  else if (name === REG && bytes >= 8) findings.reg = address(port, value)
  else if (name === INTERRUPTS) findings.source = bigEndian(port, value)
  else if (name === TIMEBASE) findings.ticksPerSecond = bigEndian(port, value)
  else if (name === INTERRUPT_MAP) findings.mapped = bigEndian(port, value + MAPPED_SOURCE)
  else if (name === INTERRUPTS_EXTENDED) readExternal(port, findings, value, bytes)
  else if (name === RANGES) readRanges(port, findings, value, bytes)
}

function readCompatible(port: HartPort, findings: TreeFindings, value: number, bytes: number): void {
  let at = value
  while (at < value + bytes) {
    const hash = hashAt(port, at)
    if (hash === PLIC || hash === VIRTIO || hash === PCIE) findings.kind = hash
    at = endOfString(port, at) + 1
  }
}

/** Pairs of hart and interrupt: the first external interrupt of an S-mode is that of the hart that starts. */
function readExternal(port: HartPort, findings: TreeFindings, value: number, bytes: number): void {
  findings.external = -1
  for (let at = 4; at < bytes; at += 8) {
    if (bigEndian(port, value + at) !== EXTERNAL_S) continue
    findings.external = at >>> 3
    return
  }
}

function readRanges(port: HartPort, findings: TreeFindings, value: number, bytes: number): void {
  for (let at = 0; at + RANGE_BYTES <= bytes; at += RANGE_BYTES) {
    if (bigEndian(port, value + at) >>> 24 === MEMORY32) findings.memory = address(port, value + at + 12)
  }
}

/** All properties of a node come before its children: at the first child, or its end, it is known. */
function closeNode(findings: TreeFindings, slots: VirtioSlots): void {
  const { kind } = findings
  if (kind === 0) return
  findings.kind = 0
  if (kind === PLIC) {
    findings.plic = findings.reg
    findings.context = findings.external
  } else if (kind === PCIE) {
    findings.ecam = findings.reg
    findings.pcieMemory = findings.memory
    findings.pcieSource = findings.mapped
  } else if (findings.virtioSlots < VIRTIO_SLOTS) {
    const slot = findings.virtioSlots
    findings.virtioSlots = slot + 1
    slots.windows[slot] = findings.reg
    slots.sources[slot] = findings.source
  }
}

/** A word of the tree. */
export function bigEndian(port: HartPort, at: number): number {
  const word = port.load32(at)
  return (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
}

/** The word behind a byte. */
export function nextWord(at: number): number {
  return Math.floor(at / 4) * 4 + 4
}

function address(port: HartPort, at: number): number {
  return bigEndian(port, at) * 0x1_0000_0000 + bigEndian(port, at + 4)
}

/** Of the string at an address. */
export function hashAt(port: HartPort, start: number): number {
  let hash = FNV_BASIS
  let at = start
  let byte = port.load8(at)
  while (byte !== 0) {
    hash = Math.imul(hash ^ byte, FNV_PRIME)
    at++
    byte = port.load8(at)
  }
  return hash
}

/** The address of the zero byte that ends a string. */
export function endOfString(port: HartPort, start: number): number {
  let at = start
  while (port.load8(at) !== 0) at++
  return at
}
