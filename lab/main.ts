/** What `barehart.js` runs. */
import { commandLine } from './command-line.ts'

const code = await commandLine(process.argv.slice(2), line => console.error(line))
if (code !== undefined) process.exitCode = code
