#include "twin.h"

TWIN uint16_t csum(const void *data, size_t len, uint32_t start)
{
	const volatile uint32_t *p = data;
	uint64_t sum = start;

	for (; len >= 4; len -= 4)
		sum += *p++;
	if (len & 2) {
		const volatile uint16_t *h = (const volatile void *)p;

		sum += *h;
		p = (const volatile void *)(h + 1);
	}
	if (len & 1)
		sum += *(const volatile uint8_t *)p;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

void checksum(int dist)
{
	static const unsigned longest[] = { 20, 64, 1500 };

	clear_memory();
	for (int i = 0; i < 4096; i++)
		memory[i] = rnd();
	for (int i = 0; i < ROUNDS; i++) {
		unsigned at = rnd() % 512 * 4, len = dist == 0 ? 20 : 1 + rnd() % longest[dist];
		uint16_t c;

		c = CALL(csum, memory + at, len, 7);
		note(c);
	}
}
