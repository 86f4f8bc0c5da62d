/** Which sources of ours were measured, as far as that can be known. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))

function git(...words: readonly string[]): string {
  return execFileSync('git', ['-C', HERE, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

/** The commit of a checkout, with a + if something in it was changed since; undefined of what was installed. */
export function sourceVersion(): string | undefined {
  try {
    git('ls-files', '--error-unmatch', 'version.ts')
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
  } catch {
    return undefined
  }
}
