/** The machine description: one JSON file says what machine to build and what runs on it. `barehart schema` prints this schema. */
import Type, { type Static } from 'typebox'
import { PLACEMENTS } from '../../hw/spec/layouts/placement.ts'
import { HOST_POLICIES } from '../../hw/spec/layouts/host-policy.ts'

/** Bytes: a number, or a number with K, M or G. */
const Size = Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: '^[1-9][0-9]*[KMG]?$' })], {
  description: 'bytes: a number, or a string such as "128M"',
})

const Disk = Type.Union([
  Type.Object(
    { file: Type.String({ minLength: 1 }) },
    { additionalProperties: false, description: 'an image file, read and written in place' },
  ),
  Type.Object({ size: Size }, { additionalProperties: false, description: 'an empty disk in memory' }),
])

/** One of an option's values. */
function oneOf<T extends string>(values: readonly T[], description: string) {
  const literals = values.map(value => Type.Literal(value))
  return Type.Optional(Type.Unsafe<T>(Type.Union(literals, { description })))
}

const Host = Type.Object(
  {
    form: oneOf(HOST_POLICIES.form, "hypervisor in the host's kernel, or a world that the host is switched away for"),
    backend: oneOf(HOST_POLICIES.backend, "I/O of virtio devices by the VMM's process, or by a thread of the kernel"),
    io: oneOf(HOST_POLICIES.io, "guests' disks through the host's page cache, or past it"),
    pages: oneOf(HOST_POLICIES.pages, "guests' memory in pages of 2 MiB, or of 4 KiB given one at a time"),
    build: oneOf(
      HOST_POLICIES.build,
      "the host's kernel compiled as distributions do, to be traced, or with neither that nor frame pointers",
    ),
    dedicated: Type.Optional(Type.Boolean({ description: 'harts to which vCPUs are pinned run nothing else' })),
  },
  { additionalProperties: false, description: 'how the host of vmm "hosted" is set up' },
)

const Placement = Type.Object(
  {
    at: oneOf(
      PLACEMENTS.at,
      'the driver in the VMM, in a domain or a server of its own, or in the guest: on a whole device or a virtual function',
    ),
    interrupts: oneOf(PLACEMENTS.interrupts, "of a guest's own device: taken by the VMM, posted to the guest, or none"),
    transfer: oneOf(PLACEMENTS.transfer, "between guest and domain or server: the guest's pages are mapped, or copied"),
    service: oneOf(PLACEMENTS.service, 'how the driver learns what its device has done'),
    coalescing: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 10_000, description: 'least microseconds between two interrupts' }),
    ),
    depth: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: 'requests at a time' })),
    queues: Type.Optional(Type.Integer({ minimum: 1, maximum: 8, description: 'of the device' })),
    hart: Type.Optional(Type.Integer({ minimum: 0, description: 'reserved for the driver' })),
  },
  { additionalProperties: false },
)

/** A device as a whole, or the function of that number. */
const Device = Type.Integer({ minimum: 0, description: 'which of the devices or functions of its kind, from 0' })

const Guest = Type.Object(
  {
    name: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$', description: 'unique among the guests' }),
    kernel: Type.String({ minLength: 1, description: 'a file (Linux Image, ELF or raw), or the name of a workload' }),
    initrd: Type.Optional(Type.String({ minLength: 1 })),
    append: Type.Optional(Type.String({ description: 'the kernel command line' })),
    memory: Size,
    vcpus: Type.Optional(Type.Integer({ minimum: 1, maximum: 8 })),
    harts: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1, description: 'pins, one a vCPU' })),
    weight: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65535, description: 'share of a hart against the others on it; 256' }),
    ),
    cap: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: 'most of a hart that each vCPU gets, in percent' }),
    ),
    disk: Type.Optional(
      Type.Union([
        Type.Object(
          { first: Type.Integer({ minimum: 0 }), sectors: Type.Integer({ minimum: 1 }) },
          { additionalProperties: false },
        ),
        Type.Object({ size: Size }, { additionalProperties: false, description: 'the next free part of the disk' }),
        Type.Object({ device: Device }, { additionalProperties: false, description: 'a whole disk, passed through' }),
      ]),
    ),
    network: Type.Optional(
      Type.Union([
        Type.Boolean(),
        Type.Object(
          {
            mac: Type.Optional(Type.String({ pattern: '^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$' })),
            vlan: Type.Optional(Type.Integer({ minimum: 0, maximum: 4094 })),
            device: Type.Optional(Device),
          },
          { additionalProperties: false },
        ),
      ]),
    ),
  },
  { additionalProperties: false },
)

export const DescriptionSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    machine: Type.Optional(
      Type.Object(
        {
          harts: Type.Optional(Type.Integer({ minimum: 1, maximum: 8 })),
          ram: Type.Optional(Size),
          disk: Type.Optional(Disk),
          disks: Type.Optional(
            Type.Array(Disk, { minItems: 1, maxItems: 8, description: 'in place of disk: several' }),
          ),
          network: Type.Optional(
            Type.Union([Type.Boolean(), Type.Integer({ minimum: 1, maximum: 4 })], {
              description: 'a network card, or so many',
            }),
          ),
          aia: oneOf(['aplic', 'aplic-imsic'], 'in place of the PLIC; with IMSICs devices send messages'),
          guestFiles: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 63,
              description: 'guest interrupt files of each IMSIC: 7 unless given',
            }),
          ),
          iommu: Type.Optional(Type.Boolean({ description: 'an IOMMU between PCIe devices and memory' })),
          seed: Type.Optional(Type.Integer({ minimum: 0 })),
          core: Type.Optional(
            Type.Union([Type.Literal('rocket'), Type.Literal('cva6')], {
              description: 'whose prices the harts have: rocket unless given',
            }),
          ),
          model: Type.Optional(
            Type.Union([Type.Literal('flat'), Type.Literal('cached')], {
              description: 'caches always hit (flat, unless given), or are simulated (cached)',
            }),
          ),
          l2: Type.Optional(
            Type.Union([Type.Literal('shared'), Type.Literal('private')], {
              description: 'with model cached: one L2 for all harts (shared, unless given), or one each (private)',
            }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    vmm: Type.Union([Type.Literal('native'), Type.Literal('hosted'), Type.Literal('none')], {
      description: 'type 1, type 2, or the one guest straight on the machine',
    }),
    host: Type.Optional(Host),
    placement: Type.Optional(
      Type.Object(
        { disk: Type.Optional(Placement), network: Type.Optional(Placement) },
        { additionalProperties: false, description: 'where vmm "native" puts the drivers of disks and network cards' },
      ),
    ),
    timeProtection: Type.Optional(
      Type.Object(
        {
          slot: Type.Integer({ minimum: 1, description: 'microseconds from one slot to the next' }),
          pad: Type.Optional(Type.Integer({ minimum: 1, description: 'at its beginning, for the VMM; 100' })),
        },
        {
          additionalProperties: false,
          description: 'vmm "native" gives each vCPU slots of fixed length, and nothing of one is told in the next',
        },
      ),
    ),
    guests: Type.Array(Guest, { minItems: 1 }),
  },
  { $id: 'barehart-machine', title: 'barehart machine description', additionalProperties: false },
)

export type RawDescription = Static<typeof DescriptionSchema>
export type RawGuest = RawDescription['guests'][number]
