/**
 * The journal, in the manner of jbd2: blocks of the file system's own that have changed gather in a transaction. A commit
 * copies them, writes a descriptor and the copies in one piece into the journal, has the disk flush, and writes the
 * commit block through. Only then may the blocks be written where they belong.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import {
  FS_BLOCK,
  FS_BLOCK_SECTORS,
  FS_JOURNAL,
  inode,
  INODES_A_BLOCK,
  JOURNAL_COMMIT,
  JOURNAL_DESCRIPTOR,
  JOURNAL_MAGIC,
  journalBlock,
} from '../../../hw/spec/layouts/host-file-system.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import { JOURNALED, NO_PAGE, pageOf, type PageCache } from '../page-cache.ts'
import { NEVER } from '../task.ts'
import { BLOCK_WRITE, BLOCK_WRITE_THROUGH, type BlockLayer, FOR_JOURNAL } from './block-layer.ts'
import { type Buffers, COMING, LOST } from './buffers.ts'
import type { FileSystem } from './file-system.ts'
import { DEVICE, inodeAt, MAP_CHANGED, MOST_OPEN, openInode } from './inodes.ts'
import type { WriteBack } from './write-back.ts'

/** Policy, as ext4's: a transaction is committed after five seconds. A file's time is kept to a tick of 4 ms. */
const INTERVAL = 50_000_000
const GRAIN = 40_000
/** Blocks of a transaction. */
const MOST_BLOCKS = 15

const IDLE = 0
const WRITING = 1
const FLUSHING = 2
const COMMITTING = 3

export class Journal {
  /** `running`, `committing`: blocks of the two transactions; `sequence`: the running one's number, `committed` the last that is over; `head`: the journal's next block; `ordering`: a commit waits for data. */
  readonly record = {
    running: 0,
    committing: 0,
    phase: IDLE,
    sequence: 1,
    committed: 0,
    head: 0,
    due: NEVER,
    buffer: 0,
    flush: 0,
    ordering: false,
    failed: false,
  }
  readonly state: Record<string, StateRecord>
  /** Pages of the running transaction, and of the one that is being committed. */
  readonly #running = new Int32Array(MOST_BLOCKS)
  readonly #committing = new Int32Array(MOST_BLOCKS)
  readonly #cache: PageCache
  readonly #buffers: Buffers
  readonly #fileSystem: FileSystem
  readonly #blocks: BlockLayer
  readonly #writeBack: WriteBack
  #wakeThread: (port: HartPort, due: number) => void = () => {}
  #committed: (port: HartPort) => void = () => {}

