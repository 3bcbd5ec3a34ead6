/* Fixed RSA keys for tests (test_rsa.c). */
#ifndef KONTOR_TESTS_KEYS_TEST_RSA_H
#define KONTOR_TESTS_KEYS_TEST_RSA_H

#define TEST_RSA_KEYS 2

extern const char *const test_rsa_keys[TEST_RSA_KEYS]; /* PKCS#8 DER in base64 */

#endif
