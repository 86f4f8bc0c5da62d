/**
 * Debian packages of a foreign architecture, through the system's own package tool: its configured Debian archive
 * with another suite, in a directory of its own. Nothing of the system changes.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../user-error.ts'

const SOURCES = '/etc/apt/sources.list.d'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The machine's own entry for the Debian archive, as a deb822 stanza for another suite. */
function debianEntry(suite: string): string {
  const files = existsSync(SOURCES) ? readdirSync(SOURCES).filter(name => name.endsWith('.sources')) : []
  for (const file of files) {
    for (const stanza of readFileSync(join(SOURCES, file), 'utf8').split(/\n\s*\n/)) {
      const uri = /^URIs:\s*(\S*\/debian)\/?\s*$/m.exec(stanza)?.[1]
      if (uri) return `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: main\nSigned-By: ${KEYRING}\n`
    }
  }
  const list = existsSync('/etc/apt/sources.list') ? readFileSync('/etc/apt/sources.list', 'utf8') : ''
  const uri = /^deb\s+(?:\[[^\]]*\]\s+)?(\S*\/debian)\/?\s/m.exec(list)?.[1]
  if (uri) return `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: main\nSigned-By: ${KEYRING}\n`
  throw new UserError(
    `no entry for the Debian archive in ${SOURCES} or /etc/apt/sources.list; give a kernel with --kernel and --initrd instead`,
  )
}

export class ForeignApt {
  readonly #directory: string
  readonly #environment: NodeJS.ProcessEnv
  readonly #suite: string

  /** `directory` is created; `architecture` as Debian names it. Throws UserError where there is no apt. */
  constructor(directory: string, suite: string, architecture: string) {
    this.#directory = directory
    this.#suite = suite
    for (const part of ['state/lists/partial', 'cache/archives/partial', 'sources', 'packages']) {
      mkdirSync(join(directory, part), { recursive: true })
    }
    writeFileSync(join(directory, 'state/status'), '')
    writeFileSync(join(directory, 'sources/debian.sources'), debianEntry(suite))
    const configuration = join(directory, 'apt.conf')
    writeFileSync(
      configuration,
      [
        `Dir::State "${join(directory, 'state')}";`,
        `Dir::State::status "${join(directory, 'state/status')}";`,
        `Dir::Cache "${join(directory, 'cache')}";`,
        'Dir::Etc::sourcelist "/dev/null";',
        `Dir::Etc::sourceparts "${join(directory, 'sources')}";`,
        `APT::Architecture "${architecture}";`,
        `APT::Architectures "${architecture}";`,
        'APT::Sandbox::User "root";',
        '',
      ].join('\n'),
    )
    this.#environment = { ...process.env, APT_CONFIG: configuration, LC_ALL: 'C' }
  }

  #run(command: string, ...words: readonly string[]): string {
    try {
      return execFileSync(command, words, {
        cwd: join(this.#directory, 'packages'),
        env: this.#environment,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        maxBuffer: 1 << 28,
      })
    } catch (error) {
      const failure = error as { code?: string; stderr?: string }
      if (failure.code === 'ENOENT')
        throw new UserError(
          `${command} is not installed: fetching needs a Debian-like system; give --kernel and --initrd instead`,
        )
      const reason = (failure.stderr ?? '').split('\n').find(line => line.startsWith('E:')) ?? 'it failed'
      throw new UserError(
        `${command} ${words[0] ?? ''} for Debian ${this.#suite}: ${reason.replace(/\S+:\/\/\S+\//g, '')}; try again later, or another suite such as --suite forky`,
      )
    }
  }

  update(): void {
    this.#run('apt-get', 'update')
  }

  /** Names of the packages whose name matches. */
  search(pattern: string): readonly string[] {
    return this.#run('apt-cache', 'search', '--names-only', pattern)
      .split('\n')
      .map(line => line.split(' ')[0] ?? '')
      .filter(Boolean)
  }

  /** What a package depends on, by name. */
  depends(name: string): readonly string[] {
    return [...this.#run('apt-cache', 'depends', name).matchAll(/^\s*Depends: (\S+)$/gm)].map(match => match[1] ?? '')
  }

  /** Downloads the packages and all that they depend on and unpacks them into one folder; returns it, and their versions. */
  unpackWithDependencies(names: readonly string[]): { tree: string; versions: ReadonlyMap<string, string> } {
    this.#run('apt-get', 'install', '--yes', '--download-only', '--no-install-recommends', ...names)
    const archives = join(this.#directory, 'cache/archives')
    const tree = join(this.#directory, 'closure')
    const versions = new Map<string, string>()
    for (const file of readdirSync(archives)) {
      const [, name, version] = /^([^_]+)_([^_]+)_[^_]+\.deb$/.exec(file) ?? []
      if (!name || !version) continue
      this.#run('dpkg-deb', '-x', join(archives, file), tree)
      versions.set(name, decodeURIComponent(version))
    }
    return { tree, versions }
  }

  /** Downloads the packages and unpacks them into one folder, which it returns. */
  unpack(names: readonly string[]): string {
    const tree = join(this.#directory, 'tree')
    const packages = join(this.#directory, 'packages')
    for (const name of names) {
      this.#run('apt-get', 'download', name)
      const file = readdirSync(packages).find(entry => entry.startsWith(`${name}_`) && entry.endsWith('.deb'))
      if (!file) throw new UserError(`package ${name} of Debian ${this.#suite} was not downloaded; try again`)
      this.#run('dpkg-deb', '-x', join(packages, file), tree)
    }
    return tree
  }
}
