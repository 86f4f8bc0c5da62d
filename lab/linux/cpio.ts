/** The initramfs format: a cpio archive in the "newc" form (Linux Documentation/driver-api/early-userspace/buffer-format). */

export type CpioEntry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | { readonly path: string; readonly kind: 'file'; readonly data: Uint8Array; readonly executable: boolean }

function modeOf(entry: CpioEntry): number {
  if (entry.kind === 'directory') return 0o040755
  if (entry.kind === 'link') return 0o120777
  return entry.executable ? 0o100755 : 0o100644
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}

function record(inode: number, path: string, mode: number, data: Uint8Array): Buffer {
  const name = Buffer.from(`${path}\0`)
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0]
  const header = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}`
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(Buffer.from(data))])
}

/** The archive of these entries, in their order: a directory comes before what it holds. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const records = entries.map((entry, index) => {
    const data = entry.kind === 'file' ? entry.data : Buffer.from(entry.kind === 'link' ? entry.target : '')
    return record(index + 1, entry.path, modeOf(entry), data)
  })
  return Buffer.concat([...records, record(0, 'TRAILER!!!', 0, new Uint8Array())])
}
