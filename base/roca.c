/* The mark of ROCA keys; see roca.h. */
#include "base/roca.h"

#define GENERATOR 65537U

/*
 * The chips made primes k * M + (65537^a mod M) with M a product of the first
 * primes, so the modulus is a power of 65537 modulo each of these (Nemec et
 * al., "The Return of Coppersmith's Attack", 2017).  Primes whose residues are
 * all powers of it tell nothing and are left out.
 */
static const unsigned telling[] = {
	11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
};

static bool
is_power(unsigned residue, unsigned prime)
{
	unsigned power = 1;

	do {
		if (power == residue)
			return true;
		power = power * (GENERATOR % prime) % prime;
	} while (power != 1);
	return false;
}

bool
roca_marked(struct bytes modulus)
{
	for (size_t i = 0; i < ARRAY_LEN(telling); i++) {
		unsigned residue = 0;

		for (size_t k = 0; k < modulus.n; k++)
			residue = (residue << 8 | modulus.p[k]) % telling[i];
		if (!is_power(residue, telling[i]))
			return false;
	}
	return true;
}
