/** Parts that all sections are made of. */
import { type Child, element, type Markup } from '../markup.ts'

export function section(id: string, title: string, ...children: readonly Child[]): Markup {
  return element('section', { id }, element('h2', {}, title), children)
}

/** A figure with what it shows, and how it is reproduced. */
export function figureBlock(caption: string, picture: Child, below?: Child): Markup {
  return element('figure', {}, element('figcaption', {}, caption), picture, below)
}

/** Its first column is text, the others are numbers unless `text` names them. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Child[])[],
  text: readonly number[] = [],
): Markup {
  const align = (column: number) => (column === 0 || text.includes(column) ? undefined : 'number')
  return element(
    'div',
    { class: 'scroll' },
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          head.map((title, column) => element('th', { class: align(column) }, title)),
        ),
      ),
      element(
        'tbody',
        {},
        rows.map(row =>
          element(
            'tr',
            {},
            row.map((cell, column) => element(column === 0 ? 'th' : 'td', { class: align(column) }, cell)),
          ),
        ),
      ),
    ),
  )
}

export function paragraph(...children: readonly Child[]): Markup {
  return element('p', {}, children)
}

export function list(items: readonly Child[]): Markup {
  return element(
    'ul',
    {},
    items.map(item => element('li', {}, item)),
  )
}
