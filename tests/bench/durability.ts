/** The long form of tests/vmm/native/placed/durability.test.ts: `node --import ./lab/counting/register.ts tests/bench/durability.ts [INSTANTS]`. */
import { keepPromises } from '../vmm/native/placed/promises.ts'

const instants = Number(process.argv[2] ?? 10_000)
const PLACES = [
  { at: 'vmm' },
  { at: 'server', crashes: 400 },
  { at: 'server', transfer: 'copy', crashes: 400 },
  { at: 'domain', crashes: 60 },
  { at: 'domain', transfer: 'copy', crashes: 60 },
] as const

for (const { crashes = 0, ...disk } of PLACES as readonly ((typeof PLACES)[number] & { crashes?: number })[]) {
  const { broken, lost, promised, issued, deaths } = keepPromises(disk, instants, 20_000, crashes)
  process.stdout.write(
    `${JSON.stringify(disk)}: ${instants} instants, ${issued} writes, ${promised} promised, ${deaths} crashes: ${broken} promises broken, ${lost} blocks lost that nobody had promised\n`,
  )
}
