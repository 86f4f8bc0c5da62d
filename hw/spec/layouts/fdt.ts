/**
 * The flattened device tree, version 17: from and to bytes. Firmware, boards, the VMM (which writes one for each
 * guest) and scripted guests share it. Everything in the file is big endian. Sections "DT" of the Devicetree
 * Specification 0.4.
 *
 *   header   40 bytes                                 5.2
 *   memory reservations, 16 bytes each, zero-ended    5.3
 *   structure: tokens of 4 bytes                      5.4
 *   strings: property names, zero-ended               5.5
 */

const MAGIC = 0xd00dfeed
const VERSION = 17
const LAST_COMPATIBLE = 16
const HEADER_BYTES = 40
const BEGIN_NODE = 1
const END_NODE = 2
const PROPERTY = 3
const NOP = 4
const END = 9

export interface FdtNode {
  /** With its unit address; empty for the root. */
  readonly name: string
  readonly properties: ReadonlyMap<string, Uint8Array>
  readonly children: readonly FdtNode[]
}

export interface FdtReservation {
  readonly address: number
  readonly bytes: number
}

export interface Fdt {
  readonly root: FdtNode
  readonly reservations: readonly FdtReservation[]
  readonly bootHart: number
}

/** What a property may be given as: cells, a string, strings, `true` for an empty one, or bytes. */
export type FdtValue = readonly number[] | string | readonly string[] | true | Uint8Array

/** A node, its property values encoded. */
export function fdtNode(
  name: string,
  properties: Readonly<Record<string, FdtValue>>,
  children: readonly FdtNode[] = [],
): FdtNode {
  const encoded = new Map(Object.entries(properties).map(([key, value]) => [key, encodeFdtValue(value)]))
  return { name, properties: encoded, children }
}

/** The bytes of a property. Cells are 32-bit numbers. */
export function encodeFdtValue(value: FdtValue): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (value === true) return new Uint8Array(0)
  if (typeof value === 'string') return text(value)
  const bytes: number[] = []
  for (const item of value) {
    if (typeof item === 'string') bytes.push(...text(item))
    else bytes.push((item >>> 24) & 0xff, (item >>> 16) & 0xff, (item >>> 8) & 0xff, item & 0xff)
  }
  return Uint8Array.from(bytes)
}

/** A 64-bit number as two cells. */
export function fdtCells64(value: number): [high: number, low: number] {
  return [Math.floor(value / 2 ** 32), value % 2 ** 32]
}

/** Flattens a tree. */
export function encodeFdt(root: FdtNode, reservations: readonly FdtReservation[] = [], bootHart = 0): Uint8Array {
  const structure = new Writer()
  const strings = new Writer()
  const names = new Map<string, number>()
  const writeNode = (node: FdtNode): void => {
    structure.word(BEGIN_NODE)
    structure.append(text(node.name))
    structure.align(4)
    for (const [name, value] of node.properties) {
      let offset = names.get(name)
      if (offset === undefined) {
        offset = strings.length
        names.set(name, offset)
        strings.append(text(name))
      }
      structure.word(PROPERTY)
      structure.word(value.length)
      structure.word(offset)
      structure.append(value)
      structure.align(4)
    }
    for (const child of node.children) writeNode(child)
    structure.word(END_NODE)
  }
  writeNode(root)
  structure.word(END)

  const reserved = HEADER_BYTES
  const structureAt = reserved + (reservations.length + 1) * 16
  const stringsAt = structureAt + structure.length
  const total = Math.ceil((stringsAt + strings.length) / 8) * 8
  const whole = new Writer()
  for (const word of [
    MAGIC,
    total,
    structureAt,
    stringsAt,
    reserved,
    VERSION,
    LAST_COMPATIBLE,
    bootHart,
    strings.length,
    structure.length,
  ])
    whole.word(word)
  for (const { address, bytes } of [...reservations, { address: 0, bytes: 0 }]) {
    for (const cell of [...fdtCells64(address), ...fdtCells64(bytes)]) whole.word(cell)
  }
  whole.append(structure.bytes())
  whole.append(strings.bytes())
  whole.align(8)
  return whole.bytes()
}

