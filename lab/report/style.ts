/**
 * How the page looks: readable type, light and dark, printable. Colours of parts are Okabe and Ito's, which people with
 * any colour vision can tell apart; what they say is also said by order, label or shape.
 */
export const STYLE = `
:root { --paper: #fff; --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0; --wash: #f6f8fa; --accent: #0a58ca;
  --bare: #8c959f; --native: #0072b2; --hosted: #d55e00; color-scheme: light dark }
@media (prefers-color-scheme: dark) { :root { --paper: #15181c; --ink: #e6e9ec; --soft: #9aa4ae; --line: #353c44;
  --wash: #1e2329; --accent: #79b8ff; --bare: #8c959f; --native: #56a3d9; --hosted: #ef8a3c } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 58rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em }
h2 { font-size: 1.35rem; margin: 3rem 0 .8rem; padding-top: .6rem; border-top: 2px solid var(--line) }
h3 { font-size: 1.12rem; margin: 2.4rem 0 .4rem }
p, li { max-width: 46rem } p { margin: .5rem 0 } li { margin: .3rem 0 } ul { padding-left: 1.3rem }
.lead { color: var(--soft); font-size: 1.05rem; margin-bottom: 1.6rem }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: 1rem 0 1.4rem; font-size: .93rem }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
code { font: .86em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace }
.scroll { overflow-x: auto; margin: .8rem 0 }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; width: 100% }
th, td { padding: .32rem .55rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: 400 }
thead th { color: var(--soft); font-size: .82rem; border-bottom: 1px solid var(--soft); vertical-align: bottom }
.number { text-align: right; white-space: nowrap } td:last-child, th:last-child { padding-right: 0 } th:first-child { padding-left: 0 }
thead .number { white-space: normal } tbody th { white-space: nowrap; font-weight: 550 }
td small { display: block; color: var(--soft); font-size: .82em } td div small { display: inline }
#summary { background: var(--wash); border: 1px solid var(--line); border-radius: 6px; padding: .2rem 1.4rem 1rem; margin-top: 1.8rem }
#summary h2 { border: 0; margin: .8rem 0 .2rem; padding: 0 } #summary p, #summary li { max-width: none }
nav { display: flex; flex-wrap: wrap; gap: 0 .9em; font-size: .88rem; color: var(--soft); margin: 1.2rem 0; line-height: 1.9 } a { color: var(--accent); text-decoration: none }
a:hover { text-decoration: underline } nav a { white-space: nowrap }
figure { margin: 1.5rem 0 1.8rem } figcaption { font-weight: 600; font-size: .93rem; margin-bottom: .5rem }
.figure { display: block; width: 100%; height: auto; font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif;
  font-variant-numeric: tabular-nums }
.reproduce { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .7rem; margin-top: .5rem; font-size: .76rem; color: var(--soft) }
.reproduce code, .reproduce span { display: block; overflow-wrap: anywhere } .reproduce code { color: var(--ink) }
details { margin: .6rem 0 1.2rem } details > summary { cursor: pointer; color: var(--accent); font-size: .9rem }
svg text { fill: var(--ink) } svg .tick, svg .label { fill: var(--soft); font-size: 11px } svg .small { font-size: 11px }
svg .strong { font-weight: 650 } svg .key { font-size: 11.5px }
svg .grid, svg .separator { stroke: var(--line); stroke-width: 1 } svg .zero { stroke: var(--soft); stroke-width: 1 }
svg .separator { stroke-dasharray: 2 3 } svg .one { stroke: var(--ink); stroke-width: 1.2 } svg .joint { stroke: var(--soft); stroke-width: 1 }
svg .stem { stroke: var(--ink); stroke-width: 1.3 } svg .curve { fill: none; stroke-width: 2 }
svg .none { fill: var(--bare) } svg .native { fill: var(--native) } svg .hosted { fill: var(--hosted) }
svg .curve.native { fill: none; stroke: var(--native) } svg .curve.hosted { fill: none; stroke: var(--hosted); stroke-dasharray: 6 3 }
svg .frame { fill: var(--wash); stroke: var(--line); stroke-width: .6 }
svg .part { stroke: var(--paper); stroke-width: .6 }
svg .part.guest { fill: #0072b2 } svg .part.world-switch { fill: #d55e00 } svg .part.translation { fill: #e69f00 }
svg .part.emulation { fill: #cc79a7 } svg .part.copies { fill: #f0e442 } svg .part.scheduling { fill: #56b4e9 }
svg .part.host-kernel { fill: #009e73 } svg .part.idle { fill: #c3c8ce } svg .part.others { fill: #8c959f } svg .part.sum { fill: var(--ink) }
svg .inside { fill: #111; font-size: 11px } svg .inside.guest { fill: #fff }
@media print { :root { --paper: #fff; --ink: #000; --soft: #444; --line: #ccc; --wash: #fff; --accent: #000 }
  body { font-size: 10.5pt; max-width: none; padding: 0 } nav { display: none } h2, h3, figcaption, thead { break-after: avoid }
  figure, tr { break-inside: avoid } .part, .bar, .mark { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
`
