/** Elements of HTML and SVG as values: what is text is escaped when it is put in, so that nobody has to think of it. */

export interface Markup {
  readonly markup: string
}
export type Child = Markup | string | number | undefined | readonly Child[]
export type Attributes = Readonly<Record<string, string | number | undefined>>

/** Elements of HTML that have no end tag. */
const VOID = new Set(['br', 'hr', 'meta', 'link', 'img', 'input', 'col'])

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function inner(child: Child): string {
  if (child === undefined) return ''
  if (typeof child === 'string') return escaped(child)
  if (typeof child === 'number') return String(child)
  return 'markup' in child ? child.markup : child.map(inner).join('')
}

/** An element; attributes that are undefined are left out. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly Child[]): Markup {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined)
  const open = `<${name}${given.map(([key, value]) => ` ${key}="${escaped(String(value))}"`).join('')}`
  return { markup: VOID.has(name) ? `${open}>` : `${open}>${inner(children)}</${name}>` }
}

/** Several children in a row. */
export function together(...children: readonly Child[]): Markup {
  return { markup: inner(children) }
}

/** Text that is markup already: style sheets. Nothing that comes from outside. */
export function raw(markup: string): Markup {
  return { markup }
}
