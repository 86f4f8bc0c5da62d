/** Which machine it was: prices, what it is made of, images, policy; all but the seed. */
import { createHash } from 'node:crypto'

/** `description` is plain data; 16 hexadecimal digits. */
export function configurationHash(description: object, images: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  hash.update(JSON.stringify(description))
  for (const bytes of images) hash.update(bytes)
  return hash.digest('hex').slice(0, 16)
}
