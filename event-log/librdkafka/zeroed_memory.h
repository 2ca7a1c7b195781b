/* Included before every source file of librdkafka (.cargo/config.toml), so that the memory it allocates is zeroed.
 *
 * A broker that has just come back may name the new leader of some partitions of a topic and none for others.
 * librdkafka (2.12.1, and its main branch as of August 2026) then reads entries that it allocated and never filled. It
 * takes their content as a partition's index, and either crashes with a segmentation fault or writes to a wrong
 * address: https://github.com/confluentinc/librdkafka/issues/5280. A zeroed entry names a partition that exists, and a
 * leader that is unknown or is asked for again.
 *
 * Remove this file with the first release that counts only the entries it filled.
 * docs/adr/0012-zeroed-memory-of-librdkafka.md explains the decision.
 */
#if !defined(MUSTER_ZEROED_MEMORY_H) && defined(__has_include)
/* Other crates' C code is compiled with the same flags. */
#if __has_include(<rdkafka_int.h>)
#define MUSTER_ZEROED_MEMORY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>

#define malloc(size) calloc(1, (size))

#endif
#endif
