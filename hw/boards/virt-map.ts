/**
 * The address map of board `virt`: QEMU's, so that images linked for that machine run unmodified.
 *
 *              0x1000  reset ROM, 60 KiB             chips enter here
 *           0x10_0000  test finisher
 *           0x10_1000  real-time clock               PLIC 11
 *          0x200_0000  CLINT, 64 KiB                 M-mode timer and software interrupts
 *          0x300_0000  PCIe ports, 64 KiB
 *          0x301_0000  IOMMU, if the board has one    PLIC 36–39
 *          0xc00_0000  PLIC, 6 MiB                   context 2·hart for M, 2·hart + 1 for S
 *                      or, with AIA, the APLIC's M-mode domain; its S-mode domain at 0xd00_0000;
 *                      IMSICs at 0x2400_0000 (M) and 0x2800_0000 (S and guests)
 *         0x1000_0000  UART                          PLIC 10
 *         0x1000_1000  8 virtio-mmio slots, 4 KiB    PLIC 1–8
 *         0x3000_0000  PCIe ECAM, 256 MiB            INTA–INTD: PLIC 32–35
 *         0x4000_0000  PCIe memory below 4 GiB, 1 GiB
 *         0x8000_0000  RAM                           firmware at its start, payload at 0x8020_0000
 *       0x4_0000_0000  PCIe memory above 4 GiB, 16 GiB
 */
export const VIRT_MAP = {
  rom: { base: 0x1000, bytes: 0xf000 },
  finisher: { base: 0x10_0000, bytes: 0x1000 },
  rtc: { base: 0x10_1000, bytes: 0x1000 },
  clint: { base: 0x200_0000, bytes: 0x1_0000 },
  pciePorts: { base: 0x300_0000, bytes: 0x1_0000 },
  iommu: { base: 0x301_0000, bytes: 0x1000 },
  plic: { base: 0xc00_0000, bytes: 0x60_0000 },
  aplicMachine: { base: 0xc00_0000, bytes: 0x8000 },
  aplicSupervisor: { base: 0xd00_0000, bytes: 0x8000 },
  imsicMachine: { base: 0x2400_0000 },
  imsicSupervisor: { base: 0x2800_0000 },
  uart: { base: 0x1000_0000, bytes: 0x100 },
  virtio: { base: 0x1000_1000, bytes: 0x1000 },
  pcieEcam: { base: 0x3000_0000, bytes: 0x1000_0000 },
  pcieMemory32: { base: 0x4000_0000, bytes: 0x4000_0000 },
  ram: { base: 0x8000_0000 },
  pcieMemory64: { base: 0x4_0000_0000, bytes: 0x4_0000_0000 },
} as const

/** Sources of the PLIC. */
export const VIRT_SOURCES = { virtio: 1, uart: 10, rtc: 11, pcie: 32, iommu: 36, highest: 96 } as const

/** Interrupt wires of the IOMMU. */
export const IOMMU_WIRES = 4

export const VIRTIO_SLOTS = 8
/** Where an S-mode payload is loaded unless it says otherwise: 2 MiB, a large page, above the firmware. */
export const PAYLOAD_AT = 0x8020_0000
