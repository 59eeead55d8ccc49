/*
 * The yardstick: the look-up of the kernel's linear list and of the older three-level tree, as C at -O2 does them.
 *
 *     look_up list|tree seq|random|range LOG2_ENTRIES PASSES
 *
 * Speaks the protocol of racer.ts: says "ready", then answers each line "go" with "PROCESSOR_NS CLOCK_NS LOOK_UPS CHECKSUM".
 * The entries and the sequence of pfns are those of works/look_up.ts, so that equal checksums mean equal work.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INVALID (~0UL)
#define IDENTITY_BIT (1UL << 62)
#define MFN_BASE 0x100000UL
#define PER_PAGE 512UL
#define BUFFER 2048UL
#define SEQUENCE_MAX (1UL << 20)
#define MAX_PFN (PER_PAGE * PER_PAGE * PER_PAGE)

/* Not static, as in the kernel: the slow path may change them as far as the compiler knows. */
uint64_t *list_addr;
uint64_t list_size;
uint64_t max_pfn;
uint64_t ***tree_top;
uint64_t *identity_leaf;

/* Never reached in these runs. Not inlined, and opaque, so that the fast path stays what it is. */
__attribute__((noinline)) uint64_t slow_look_up(uint64_t pfn)
{
    __asm__ volatile("" ::: "memory");
    return pfn < max_pfn ? INVALID : pfn | IDENTITY_BIT;
}

static inline uint64_t list_look_up(uint64_t pfn)
{
    uint64_t entry;

    if (pfn >= list_size)
        return slow_look_up(pfn);
    entry = list_addr[pfn];
    return entry == INVALID ? slow_look_up(pfn) : entry;
}

static inline uint64_t tree_look_up(uint64_t pfn)
{
    uint64_t *leaf;

    if (pfn >= MAX_PFN)
        return slow_look_up(pfn);
    leaf = tree_top[pfn / (PER_PAGE * PER_PAGE)][pfn / PER_PAGE % PER_PAGE];
    if (leaf == identity_leaf)
        return pfn | IDENTITY_BIT;
    return leaf[pfn % PER_PAGE];
}

static uint32_t list_sequential(uint64_t entries)
{
    uint32_t sum = 0;
    for (uint64_t pfn = 0; pfn < entries; pfn++)
        sum += (uint32_t)list_look_up(pfn);
    return sum;
}

static uint32_t list_random(const uint32_t *pfns, uint64_t count)
{
    uint32_t sum = 0;
    for (uint64_t i = 0; i < count; i++)
        sum += (uint32_t)list_look_up(pfns[i]);
    return sum;
}

static uint32_t tree_sequential(uint64_t entries)
{
    uint32_t sum = 0;
    for (uint64_t pfn = 0; pfn < entries; pfn++)
        sum += (uint32_t)tree_look_up(pfn);
    return sum;
}

static uint32_t tree_random(const uint32_t *pfns, uint64_t count)
{
    uint32_t sum = 0;
    for (uint64_t i = 0; i < count; i++)
        sum += (uint32_t)tree_look_up(pfns[i]);
    return sum;
}

/* A buffer of answers at a time; whoever reads it is elsewhere, as far as the compiler knows. */
uint64_t buffer[BUFFER];

static uint32_t list_range(uint64_t entries)
{
    uint32_t sum = 0;
    for (uint64_t pfn = 0; pfn < entries; pfn += BUFFER) {
        for (uint64_t i = 0; i < BUFFER; i++)
            buffer[i] = list_look_up(pfn + i);
        __asm__ volatile("" ::: "memory");
        sum += (uint32_t)buffer[pfn / BUFFER % BUFFER];
    }
    return sum;
}

static void *page(void)
{
    void *p = aligned_alloc(4096, 4096);
    if (p == NULL)
        exit(1);
    return p;
}

static void build_list(uint64_t entries)
{
    list_addr = aligned_alloc(4096, entries * sizeof(uint64_t));
    if (list_addr == NULL)
        exit(1);
    for (uint64_t pfn = 0; pfn < entries; pfn++)
        list_addr[pfn] = MFN_BASE + pfn;
    list_size = max_pfn = entries;
}

static void build_tree(uint64_t entries)
{
    tree_top = page();
    memset(tree_top, 0, 4096);
    identity_leaf = page();
    for (uint64_t pfn = 0; pfn < entries; pfn += PER_PAGE) {
        uint64_t ***mid = &tree_top[pfn / (PER_PAGE * PER_PAGE)];
        uint64_t *leaf = page();
        if (*mid == NULL)
            *mid = page();
        (*mid)[pfn / PER_PAGE % PER_PAGE] = leaf;
        for (uint64_t i = 0; i < PER_PAGE; i++)
            leaf[i] = MFN_BASE + pfn + i;
    }
    max_pfn = entries;
}

/* xorshift32, as pfnSequence() in works/look_up.ts. */
static uint32_t *pfn_sequence(uint64_t entries, uint64_t count)
{
    uint32_t *pfns = malloc(count * sizeof(uint32_t));
    uint32_t x = 0x2545f491;
    if (pfns == NULL)
        exit(1);
    for (uint64_t i = 0; i < count; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        pfns[i] = x & (uint32_t)(entries - 1);
    }
    return pfns;
}

static double nanoseconds(struct timespec begin, struct timespec end)
{
    return (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
}

int main(int argc, char **argv)
{
    char line[64];

    if (argc != 5)
        return 2;
    int tree = strcmp(argv[1], "tree") == 0;
    int range = strcmp(argv[2], "range") == 0;
    int sequential = range || strcmp(argv[2], "seq") == 0;
    uint64_t entries = 1UL << atoi(argv[3]);
    int passes = atoi(argv[4]);
    uint64_t count = entries < SEQUENCE_MAX ? entries : SEQUENCE_MAX;
    uint32_t *pfns = sequential ? NULL : pfn_sequence(entries, count);

    if (tree)
        build_tree(entries);
    else
        build_list(entries);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct timespec begin, end, clock_begin, clock_end;
        uint32_t sum = 0;
        clock_gettime(CLOCK_MONOTONIC, &clock_begin);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        for (int pass = 0; pass < passes; pass++) {
            if (tree)
                sum += sequential ? tree_sequential(entries) : tree_random(pfns, count);
            else if (range)
                sum += list_range(entries);
            else
                sum += sequential ? list_sequential(entries) : list_random(pfns, count);
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        clock_gettime(CLOCK_MONOTONIC, &clock_end);
        printf("%.0f %.0f %llu %u\n", nanoseconds(begin, end), nanoseconds(clock_begin, clock_end),
               (unsigned long long)((sequential ? entries : count) * (uint64_t)passes), sum);
        fflush(stdout);
    }
    return 0;
}
