/*
 * A PKCS#11 module that is another one (KONTOR_P11_REAL) with faults on command.
 * The file KONTOR_P11_FAULT says which, read anew at each call:
 *
 *	stall		calls do not come back until the file says something else
 *	fail NUMBER	calls return this CK_RV
 *	once NUMBER	the next C_Sign returns it; the file is gone then
 *	wrong		signatures are those of nobody
 *	pin		no PIN is right
 *
 * No file: no fault.  Each C_Login adds a line to the file of the same name and ".logins".
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STALL_LOOK_US 5000

static CK_FUNCTION_LIST *real, ours;

static const char *
command(char text[64])
{
	FILE *f = fopen(getenv("KONTOR_P11_FAULT"), "r");

	text[0] = '\0';
	if (f != NULL) {
		if (fgets(text, 64, f) == NULL)
			text[0] = '\0';
		fclose(f);
	}
	return text;
}

static int
says(const char *word)
{
	char text[64];

	return strncmp(command(text), word, strlen(word)) == 0;
}

/* What every call that matters begins with. */
static CK_RV
fault(void)
{
	char text[64];

	while (says("stall"))
		usleep(STALL_LOOK_US);
	return strncmp(command(text), "fail ", 5) == 0 ? strtoul(text + 5, NULL, 0) : CKR_OK;
}

static CK_RV
open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify, CK_SESSION_HANDLE *out)
{
	CK_RV rv = fault();

	return rv != CKR_OK ? rv : real->C_OpenSession(slot, flags, app, notify, out);
}

static CK_RV
session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	CK_RV rv = fault();

	return rv != CKR_OK ? rv : real->C_GetSessionInfo(session, info);
}

static CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG n)
{
	char path[512];

	snprintf(path, sizeof(path), "%s.logins", getenv("KONTOR_P11_FAULT"));
	FILE *f = fopen(path, "a");

	if (f != NULL) {
		fputs("login\n", f);
		fclose(f);
	}
	return says("pin") ? CKR_PIN_INCORRECT : real->C_Login(session, user, pin, n);
}

static CK_RV
sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG n, unsigned char *sig,
     CK_ULONG *n_sig)
{
	CK_RV rv = fault();
	char text[64];

	if (rv != CKR_OK)
		return rv;
	if (strncmp(command(text), "once ", 5) == 0) {
		unlink(getenv("KONTOR_P11_FAULT"));
		return strtoul(text + 5, NULL, 0);
	}
	rv = real->C_Sign(session, data, n, sig, n_sig);
	if (rv == CKR_OK && says("wrong"))
		sig[*n_sig - 1] ^= 1;
	return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) __attribute__((visibility("default")));

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	void *so = dlopen(getenv("KONTOR_P11_REAL"), RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList get;

	if (so == NULL)
		return CKR_GENERAL_ERROR;
	*(void **)&get = dlsym(so, "C_GetFunctionList");
	if (get == NULL || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	ours = *real;
	ours.C_OpenSession = open_session;
	ours.C_GetSessionInfo = session_info;
	ours.C_Login = login;
	ours.C_Sign = sign;
	*list = &ours;
	return CKR_OK;
}
