/** The command line: `barehart COMMAND`. Each command is a file of its own; the user's mistakes are one line, and code 2. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { bootCommand } from './commands/boot.ts'
import { calibrateCommand } from './commands/calibrate.ts'
import { channelsCommand } from './commands/channels.ts'
import { compareCommand } from './commands/compare.ts'
import { consolidateCommand } from './commands/consolidate.ts'
import { isolateCommand } from './commands/isolate.ts'
import { linuxCommand } from './commands/linux.ts'
import { placeCommand } from './commands/place.ts'
import { runCommand } from './commands/run.ts'
import { schemaCommand } from './commands/schema.ts'
import { sensitivityCommand } from './commands/sensitivity.ts'
import { UserError } from './user-error.ts'

const HINT = '(add --help for what it takes)'

/** The package's version. `lab/` lies one folder below package.json from source, two when emitted. */
function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version
    } catch {
      continue
    }
  }
  return 'unknown'
}

/** The command with its subcommands. */
export function barehart(): Command {
  const program = new Command('barehart')
    .description('A physical RISC-V machine, a native and a hosted VMM on it, and where every cycle went.')
    .version(version())
    .showHelpAfterError(HINT)
    .exitOverride()
  for (const command of [
    compareCommand(),
    consolidateCommand(),
    sensitivityCommand(),
    placeCommand(),
    channelsCommand(),
    runCommand(),
    bootCommand(),
    linuxCommand(),
    calibrateCommand(),
    isolateCommand(),
    schemaCommand(),
  ]) {
    program.addCommand(command.exitOverride().showHelpAfterError(HINT))
  }
  return program
}

/** Does what the words say. A mistake is told to `complain`, and 2 is returned; else the commands set the exit code. */
export async function commandLine(
  words: readonly string[],
  complain: (line: string) => void,
): Promise<number | undefined> {
  try {
    await barehart().parseAsync(words, { from: 'user' })
    return undefined
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof UserError)) throw error
    complain(`barehart: ${error.message}`)
    return 2
  }
}