  constructor(cache: PageCache, buffers: Buffers, fileSystem: FileSystem, blocks: BlockLayer, writeBack: WriteBack) {
    this.#cache = cache
    this.#buffers = buffers
    this.#fileSystem = fileSystem
    this.#blocks = blocks
    this.#writeBack = writeBack
    this.state = { journal: this.record, 'journal running': this.#running, 'journal committing': this.#committing }
    blocks.attach(FOR_JOURNAL, (port, _cookie, _sectors, ok) => this.#written(port, ok))
  }

  /** Takes memory for what is to be written: pages that lie together. */
  create(port: HartPort, free: FreeMemory): void {
    this.record.buffer = free.takeTable(port)
    for (let block = 0; block <= MOST_BLOCKS; block++) free.takeTable(port)
  }

  /** Who hears of each commit. Set-up. */
  attach(committed: (port: HartPort) => void): void {
    this.#committed = committed
  }

  /** Who calls `advance` at `due` (ticks). Set-up. */
  attachThread(wakeThread: (port: HartPort, due: number) => void): void {
    this.#wakeThread = wakeThread
  }

  /** The disk has flushed: a commit may go on. */
  flushed(port: HartPort): void {
    if (this.record.phase === FLUSHING) this.#wakeThread(port, port.read(time))
  }

  /** A file has been written to now: its inode's time changes, once a tick. A block that is not in memory is left for the next time. */
  touch(port: HartPort, slot: number): void {
    const at = inodeAt(slot)
    const now = port.read(time)
    if (now - port.load64(at + openInode.modified.at) < GRAIN) return
    const number = port.load32(at + openInode.number.at)
    const block = this.#fileSystem.blockOf(number)
    const contents = this.#buffers.read(port, block)
    if (contents === COMING || contents === LOST) return
    if (!this.join(port, block)) return
    port.store64(at + openInode.modified.at, now)
    port.store64(contents + (number % INODES_A_BLOCK) * inode.size + inode.modified.at, now)
  }

  /** The block, which is in memory, belongs to the running transaction. False if that has no room. */
  join(port: HartPort, block: number): boolean {
    const { record } = this
    const now = port.read(time)
    if (record.running === MOST_BLOCKS) return false
    const page = this.#buffers.journal(port, block)
    if (page === NO_PAGE) return true
    this.#running[record.running] = page
    record.running++
    if (record.running === 1) this.#call(port, now + INTERVAL)
    else if (record.running === MOST_BLOCKS) this.#call(port, now)
    return true
  }

  #call(port: HartPort, due: number): void {
    if (this.record.due <= due) return
    this.record.due = due
    this.#wakeThread(port, due)
  }

  /** Commits as soon as possible; returns the number that `isCommitted` asks for. */
  commit(port: HartPort): number {
    const { record } = this
    if (record.running === 0) return record.phase === IDLE ? record.committed : record.sequence - 1
    this.#call(port, port.read(time))
    return record.sequence
  }

  isCommitted(sequence: number): boolean {
    return this.record.committed >= sequence
  }

  /** Goes on with a commit, or begins one that is due. Returns when it is to be called again (ticks). */
  advance(port: HartPort): number {
    const { record } = this
    if (record.phase === FLUSHING && this.#blocks.flushed() >= record.flush) this.#end(port)
    if (record.phase === IDLE && record.running > 0 && record.due <= port.read(time)) {
      // Data first: no file is longer on the disk than what has been written of it.
      record.ordering = !this.#isWritten(port)
      if (record.ordering) return NEVER
      this.#begin(port)
    }
    return record.phase === IDLE ? record.due : NEVER
  }

  /** Files whose extents have changed: their data goes to the disk. True if all of it is there. */
  #isWritten(port: HartPort): boolean {
    let isWritten = true
    for (let slot = DEVICE + 1; slot < MOST_OPEN; slot++) {
      const at = inodeAt(slot)
      if ((port.load32(at + openInode.flags.at) & MAP_CHANGED) === 0) continue
      this.#writeBack.writeOut(port, slot)
      if (!this.#writeBack.isClean(port, slot)) isWritten = false
      else port.store32(at + openInode.flags.at, port.load32(at + openInode.flags.at) & ~MAP_CHANGED)
    }
    return isWritten
  }

  /** Data has been written: a commit that waits for it may go on. */
  dataWritten(port: HartPort): void {
    if (this.record.ordering) this.#wakeThread(port, port.read(time))
  }

  /** Copies the running transaction's blocks behind a descriptor and writes them. */
  #begin(port: HartPort): void {
    const { record } = this
    const count = record.running
    if (record.head + count + 2 > FS_JOURNAL.blocks) {
      // The journal begins again: what it held has to be where it belongs.
      record.head = 0
      this.#writeBack.writeOut(port, DEVICE)
    }
    describe(port, record.buffer, JOURNAL_DESCRIPTOR, record.sequence, count)
    for (let index = 0; index < count; index++) {
      const page = this.#running[index]
      const cache = this.#cache
      this.#committing[index] = page
      cache.setFlags(port, page, cache.flags(port, page) & ~JOURNALED)
      port.store32(record.buffer + journalBlock.size + index * 4, pageOf(cache.keyOf(port, page)))
      port.copy(record.buffer + (index + 1) * FS_BLOCK, cache.addressOf(page), FS_BLOCK)
    }
    record.committing = count
    record.running = 0
    record.sequence++
    record.due = NEVER
    record.phase = WRITING
    this.#write(port, BLOCK_WRITE, count + 1)
  }

  #write(port: HartPort, operation: number, blocks: number): void {
    const { record } = this
    const sector = this.#buffers.sectorOf(FS_JOURNAL.first + record.head)
    this.#blocks.add(port, operation, sector, blocks * FS_BLOCK_SECTORS, record.buffer, FOR_JOURNAL, 0)
    this.#blocks.unplug(port)
    record.head += blocks
  }

  /** A write into the journal is over. */
  #written(port: HartPort, ok: boolean): void {
    const { record } = this
    if (!ok) record.failed = true
    if (record.phase === WRITING) {
      record.phase = FLUSHING
      record.flush = this.#blocks.flush(port)
    } else this.#finish(port)
  }

  /** What the transaction holds is on the medium: the commit block makes it count. */
  #end(port: HartPort): void {
    const { record } = this
    record.phase = COMMITTING
    describe(port, record.buffer, JOURNAL_COMMIT, record.sequence - 1, record.committing)
    this.#write(port, BLOCK_WRITE_THROUGH, 1)
  }

  #finish(port: HartPort): void {
    const { record } = this
    const cache = this.#cache
    for (let index = 0; index < record.committing; index++) {
      const page = this.#committing[index]
      // A block that has changed since belongs to the next transaction.
      if ((cache.flags(port, page) & JOURNALED) === 0) this.#writeBack.soil(port, DEVICE, page)
      cache.release(port, page)
    }
    record.committing = 0
    record.committed = record.sequence - 1
    record.phase = IDLE
    this.#committed(port)
    this.#wakeThread(port, record.due)
  }
}

function describe(port: HartPort, at: number, kind: number, sequence: number, blocks: number): void {
  port.store32(at + journalBlock.magic.at, JOURNAL_MAGIC)
  port.store32(at + journalBlock.kind.at, kind)
  port.store32(at + journalBlock.sequence.at, sequence)
  port.store32(at + journalBlock.blocks.at, blocks)
}
