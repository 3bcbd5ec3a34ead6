/*
 * Is this build checked by a sanitizer?  Its own needs (threads, ptrace, odd
 * memory) are too many for a list of system calls, so sandboxes leave theirs out.
 */
#ifndef KONTOR_BASE_SANITIZED_H
#define KONTOR_BASE_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
