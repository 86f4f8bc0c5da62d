/** The command line: `barehart COMMAND`. Each command is a file of its own; its usage errors and the user's mistakes exit with 2. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { bootCommand } from './commands/boot.ts'
import { compareCommand } from './commands/compare.ts'
import { runCommand } from './commands/run.ts'
import { schemaCommand } from './commands/schema.ts'
import { linuxCommand } from './commands/linux.ts'
import { UserError } from './user-error.ts'

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

const program = new Command('barehart')
  .description('A physical RISC-V machine, a native and a hosted VMM on it, and where every cycle went.')
  .version(version())
  .showHelpAfterError('(add --help for what it takes)')
  .exitOverride()
for (const command of [compareCommand(), runCommand(), bootCommand(), linuxCommand(), schemaCommand()]) {
  program.addCommand(command.exitOverride().showHelpAfterError('(add --help for what it takes)'))
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else if (error instanceof UserError) {
    console.error(`barehart: ${error.message}`)
    process.exitCode = 2
  } else {
    throw error
  }
}
