/** What calibration is given from outside: Linux, hosted VMMs. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { fetchedLinux, type LinuxImages } from '../linux/debian.ts'
import { UserError } from '../user-error.ts'
import type { ImageUsed } from './calibration.ts'

/** Linux in the folder, or the one that `barehart linux` has fetched. Throws UserError if there is none. */
export function linuxFor(directory: string): LinuxImages {
  const linux = fetchedLinux(directory) ?? fetchedLinux()
  if (!linux) throw new UserError(`no Linux (Image, initrd) in ${directory}: run \`barehart linux --vmm\` first`)
  return linux
}

/** SHA-256, in hexadecimal digits. */
export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The text after `mark` in an image, up to a space, newline or zero; empty if it is not there. */
function textAfter(image: Buffer, mark: string): string {
  const at = image.indexOf(mark)
  return at < 0 ? '' : (/^[^\s\0]*/.exec(image.toString('latin1', at + mark.length, at + mark.length + 80))?.[0] ?? '')
}

export function linuxImagesUsed(directory: string): readonly ImageUsed[] {
  const { kernel, initrd } = linuxFor(directory)
  const image = readFileSync(kernel)
  const archive = readFileSync(initrd)
  const files = archive.readUInt16BE(0) === 0x1f8b ? gunzipSync(archive) : archive
  return [
    { name: 'Linux', version: textAfter(image, 'Linux version '), sha256: hashOf(image) },
    { name: 'initrd (busybox, modules)', version: textAfter(files, 'BusyBox v'), sha256: hashOf(archive) },
  ]
}

/** A file of the folder. A file beside it, NAME.version, says what it is. */
export function imageUsed(directory: string, file: string, name: string): ImageUsed {
  const path = join(directory, file)
  const said = `${path}.version`
  const version = existsSync(said) ? readFileSync(said, 'utf8').trim() : ''
  return { name, version, sha256: hashOf(readFileSync(path)) }
}
