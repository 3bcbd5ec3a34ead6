/*
 * A SoftHSM token for one test program, in a folder of its own, behind the module
 * that fails on command (p11_fault.c; KONTOR_P11_MODULE names it).
 */
#ifndef KONTOR_TESTS_KEYS_TEST_TOKEN_H
#define KONTOR_TESTS_KEYS_TEST_TOKEN_H

#define TEST_TOKEN     "kontor test"
#define TEST_TOKEN_PIN "5678-Lachs-Turmuhr-47"

extern char test_token_folder[], test_token_fault_path[];

/* cmocka group fixtures. */
int test_token_make(void **state);
int test_token_remove(void **state);

/* What the module is to do wrong from now on; NULL: nothing. */
void test_token_fault(const char *command);

void test_token_write(const char *path, const char *text);

#endif
