/* Put before every source file of librdkafka (.cargo/config.toml): the memory that it asks for is zero.
 *
 * When a broker has just come back it may name the new leader of some partitions of a topic and none for others.
 * librdkafka (2.12.1, and its main branch as of August 2026) then reads entries that it has made room for and never
 * filled, takes what it finds there as the index of a partition, and ends the process with a segmentation fault, or
 * writes where it must not: https://github.com/confluentinc/librdkafka/issues/5280. Entries of zeros name a partition
 * that exists and a leader that is either unknown or is asked again.
 *
 * Goes away with the first release that sets the number of entries to those that it filled.
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
