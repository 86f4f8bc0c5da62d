/*
 * The least that a VMM of Linux's KVM can be: one vCPU, one page of RAM, and a guest that talks to a device by MMIO,
 * counts, sends itself a timer interrupt through the kernel's SBI, and shuts down.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define RAM 0x80000000
#define RAM_BYTES 0x100000

extern char guest_start[], guest_end[];
/* Position-independent without gp or a table: the guest runs where it is copied to. */
asm(".pushsection .rodata\n"
    ".option push\n"
    ".option norelax\n"
    ".balign 8\n"
    "guest_start:\n"
    "  li s0, 0x10000000\n"
    "  li t1, 'g'\n"
    "  sb t1, 0(s0)\n"
    "  li t2, 1000000\n"
    "1: addi t2, t2, -1\n"
    "  bnez t2, 1b\n"
    "  lw t3, 4(s0)\n"
    "  sb t3, 0(s0)\n"
    "  lla t0, 3f\n"
    "  csrw stvec, t0\n"
    "  li t0, 0x20\n"
    "  csrw sie, t0\n"
    "  csrr a0, time\n"
    "  addi a0, a0, 1000\n"
    "  li a7, 0x54494d45\n"
    "  li a6, 0\n"
    "  ecall\n"
    "  csrsi sstatus, 2\n"
    "2: wfi\n"
    "  j 2b\n"
    "  .balign 4\n"
    "3: csrr t0, scause\n"
    "  andi t0, t0, 7\n"
    "  addi t0, t0, '0'\n"
    "  sb t0, 0(s0)\n"
    "  li a7, 0x53525354\n"
    "  li a6, 0\n"
    "  li a0, 0\n"
    "  li a1, 0\n"
    "  ecall\n"
    "guest_end:\n"
    ".option pop\n"
    ".popsection");

static int must(int result, const char *what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

int main(void) {
  int kvm = must(open("/dev/kvm", O_RDWR), "/dev/kvm");
  int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  char *ram = mmap(0, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  memcpy(ram, guest_start, guest_end - guest_start);
  struct kvm_userspace_memory_region region = { .guest_phys_addr = RAM, .memory_size = RAM_BYTES, .userspace_addr = (uint64_t)ram };
  must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
  int vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  int bytes = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  struct kvm_run *run = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  uint64_t pc = RAM;
  struct kvm_one_reg reg = { .id = KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE, .addr = (uint64_t)&pc };
  must(ioctl(vcpu, KVM_SET_ONE_REG, &reg), "KVM_SET_ONE_REG");
  printf("guest says ");
  for (;;) {
    must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
    if (run->exit_reason != KVM_EXIT_MMIO) break;
    uint32_t answer = '?';
    if (run->mmio.is_write) putchar(run->mmio.data[0]);
    else memcpy(run->mmio.data, &answer, sizeof answer);
  }
  printf(", ends with %s\n", run->exit_reason == KVM_EXIT_SYSTEM_EVENT ? "a shutdown" : "something else");
  return 0;
}
