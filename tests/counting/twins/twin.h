/* What every twin is measured with: one random sequence, one memory, one count of retired instructions. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUNDS 400
#define MEMORY_WORDS (256 * 1024)

/* What is measured is called from elsewhere: the compiler must not see its callers. */
#define TWIN __attribute__((noipa))

extern uint32_t memory[MEMORY_WORDS];
extern unsigned long counted;
extern void *target;

uint32_t rnd(void);
void note(long value);
void clear_memory(void);
void *memset(void *, int, size_t);

/* Calls a function with its instructions counted, from its first to its ret: start.S. */
extern char measure[];
#define CALL(function, ...) (target = (void *)(function), ((__typeof__(&(function)))measure)(__VA_ARGS__))
