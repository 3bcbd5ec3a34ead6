/*
 * RSA keys of the faulty key generator in Infineon's chips (ROCA,
 * CVE-2017-15361), known by their modulus alone; they can be factored.
 */
#ifndef KONTOR_BASE_ROCA_H
#define KONTOR_BASE_ROCA_H

#include "base/base.h"

/*
 * Does this modulus (big-endian octets) have the mark?  A key of any other
 * origin has it once in more than a hundred million.
 */
bool roca_marked(struct bytes modulus);

#endif
