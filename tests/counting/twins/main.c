/* Runs the twins on bare metal and prints, for each input, the instructions and a sum of the results. */
#include "twin.h"

uint32_t memory[MEMORY_WORDS] __attribute__((aligned(4096)));
unsigned long counted;
void *target;
static uint32_t seed, sum;

uint32_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

void note(long value)
{
	sum = sum * 31 + (uint32_t)value;
}

void *memset(void *to, int c, size_t n)
{
	for (char *p = to; n; n--)
		*p++ = c;
	return to;
}

void clear_memory(void)
{
	for (unsigned i = 0; i < MEMORY_WORDS; i++)
		memory[i] = 0;
}

static void put(char c)
{
	while (!(*(volatile char *)0x10000005 & 0x20))
		;
	*(volatile char *)0x10000000 = c;
}

static void print(unsigned long n)
{
	if (n >= 10)
		print(n / 10);
	put('0' + n % 10);
}

#define TWINS(T) T(scheduler) T(exit_decode) T(page_walk) T(bitmap) T(checksum) T(mac_table) T(timer_wheel) \
	T(uart) T(interrupts) T(virtqueue_device) T(page_cache) T(sbi) T(nvme_poll) T(handles)
#define DECLARE(name) void name(int);
#define ENTRY(name) { #name, name },
TWINS(DECLARE)

static const struct { const char *name; void (*run)(int); } twins[] = { TWINS(ENTRY) };

void run_all(void)
{
	for (unsigned i = 0; i < sizeof twins / sizeof *twins; i++)
		for (int dist = 0; dist < 3; dist++) {
			seed = 12345 + dist;
			sum = 0;
			counted = 0;
			twins[i].run(dist);
			for (const char *s = twins[i].name; *s; s++)
				put(*s);
			put(' ');
			print(dist);
			put(' ');
			print(counted);
			put(' ');
			print(sum);
			put('\n');
		}
	*(volatile uint32_t *)0x100000 = 0x5555;
}
