/**
 * A server as the VMM has it: a thread in an address space of its own, with a frame, a page for messages, memory for its
 * driver and the registers of one device. It is entered when something has happened, and runs until it waits. One that
 * faults, or does not come back, is killed; what it had is cleared, and it begins anew.
 */
import type { HartPort, Software, StateRecord } from '../../../../hw/port.ts'
import { maskOf } from '../../../../hw/spec/csr.ts'
import { time } from '../../../../hw/spec/csrs/counters.ts'
import { sstatus } from '../../../../hw/spec/csrs/supervisor.ts'
import type { Program } from '../../../../hw/spec/isa/assembler.ts'
import { A0, A1, A2, A3 } from '../../../../hw/spec/sbi.ts'
import { SMALL_PAGE, type TableAllocator } from '../../../core/g-stage.ts'
import { serverFrame } from './vmm-side-gate.ts'
import {
  answer,
  ANSWERS_AT,
  BIT_TIME,
  FLAG_FAILED,
  MOST_ANSWERS,
  SERVER_MEMORY,
  SERVER_MESSAGES,
  SERVER_REGISTERS,
  SERVER_TEXT,
} from './vmm-side-messages.ts'
import { GATE_CODE, GATE_DATA, mapServer, storeSatp, USER_CODE, USER_DATA } from './vmm-side-space.ts'

/** Not made yet; waits for something to happen; in it, or about to go on; killed, to be cleared. */
export const ABSENT = 0
export const WAITING = 1
export const RUNNING = 2
export const KILLED = 3

/** Bytes of a dead server's memory that are cleared in one entry. */
const PIECE = 0x1_0000
/** cycle, time, instret. */
const COUNTERS = 7
const UXL_64_HIGH = 2
const NEVER = Infinity
/** Not exceptions' numbers: it has not come back in time; its driver is at its wits' end; it does not answer. */
export const HUNG = 64
export const GAVE_UP = 65
export const MUTE = 66
/**
 * Ticks between two looks: 50 ms; and after how many one that has not answered is killed. Whoever was slow only is given
 * twice as many the next time, so that a device that takes its time gets through in the end; after so many without harm, no more.
 */
const LOOK = 500_000
const PATIENCE = 4
const LONGEST_PATIENCE = 64
const HARMLESS = 200
const FROM_USER = maskOf(sstatus, 'SPIE')

/** Whoever the server works for, in the VMM. */
export interface ServerClient {
  /** True if there is something to be said to the server. */
  isWaiting(): boolean
  /** Puts messages at `at`; returns how many. */
  compose(port: HartPort, at: number): number
  /** The server has come back: it has handled what it was told, and says how its device is. */
  heard(port: HartPort, flags: number, knows: number): void
  /** One of its answers, which may be anything. */
  answered(port: HartPort, what: number, bytes: number): void
  /** Of what it should have answered, what it was asked first: a number that is different for each; -1 if there is nothing. */
  oldest(): number
  /** It is dead: its device is to be cut off, and what it has not answered is to be asked again. False if it is not to live again. */
  lost(port: HartPort): boolean
  /** It is about to begin anew. */
  revived(): void
}

/** What of the machine's memory it has. */
export interface ServerParts {
  readonly name: string
  readonly program: Program
  readonly software: Software
  readonly text: number
  readonly asid: number
  /** The device's registers. */
  readonly registers: { readonly base: number; readonly bytes: number }
  /** The driver's memory, and more that it may see, behind it. */
  readonly memory: { readonly base: number; readonly bytes: number }
  /** The hart that is its own, or NOWHERE: it runs where it is called. */
  readonly hart: number
  /** It looks after its device by itself, the more often the less else there is to do. */
  readonly polls: boolean
  readonly takeTable: TableAllocator
}

export class ServerThread {
  readonly parts: ServerParts
  readonly record = {
    status: ABSENT,
    frame: 0,
    page: 0,
    root: 0,
    /** BIT_: what has happened. */
    bits: 0,
    due: NEVER,
    cleared: 0,
    /** How often it was killed, of what cause last, at which address and with what pc. */
    deaths: 0,
    cause: 0,
    address: 0,
    pc: 0,
    /** When it is looked at next, what it had not answered then, for how many looks; and the patience with it. */
    look: 0,
    oldest: -1,
    mute: 0,
    patience: PATIENCE,
    looks: 0,
  }
  readonly state: Readonly<Record<string, StateRecord>>
  client: ServerClient | undefined

  constructor(parts: ServerParts) {
    this.parts = parts
    this.state = { [`server ${parts.name}`]: this.record }
  }

