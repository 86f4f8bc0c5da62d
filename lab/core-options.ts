/** Which core the harts are, and whether they have caches: as options of commands, as words in results, and back. */
import type { Command } from 'commander'
import {
  CORES,
  type CoreChoice,
  type CoreName,
  L2_SHARINGS,
  type L2Sharing,
  type Model,
  MODELS,
  type Prices,
  pricesFor,
} from '../hw/index.ts'
import { UserError } from './user-error.ts'

/** As commander has them. */
export interface CoreOptions {
  readonly core?: string
  readonly model?: string
  readonly l2?: string
}

const PRIVATE = 'cached, private L2'

export function withCoreOptions(command: Command): Command {
  return command
    .option('--model <name>', `of ${MODELS.join(',')}: caches always hit, or are simulated; ${MODELS[0]} unless given`)
    .option('--core <name>', `of ${CORES.join(',')}: whose prices; ${CORES[0]} unless given`)
    .option('--l2 <sharing>', `of ${L2_SHARINGS.join(',')}: one for all harts, or one each; with --model cached`)
}

/** The price list that options name. */
export function pricesOf({ core, model, l2 }: CoreOptions): Prices {
  if (l2 !== undefined && model !== 'cached')
    throw new UserError(`--l2 ${l2}: the flat model has no L2; add --model cached`)
  const choice: CoreChoice = {
    core: oneOf('--core', core, CORES),
    model: oneOf('--model', model, MODELS),
    l2: oneOf('--l2', l2, L2_SHARINGS),
  }
  return pricesFor(choice)
}

function oneOf<T extends CoreName | Model | L2Sharing>(
  option: string,
  value: string | undefined,
  names: readonly T[],
): T {
  const found = value === undefined ? names[0] : names.find(name => name === value)
  if (found === undefined) throw new UserError(`${option}: there is no "${value}"; choose of ${names.join(',')}`)
  return found
}

/** The model as results name it. */
export function modelName({ model, caches }: Prices): string {
  return caches?.sharing === 'private' ? PRIVATE : model
}

/** The options that choose a core and a model by the names that results have of them; none for what is usual. */
export function coreFlags(core: string, model: string): readonly string[] {
  const name = CORES.find(candidate => pricesFor({ core: candidate }).core === core)
  return [
    ...(name === undefined || name === CORES[0] ? [] : [`--core ${name}`]),
    ...(model === MODELS[0] ? [] : ['--model cached']),
    ...(model === PRIVATE ? ['--l2 private'] : []),
  ]
}
