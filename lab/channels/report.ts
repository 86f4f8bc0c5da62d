/** The study as one HTML page that needs nothing else, with its data beside it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, element, type Markup, raw } from '../report/markup.ts'
import { STYLE } from '../report/style.ts'
import { heatMap } from './heat-map.ts'
import type { ChannelStudy } from './study.ts'
import { slotsInWords, verdictOf } from './table.ts'

function table(head: readonly string[], rows: readonly (readonly Child[])[]): Markup {
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        head.map(cell => element('th', {}, cell)),
      ),
    ),
    element(
      'tbody',
      {},
      rows.map(row =>
        element(
          'tr',
          {},
          row.map(cell => element('td', {}, cell)),
        ),
      ),
    ),
  )
}

/** Writes it into a folder that is there; returns the page's path. */
export function writeChannelReport(directory: string, study: ChannelStudy, command: string): string {
  const path = join(directory, 'channels.html')
  writeFileSync(path, channelPage(study, command))
  writeFileSync(join(directory, 'channels.json'), JSON.stringify(study, undefined, 1))
  return path
}

export function channelPage({ findings, costs, count }: ChannelStudy, command: string): string {
  const { markup } = element(
    'html',
    { lang: 'en' },
    element(
      'head',
      {},
      element('meta', { charset: 'utf-8' }),
      element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      element('title', {}, 'Covert channels'),
      element('style', {}, raw(STYLE)),
    ),
    element(
      'body',
      {},
      element('h1', {}, 'Covert channels'),
      element(
        'p',
        { class: 'lead' },
        'Two guests of the native VMM share a hart. A Trojan encodes symbols in what it does with a resource, a spy times its own use of it. How much of what was sent could the spy know, with time shared by need and with time protected?',
      ),
      table(
        ['Resource', 'Time', 'Millibits a symbol', 'Bound', 'Verdict'],
        findings.flatMap(pair =>
          pair.map(finding => [
            finding.resource,
            finding.protected ? 'protected' : 'shared by need',
            finding.information.millibits.toFixed(1),
            finding.information.bound.toFixed(1),
            verdictOf(finding),
          ]),
        ),
      ),
      element(
        'p',
        {},
        `${count} symbols of 4 bits each. The bound is what one in a thousand of their shuffles exceeds: what few samples show of a channel that is not there. Verdict "none": the spy saw, to the cycle, what it sees when nothing is sent.`,
      ),
      findings.map(([open, closed]) => [
        element('h2', {}, open.resource),
        element('p', {}, `${open.does[0]?.toUpperCase()}${open.does.slice(1)} (${open.unit}).`),
        heatMap(open, closed),
        element('div', { class: 'reproduce' }, element('span', {}, `traces ${open.traceHash} and ${closed.traceHash}`)),
      ]),
      element('h2', {}, 'What it costs'),
      element('p', {}, 'Two guests that walk through 12 KiB without end, rounds of both a second.'),
      table(
        ['Time', 'Rounds a second', 'Of what is done unprotected'],
        costs.map(({ protection, rounds, share }) => [
          slotsInWords(protection),
          rounds.toFixed(0),
          `${(share * 100).toFixed(1)} %`,
        ]),
      ),
      element('div', { class: 'reproduce' }, element('code', {}, command)),
    ),
  )
  return `<!doctype html>\n${markup}\n`
}