  /** Makes its address space. `gate`: the page of code by which it is entered. */
  prepare(port: HartPort, gate: number): void {
    const { record } = this
    const { text, registers, memory, takeTable, asid } = this.parts
    record.root = takeTable(port)
    record.frame = takeTable(port)
    record.page = takeTable(port)
    const { root, frame, page } = record
    mapServer(port, root, gate, gate, SMALL_PAGE, GATE_CODE, takeTable)
    mapServer(port, root, frame, frame, SMALL_PAGE, GATE_DATA, takeTable)
    mapServer(port, root, SERVER_TEXT, text, SMALL_PAGE, USER_CODE, takeTable)
    mapServer(port, root, SERVER_MESSAGES, page, SMALL_PAGE, USER_DATA, takeTable)
    mapServer(port, root, SERVER_MEMORY, memory.base, memory.bytes, USER_DATA, takeTable)
    mapServer(port, root, SERVER_REGISTERS, registers.base, registers.bytes, USER_DATA, takeTable)
    storeSatp(port, frame + serverFrame.satp.at, root, asid)
    this.#begin(port)
  }

  /** Lets it run. */
  start(): void {
    this.record.status = WAITING
  }

  /** As new: at the first instruction of its text. */
  #begin(port: HartPort): void {
    const { record } = this
    const { frame } = record
    port.fill(frame, 0, serverFrame.satp.at)
    port.store64(frame + serverFrame.sepc.at, SERVER_TEXT)
    port.store32(frame + serverFrame.sstatus.at, FROM_USER)
    port.store32(frame + serverFrame.sstatus.at + 4, UXL_64_HIGH)
    port.store64(frame + serverFrame.scounteren.at, COUNTERS)
    port.store64(frame + serverFrame.senvcfg.at, 0)
    record.bits = BIT_TIME
    record.due = NEVER
  }

  /** True if it is to be entered now. */
  isWanted(port: HartPort): boolean {
    const { record } = this
    if (record.status !== WAITING) return false
    if (record.bits !== 0 || this.client!.isWaiting()) return true
    return record.due !== NEVER && record.due <= port.read(time)
  }

  /** Every now and then: kills it if there is something that it does not answer. When to look again. */
  look(port: HartPort): number {
    const { record } = this
    const now = port.read(time)
    if (now < record.look) return record.look
    record.look = now + LOOK
    const oldest = this.client!.oldest()
    record.mute = oldest < 0 || oldest !== record.oldest ? 0 : record.mute + 1
    record.oldest = oldest
    record.looks++
    if (record.looks === HARMLESS) record.patience = PATIENCE
    // Who is in it has another watch.
    if (record.mute < record.patience || record.status !== WAITING) return record.look
    if (record.patience < LONGEST_PATIENCE) record.patience *= 2
    this.kill(port, MUTE, 0)
    return now
  }

  /** Tells it what has happened: it is about to be entered. */
  deliver(port: HartPort): void {
    const { record } = this
    const { frame } = record
    const messages = this.client!.compose(port, record.page)
    port.store64(frame + serverFrame.x.at + A0 * 8, record.bits)
    port.store64(frame + serverFrame.x.at + A1 * 8, messages)
    record.bits = 0
    record.due = NEVER
    record.status = RUNNING
  }

  /** It has made its call. */
  called(port: HartPort): void {
    const { record } = this
    const client = this.client!
    const x = record.frame + serverFrame.x.at
    // Past its ecall: it goes on there.
    port.store64(record.frame + serverFrame.sepc.at, port.load64(record.frame + serverFrame.sepc.at) + 4)
    record.status = WAITING
    record.due = port.load64(x + A0 * 8)
    const flags = port.load32(x + A1 * 8)
    const told = port.load32(x + A2 * 8)
    client.heard(port, flags, port.load64(x + A3 * 8))
    const count = told > MOST_ANSWERS ? MOST_ANSWERS : told
    let at = record.page + ANSWERS_AT
    for (let left = count; left > 0; left--) {
      client.answered(port, port.load32(at + answer.what.at), port.load32(at + answer.bytes.at))
      at += answer.size
    }
    // A driver that has given up may do better in another life.
    if ((flags & FLAG_FAILED) !== 0) this.kill(port, GAVE_UP, 0)
  }

  /** It has done what it must not. */
  kill(port: HartPort, cause: number, address: number): void {
    const { record } = this
    record.deaths++
    record.cause = cause
    record.address = address
    record.pc = port.load64(record.frame + serverFrame.sepc.at)
    record.cleared = 0
    record.mute = 0
    record.looks = 0
    record.status = this.client!.lost(port) ? KILLED : ABSENT
  }

  /** Clears a part of what a dead one has left behind; then it is as new. */
  revive(port: HartPort): void {
    const { record } = this
    const { memory } = this.parts
    if (record.cleared < memory.bytes) {
      port.fill(memory.base + record.cleared, 0, PIECE)
      record.cleared += PIECE
      return
    }
    port.fill(record.page, 0, SMALL_PAGE)
    this.client!.revived()
    this.#begin(port)
    this.start()
  }
}
