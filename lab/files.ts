/** Files that the user names: read whole, every failure one clear line. */
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { FileBacking, SECTOR_BYTES } from '../hw/devices/disk-backing.ts'
import { UserError } from './user-error.ts'

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'does not exist',
    EACCES: 'may not be accessed',
    EISDIR: 'is a directory',
    EROFS: 'lies on a read-only file system',
  }
  return reasons[code ?? ''] ?? `cannot be opened (${code ?? String(error)})`
}

/** The bytes of a file. `what` says what it was to be: "kernel", "bios". */
export function readImage(path: string, what: string, remedy = 'give the path of a file that can be read'): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UserError(`${what} ${path} ${reasonOf(error)}; ${remedy}`)
  }
}

/** A disk in an image file, read and written in place. */
export function fileDisk(path: string): FileBacking {
  let file: number
  try {
    file = openSync(path, 'r+')
  } catch (error) {
    throw new UserError(`disk ${path} ${reasonOf(error)}; give an image file that can be read and written`)
  }
  const { size } = fstatSync(file)
  if (size === 0 || size % SECTOR_BYTES !== 0) {
    closeSync(file)
    throw new UserError(
      `disk ${path} has ${size} bytes; a disk is a whole number of 512-byte sectors (truncate -s 64M ${path} makes one)`,
    )
  }
  return new FileBacking(size / SECTOR_BYTES, {
    read: (offset, into) => void readSync(file, into, 0, into.length, offset),
    write: (offset, from) => void writeSync(file, from, 0, from.length, offset),
    flush: () => fsyncSync(file),
  })
}
