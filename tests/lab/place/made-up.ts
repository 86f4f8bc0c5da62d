/** Findings that nobody has measured. */
import type { Blast } from '../../../lab/place/faults/blast.ts'
import type { PlaceFinding } from '../../../lab/place/findings.ts'
import type { Sample } from '../../../lab/place/measure.ts'
import type { RequestPath } from '../../../lab/place/path.ts'
import { type PlacementName, placementNamed, PLACEMENT_NAMES } from '../../../lab/place/placements.ts'
import type { PlaceReportData } from '../../../lab/place/report/data.ts'
import type { PlaceDifference } from '../../../lab/place/study.ts'

export function sample(placement: PlacementName, seed: number, microseconds: number): Sample {
  return {
    placement,
    workload: 'disk-randread-1',
    guests: 1,
    seed,
    throughput: 1e6 / microseconds,
    latency: { median: microseconds, p99: microseconds * 1.1, worst: microseconds * 2 },
    cyclesPerOperation: microseconds * 100,
    ledger: [],
    shares: { idle: 0.5, guest: 0.5 },
    operations: 512,
    typical: { from: 0, to: microseconds * 1000 },
    cycles: 1,
    core: 'Rocket',
    model: 'flat',
    configurationHash: 'c0ffee',
    traceHash: 'facade',
  }
}

function finding(placement: PlacementName, index: number): PlaceFinding {
  const { throughput, latency, cyclesPerOperation, shares } = sample(placement, 0, 70 + index * 9)
  const crowd = { guests: 8, throughput, each: throughput / 8, latency, cyclesPerOperation, shares }
  const interval = { median: 1, low: 1, high: 1 }
  return {
    placement,
    does: placementNamed(placement).does,
    guests: 1,
    throughput,
    latency,
    cyclesPerOperation,
    shares,
    ledger: [
      { party: 'guest', cause: 'running', activity: 'computing', cycles: cyclesPerOperation / 2 },
      { party: 'vmm', cause: 'store, "virtio"', activity: 'emulation', cycles: cyclesPerOperation / 2 },
      { party: 'idle', cause: 'wfi', activity: 'waiting', cycles: cyclesPerOperation },
    ],
    trustedLines: 10_000,
    blastRadius: index % 2 === 0 ? ['driver', 'its user'] : ['driver', 'its user', 'other users'],
    contains: false,
    intervals: { throughput: interval, latency: interval, cyclesPerOperation: interval },
    crowds: [crowd],
    seed: 0,
    configurationHash: 'c0ffee',
    traceHash: 'facade',
  }
}

function path(placement: PlacementName, index: number): RequestPath {
  const cycles = 70_000 + index * 9000
  return {
    placement,
    cycles,
    cyclesPerMicrosecond: 1000,
    stretches: [
      { hart: 0, party: 'guest', cause: 'running', activity: 'computing', from: 0, to: 500 },
      { hart: 0, party: 'vmm', cause: 'store virtio', activity: 'emulation', from: 500, to: 4000 },
      { hart: 0, party: 'idle', cause: 'wfi', activity: 'waiting', from: 4000, to: cycles - 400 },
      { hart: 0, party: 'guest', cause: 'running', activity: 'computing', from: cycles - 400, to: cycles },
    ],
    device: { from: 4500, to: cycles - 600 },
  }
}

function blast(placement: PlacementName): Blast {
  const kinds = [
    {
      kind: 'hang' as const,
      struck: 2,
      reached: { driver: 2, 'its user': 2 },
      recovered: 0,
      longestRecovery: 0,
      lost: 0,
    },
    {
      kind: 'wild DMA' as const,
      struck: 3,
      reached: { 'other users': 1 },
      recovered: 3,
      longestRecovery: 12.5,
      lost: 1,
    },
  ]
  return {
    placement,
    struck: 5,
    kinds,
    radius: ['driver', 'its user', 'other users'],
    contains: true,
    escapes: [],
    refused: 4,
    disturbance: 0,
  }
}

export function madeUp(): PlaceReportData {
  const difference: PlaceDifference = {
    a: 'bare',
    b: 'vmm',
    quantity: 'latency',
    median: 6.5,
    low: 6,
    high: 7,
    undecided: false,
    pairs: 30,
  }
  return {
    command: 'npx barehart place disk-latency --device nvme --report here',
    date: '2026-01-01',
    pricesHash: 'abad1dea',
    core: 'Rocket',
    model: 'flat',
    workload: 'disk-latency',
    does: 'reads <blocks>',
    device: 'nvme',
    harts: 1,
    seeds: Array.from({ length: 30 }, (_, index) => index + 1),
    options: ['--seeds 30'],
    findings: PLACEMENT_NAMES.map(finding),
    differences: [difference],
    paths: PLACEMENT_NAMES.map(path),
    containments: [{ placement: 'vmm', struck: 9, escapes: [], disturbance: 12.5, refused: 3 }],
    blasts: PLACEMENT_NAMES.map(blast),
    lacks: ['domain, 60 guests: no room'],
  }
}
