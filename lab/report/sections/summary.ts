/** The first thing that is read: what was found, in plain words, and what was not decided. */
import { isWithin, type Part, TOLERANCE } from '../../calibrate/calibration.ts'
import { type Configuration, configurationNamed } from '../../study/configurations.ts'
import { ENOUGH } from '../../study/statistics.ts'
import { isMicrobenchmark } from '../../study/micro.ts'
import { type Finding, middleRatio, type Verdict, verdict } from '../findings.ts'
import { type Child, element, type Markup, together } from '../markup.ts'
import { more, times } from '../numbers.ts'
import { equalWithin } from '../../study/difference-lines.ts'
import type { ReportData } from '../report-data.ts'
import { list, paragraph, section } from './block.ts'

/** So many are named, the others counted. */
const NAMED = 5

export function summarySection(data: ReportData): Markup {
  const { comparisons } = data.study
  const names = [...new Set(comparisons.flatMap(({ summary }) => summary.map(({ configuration }) => configuration)))]
  const workloads = comparisons.filter(({ workload }) => !isMicrobenchmark(workload))
  const micro = comparisons.filter(({ workload }) => isMicrobenchmark(workload))
  const of = (some: typeof comparisons, noun: string) =>
    pairsOf(names).flatMap(([a, b]) => sentences(verdict(some, a, b), noun))
  const found = [...of(workloads, 'workloads'), ...of(micro, 'microbenchmarks')]
  return section(
    'summary',
    'What was found',
    data.seeds.length < ENOUGH
      ? paragraph(
          element('strong', {}, 'Nothing is stated as a conclusion here: '),
          `${data.seeds.length === 1 ? 'one seed was' : `${data.seeds.length} seeds were`} run, and a difference is stated over ${ENOUGH} or more (--seeds ${ENOUGH}). What follows are medians.`,
        )
      : undefined,
    found.length === 0
      ? paragraph('One configuration was measured: there is nothing to compare it with.')
      : list(found),
    sensitivitySentence(data),
    calibrationSentence(data),
    data.study.failures.length === 0
      ? undefined
      : together(
          paragraph(element('strong', {}, `${data.study.failures.length} measurements failed`), ' and are left out:'),
          list(data.study.failures.slice(0, NAMED * 2)),
        ),
  )
}

/** Type 2 against type 1 first, then each against the bare machine, then variants against their plain form. */
function pairsOf(names: readonly Configuration[]): readonly (readonly [Configuration, Configuration])[] {
  const wanted: (readonly [Configuration, Configuration])[] = [
    ['native', 'hosted'],
    ['bare', 'native'],
    ['bare', 'hosted'],
    ...names
      .filter(name => /^(native|hosted)-/.test(name))
      .map((name): readonly [Configuration, Configuration] => [
        configurationNamed(name).vmm === 'native' ? 'native' : 'hosted',
        name,
      ]),
  ]
  return wanted.filter(pair => pair.every(name => names.includes(name)))
}

function sentences(found: Verdict, noun: string): readonly Child[] {
  const all =
    found.slower.length + found.faster.length + found.equal.length + found.undecided.length + found.unsaid.length
  if (all === 0) return []
  const [a, b] = [found.a, found.b].map(name => configurationNamed(name).label)
  const head = element('strong', {}, `${b} against ${a}`)
  const counts = `, ${all} ${noun}: `
  if (found.unsaid.length === all) return [together(head, counts, `medians of ${named(found.unsaid)}.`)]
  const parts = [
    found.slower.length > 0 ? `slower in ${found.slower.length} (${named(found.slower)})` : '',
    found.faster.length > 0 ? `faster in ${found.faster.length} (${named(found.faster)})` : '',
    found.equal.length > 0
      ? `${equalWithin(found.equal[0].comparison.equivalence)} in ${found.equal.length} (${workloads(found.equal)})`
      : '',
    found.undecided.length > 0
      ? `no difference is shown in ${found.undecided.length} (${workloads(found.undecided)})`
      : '',
    found.unsaid.length > 0 ? `too few seeds succeeded in ${found.unsaid.length}` : '',
  ].filter(part => part !== '')
  return [together(head, counts, parts.join('; '), '.', cause(found))]
}

function workloads(findings: readonly Finding[]): string {
  const shown = findings.slice(0, NAMED).map(({ comparison }) => comparison.workload)
  return shown.join(', ') + furtherThan(findings)
}

function named(findings: readonly Finding[]): string {
  const shown = findings.slice(0, NAMED).map(({ comparison, ratio }) => `${comparison.workload} ${more(ratio.median)}`)
  return shown.join(', ') + furtherThan(findings)
}

function furtherThan(findings: readonly Finding[]): string {
  return findings.length > NAMED ? `, and ${findings.length - NAMED} more` : ''
}

/** What the largest difference is made of, for a start. */
function cause({ slower, faster }: Verdict): Child {
  const [first] = [...slower, ...faster]
  const row = first?.difference.rows[0]
  if (!first || !row) return undefined
  const share = Math.abs(row.cycles / first.difference.cycles)
  if (!Number.isFinite(share)) return undefined
  const doing = [row.party, row.cause, row.activity].filter(part => part !== '').join(' · ')
  return ` The largest part of the difference in ${first.comparison.workload} is ${doing}.`
}

function sensitivitySentence({ sensitivity }: ReportData): Child {
  if (!sensitivity) {
    return paragraph(
      'Whether these would still hold if prices and path lengths were others has not been tried here: ',
      element('code', {}, 'npx barehart sensitivity WORKLOAD'),
      ' does.',
    )
  }
  const { conclusions, draws } = sensitivity
  const undecided = conclusions.filter(({ survives }) => !survives)
  if (conclusions.length === 0) return undefined
  return paragraph(
    `With all prices drawn at random between half and double (${times(draws)}) and path lengths at ×0.7 and ×1.4, ${conclusions.length - undecided.length} of ${conclusions.length} conclusions survive every rerun`,
    undecided.length === 0
      ? '.'
      : `. Undecided, for some reruns turn them around: ${undecided
          .map(({ statement }) => statement)
          .slice(0, NAMED)
          .join('; ')}${undecided.length > NAMED ? `; and ${undecided.length - NAMED} more, below` : ''}.`,
  )
}

/** How far the models are from real ones, which bears on all of the above. */
function calibrationSentence({ calibration = {} }: ReportData): Child {
  const of = (part: Part | undefined, ours: string, theirs: string) => {
    if (!part || part.rows.length === 0) return []
    const near = part.rows.filter(isWithin).length
    const middle = middleRatio(part)
    const beware =
      middle < 1 - TOLERANCE
        ? `: it does less than the real one, so what is said of its costs is too little rather than too much`
        : middle > 1 + TOLERANCE
          ? `: it does more than the real one, so what is said of its costs is too much rather than too little`
          : ''
    return [
      `${near} of ${part.rows.length} operations of ${ours} are within 25 % of ${theirs}, or better where that is asked; the middle ratio is ${middle.toFixed(2)}${beware}.`,
    ]
  }
  const told = [
    ...of(calibration.kvm, 'our hosted model', 'a real KVM on this machine'),
    ...of(calibration['type-1'], 'our native VMM', 'a real type 1'),
  ]
  return told.length === 0
    ? paragraph('How near real hypervisors ours are has not been measured on this computer.')
    : paragraph(told.join(' '))
}
