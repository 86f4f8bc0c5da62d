/**
 * The isolation library: what one's own properties are written with (docs/how-to-write-a-property.md). Scenarios come from
 * the generators, run in an arena, and are looked at by observers; `campaign` tries a promise and shrinks what breaks it.
 */
export { type Arena, arenaOf, type Run } from './arena.ts'
export { campaign, type Extent, type Verdict } from './campaign.ts'
export { ExitModel } from './exit-model.ts'
export type { Finding, Sighting, Where } from './finding.ts'
export { plain } from './generators/plain.ts'
export { hostile, silent, watched } from './generators/programs.ts'
export { actions, anyScenario, interleaving, scenarioOf } from './generators/scenarios.ts'
export * as steps from './generators/steps.ts'
export * as topologies from './generators/topologies.ts'
export { anyAddress, anyValue, deviceAddress, foreignAddress, ownAddress } from './generators/values.ts'
export { anyWord } from './generators/words.ts'
export { areaOf, DATA } from './guest-runtime.ts'
export { alone, found, on, same, sameAlone, watch, type Watched } from './judge.ts'
export type { Exit, Observer } from './observer.ts'
export { Ownership } from './ownership.ts'
export type { IsolationPromise } from './promise.ts'
export { PROMISES } from './promises/index.ts'
export type { Action, Interleaving, PlacedGuest, Program, Scenario, Step, Topology, Value, Width } from './scenario.ts'
export { findingLines, scenarioLines } from './show.ts'
export { difference, type GuestView, logOf } from './view.ts'
