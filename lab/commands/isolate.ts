/** `barehart isolate`: tries what is promised of isolation, with scenarios made at random; and shows that it could be found broken. */
import chalk from 'chalk'
import { Command } from 'commander'
import { BUGS } from '../isolation/bugs/index.ts'
import type { Verdict } from '../isolation/campaign.ts'
import type { IsolationPromise } from '../isolation/promise.ts'
import { PROMISES } from '../isolation/promises/index.ts'
import { writeReport } from '../isolation/report.ts'
import { type Outcome, tryAll } from '../isolation/shares.ts'
import { tryInTurns } from '../isolation/turns.ts'
import { findingLines } from '../isolation/show.ts'
import { wholeNumber } from '../study/names.ts'
import { needSources } from '../planting/sources.ts'
import { UserError } from '../user-error.ts'

interface IsolateOptions {
  readonly promise?: string
  readonly bug?: string
  readonly runs?: string
  readonly total?: string
  readonly resume?: string
  readonly threads?: string
  readonly minutes?: string
  readonly seed: string
  readonly list?: boolean
  readonly json?: boolean
  readonly report?: string
}

const RUNS = 200
const MOST_RUNS = 1_000_000_000
const MOST_MINUTES = 10_000
const MOST_THREADS = 256
const MOST_SEED = 0x7fff_0000
const SECONDS = 60

export function isolateCommand(): Command {
  return new Command('isolate')
    .description('try what is promised of isolation with scenarios made at random, and shrink what breaks a promise')
    .option('--promise <name>', `one alone, of ${PROMISES.map(({ name }) => name).join(', ')}; unless given, all`)
    .option('--bug <name>', 'plant this bug first (--list names them): a promise has to notice')
    .option('--runs <n>', `scenarios for each promise; ${RUNS} unless --minutes is given`)
    .option('--minutes <n>', 'stop after so many minutes for all promises together; parts of minutes may be given')
    .option('--total <n>', 'scenarios of all promises together, in turns of two minutes each, until there are as many')
    .option('--resume <file>', 'with --total: say there how far it is, and go on from there')
    .option('--threads <n>', 'threads that try at the same time; 2 unless given')
    .option('--seed <n>', 'where to begin; what a run printed shows one scenario again', '1')
    .option('--list', 'print promises and bugs, and try nothing')
    .option('--json', 'print as JSON, a line for each promise')
    .option('--report <dir>', 'write a report there: what was tried, exits by cause, branches of the VMMs')
    .action(isolate)
}

function promisesOf(name: string | undefined): readonly IsolationPromise[] {
  if (name === undefined) return PROMISES
  const promise = PROMISES.find(each => each.name === name)
  if (!promise)
    throw new UserError(
      `--promise ${name}: there is none of this name; one of ${PROMISES.map(each => each.name).join(', ')}`,
    )
  return [promise]
}

function bugOf(name: string | undefined): string | undefined {
  if (name !== undefined) needSources(`--bug ${name}`)
  if (name === undefined || BUGS.some(bug => bug.name === name)) return name
  throw new UserError(`--bug ${name}: there is none of this name; --list names all`)
}

/** A number, and of a scenario that is to be shown again the way to it. */
function seedOf(
  text: string,
  promises: readonly IsolationPromise[],
): { readonly seed: number; readonly path?: string } {
  const [, number = '', path] = /^([0-9]+)(?::([0-9:]+))?$/.exec(text) ?? []
  if (number === '') throw new UserError(`--seed ${text}: give a whole number, or what a run printed, such as 7:12:0:1`)
  const seed = wholeNumber('--seed', number, 0, MOST_SEED)
  if (path === undefined) return { seed }
  if (promises.length > 1) throw new UserError(`--seed ${text}: this is a scenario of one promise; add --promise`)
  return { seed, path }
}

function minutesOf(text: string): number {
  const minutes = Number(text)
  if (!(minutes > 0 && minutes <= MOST_MINUTES))
    throw new UserError(`--minutes ${text}: give a number above 0, such as 0.5 or 10`)
  return minutes
}