/** Reads a flattened tree. Throws one clear line if the bytes are none. */
export function decodeFdt(bytes: Uint8Array): Fdt {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER_BYTES || view.getUint32(0) !== MAGIC)
    throw new Error('not a device tree: it does not begin with d00dfeed')
  const total = view.getUint32(4)
  if (total > bytes.length) throw new Error(`device tree is cut off: ${bytes.length} of ${total} bytes`)
  let at = view.getUint32(8)
  const stringsAt = view.getUint32(12)
  const bootHart = view.getUint32(28)

  const reservations: FdtReservation[] = []
  for (let entry = view.getUint32(16); ; entry += 16) {
    const address = view.getUint32(entry) * 2 ** 32 + view.getUint32(entry + 4)
    const size = view.getUint32(entry + 8) * 2 ** 32 + view.getUint32(entry + 12)
    if (address === 0 && size === 0) break
    reservations.push({ address, bytes: size })
  }

  const token = (): number => {
    for (;;) {
      const word = view.getUint32(at)
      at += 4
      if (word !== NOP) return word
    }
  }
  const align = (): void => {
    at = Math.ceil(at / 4) * 4
  }
  const string = (start: number): string => {
    const end = bytes.indexOf(0, start)
    return Array.from(bytes.subarray(start, end), byte => String.fromCharCode(byte)).join('')
  }
  const readNode = (): FdtNode => {
    const name = string(at)
    at += name.length + 1
    align()
    const properties = new Map<string, Uint8Array>()
    const children: FdtNode[] = []
    for (;;) {
      const word = token()
      if (word === END_NODE) return { name, properties, children }
      if (word === BEGIN_NODE) {
        children.push(readNode())
      } else if (word === PROPERTY) {
        const length = view.getUint32(at)
        properties.set(string(stringsAt + view.getUint32(at + 4)), bytes.slice(at + 8, at + 8 + length))
        at += 8 + length
        align()
      } else {
        throw new Error(`device tree has token 0x${word.toString(16)} at offset 0x${(at - 4).toString(16)}`)
      }
    }
  }
  if (token() !== BEGIN_NODE) throw new Error('device tree has no root node')
  return { root: readNode(), reservations, bootHart }
}

/** The node at an absolute path. A component without a unit address matches the first node of that name. */
export function fdtFind(root: FdtNode, path: string): FdtNode | undefined {
  let node: FdtNode | undefined = root
  for (const part of path.split('/')) {
    if (part === '') continue
    node = node?.children.find(child => child.name === part || child.name.startsWith(`${part}@`))
  }
  return node
}

/** Every node whose `compatible` names `compatible`, in tree order. */
export function fdtCompatible(root: FdtNode, compatible: string): FdtNode[] {
  const here = fdtStrings(root, 'compatible').includes(compatible) ? [root] : []
  return [...here, ...root.children.flatMap(child => fdtCompatible(child, compatible))]
}

/** A property as cells; empty if it is absent. */
export function fdtCells(node: FdtNode, property: string): number[] {
  const value = node.properties.get(property)
  if (!value) return []
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return Array.from({ length: value.length >> 2 }, (_, index) => view.getUint32(index * 4))
}

/** A property as strings; empty if it is absent. */
export function fdtStrings(node: FdtNode, property: string): string[] {
  const value = node.properties.get(property)
  if (!value || value.length === 0) return []
  return Array.from(value, byte => String.fromCharCode(byte))
    .join('')
    .replace(/\0$/, '')
    .split('\0')
}

/** `reg` or the like as pairs, with two cells for each address and each size. */
export function fdtRanges(node: FdtNode, property: string): FdtReservation[] {
  const cells = fdtCells(node, property)
  const ranges: FdtReservation[] = []
  for (let index = 0; index + 3 < cells.length; index += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = cells.slice(index, index + 4)
    ranges.push({ address: a * 2 ** 32 + b, bytes: c * 2 ** 32 + d })
  }
  return ranges
}

/** Bytes of a zero-ended string of 8-bit characters. */
function text(value: string): Uint8Array {
  return Uint8Array.from([...value, '\0'], character => character.charCodeAt(0))
}

/** Bytes that grow. */
class Writer {
  #bytes = new Uint8Array(1024)
  length = 0

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  word(value: number): void {
    this.#reserve(4)
    new DataView(this.#bytes.buffer).setUint32(this.length, value)
    this.length += 4
  }

  align(to: number): void {
    const padding = (to - (this.length % to)) % to
    this.#reserve(padding)
    this.length += padding
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.length)
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + more))
    grown.set(this.#bytes.subarray(0, this.length))
    this.#bytes = grown
  }
}