async function isolate(options: IsolateOptions): Promise<void> {
  if (options.list) return list(options.json ?? false)
  const promises = promisesOf(options.promise)
  const bug = bugOf(options.bug)
  const plan = {
    promises,
    ...seedOf(options.seed, promises),
    runs:
      options.runs === undefined
        ? options.minutes === undefined && options.total === undefined
          ? RUNS
          : MOST_RUNS
        : wholeNumber('--runs', options.runs, 1, MOST_RUNS),
    milliseconds: options.minutes === undefined ? Infinity : minutesOf(options.minutes) * SECONDS * 1000,
    ...(bug !== undefined && { bug }),
    covers: options.report !== undefined,
    ...(options.threads !== undefined && { threads: wholeNumber('--threads', options.threads, 1, MOST_THREADS) }),
  }
  const finished = (verdict: Verdict) => {
    clear()
    console.log(options.json ? JSON.stringify(record(verdict, bug)) : summary(verdict, bug))
  }
  if (options.resume !== undefined && options.total === undefined)
    throw new UserError('--resume: this goes with --total: give it, too')
  const outcome =
    options.total === undefined
      ? await tryAll(plan, progress, finished)
      : await tryInTurns(plan, wholeNumber('--total', options.total, 1, MOST_RUNS), options.resume, progress, finished)
  if (options.report !== undefined) {
    const page = writeReport(options.report, outcome, bug)
    console.error(`report: ${page}`)
  }
  if (!options.json && promises.length > 1) console.log(total(outcome))
  if (outcome.verdicts.some(({ finding }) => finding)) process.exitCode = 1
}

function list(json: boolean): void {
  const promises = PROMISES.map(({ name, sentence }) => ({ name, sentence }))
  const bugs = BUGS.map(({ name, models, area }) => ({ name, models, area }))
  if (json) return console.log(JSON.stringify({ promises, bugs }, undefined, 1))
  for (const { name, sentence } of promises) console.log(`${chalk.bold(name)}: ${sentence}`)
  console.log()
  for (const { name, models, area } of bugs) console.log(`${chalk.bold(name)} (${area}): ${models}`)
}

/** The command that shows a finding again. */
function replayOf({ promise, again }: Verdict, bug: string | undefined): string | null {
  if (again === undefined) return null
  return `npx barehart isolate --promise ${promise}${bug === undefined ? '' : ` --bug ${bug}`} --seed ${again}`
}

function record(verdict: Verdict, bug: string | undefined) {
  const { promise, scenarios, exits, seconds, finding } = verdict
  return {
    promise,
    bug: bug ?? null,
    scenarios,
    exits,
    seconds,
    verdict: finding ? 'violated' : 'held',
    counterexample: finding ?? null,
    replay: replayOf(verdict, bug),
  }
}

const grouped = (value: number) => Math.round(value).toLocaleString('en')

function summary(verdict: Verdict, bug: string | undefined): string {
  const { promise, scenarios, exits, seconds, finding } = verdict
  const tried = `${grouped(scenarios)} scenarios, ${grouped(exits)} exits, ${seconds.toFixed(1)} s (${grouped(exits / seconds)} exits/s)`
  if (!finding) return `${chalk.green('held    ')} ${chalk.bold(promise.padEnd(13))} ${chalk.dim(tried)}`
  const lines = findingLines(finding).map(line => `           ${line}`)
  return [
    `${chalk.red('violated')} ${chalk.bold(promise.padEnd(13))} ${chalk.dim(tried)}`,
    ...lines,
    `           again: ${replayOf(verdict, bug)}`,
  ].join('\n')
}

function total({ verdicts, causes }: Outcome): string {
  const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((all, verdict) => all + of(verdict), 0)
  const violated = verdicts.filter(({ finding }) => finding).length
  return `${verdicts.length - violated} of ${verdicts.length} promises held: ${grouped(sum(({ scenarios }) => scenarios))} scenarios, ${grouped(sum(({ exits }) => exits))} exits of ${causes.size} causes`
}

function progress({ promise, scenarios, exits, seconds }: Verdict): void {
  if (!process.stderr.isTTY) return
  clear()
  process.stderr.write(
    `${promise}: ${grouped(scenarios)} scenarios, ${grouped(exits)} exits, ${grouped(exits / seconds)} exits/s`,
  )
}

function clear(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}
