// Confinement of a decoder child, before the Go runtime exists.
//
// Capabilities, no_new_privs, Landlock and seccomp belong to a thread, and a Go
// program has several before its first line of Go runs. syscall.AllThreadsSyscall
// refuses to work in a program with cgo, which SQLite makes of picdayd, and Landlock
// cannot be applied before exec, or the dynamic loader would not find libc. So it
// happens in between: a constructor runs when the libraries are loaded and there is
// one thread. All threads of the Go runtime inherit what it leaves.
//
// What fails here ends the child. Only a kernel without Landlock is put up with:
// seccomp alone still denies every open. The parent is told, and logs it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"

int picday_confined, picday_landlock;

static void must(int ok, const char *what) {
	if (ok) return;
	dprintf(2, "decoder cannot be confined: %s: %m\n", what);
	_exit(71);
}

static void limit(int what, rlim_t n, const char *name) {
	struct rlimit l = {n, n};
	must(setrlimit(what, &l) == 0, name);
}

static void drop_capabilities(void) {
	// Without CAP_SETPCAP the bounding set stays, which no_new_privs makes harmless.
	for (int c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0}};
	// A service's system-call filter may know no capset. The thread that starts
	// children has given its ambient set up, so exec has left them nothing to drop but
	// the inheritable set, which gives no right by itself and none without exec.
	syscall(SYS_capset, &head, none);
	must(syscall(SYS_capget, &head, none) == 0, "capget");
	errno = EPERM;
	for (int i = 0; i < 2; i++) must((none[i].effective | none[i].permitted) == 0, "capset");
}

// landlock takes away everything its version knows, and gives nothing back. The
// numbers are the kernel's; Debian 12's headers know the first three versions.
static void landlock(void) {
	static const int rights[] = {0, 13, 14, 15, 15, 16, 16, 16}; // of version 1 on
	int abi = syscall(444 /* landlock_create_ruleset */, NULL, 0, 1 /* VERSION */);
	if (abi < 1) return; // not built in, or not switched on
	struct { uint64_t fs, net, scoped; } all = {0};
	all.fs = (1ULL << rights[abi < 7 ? abi : 7]) - 1;
	if (abi >= 4) all.net = 3;    // bind and connect of TCP
	if (abi >= 6) all.scoped = 3; // signals and abstract sockets of others
	int set = syscall(444, &all, abi >= 6 ? 24 : abi >= 4 ? 16 : 8, 0);
	must(set >= 0, "landlock_create_ruleset");
	must(syscall(446 /* landlock_restrict_self */, set, 0) == 0, "landlock_restrict_self");
	close(set);
	picday_landlock = abi;
}

// What the Go runtime, libc and a codec need to work on open descriptors. Anything
// else is answered with EPERM, since a libc may try a newer call first.
static const uint16_t allowed[] = {
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_lseek, SYS_close, SYS_fstat,
	SYS_recvmsg, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk,
	SYS_futex, SYS_set_robust_list, SYS_rseq, SYS_gettid, SYS_getpid, SYS_sched_yield, SYS_sched_getaffinity,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall,
	SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_getrandom,
	SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2, SYS_exit, SYS_exit_group,
};

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "say which AUDIT_ARCH this is"
#endif
// Low half of an argument; both are little-endian. An x32 call has a number above
// 1 << 30 and so equals none of ours.
#define ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#define ANSWER(a) BPF_STMT(BPF_RET | BPF_K, a)
#define DENY(e) ANSWER(SECCOMP_RET_ERRNO | (e))
#define IF(op, k, yes, no) BPF_JUMP(BPF_JMP | op | BPF_K, k, yes, no)

static void seccomp(void) {
	enum { N = sizeof allowed / sizeof *allowed };
	struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		IF(BPF_JEQ, ARCH, 1, 0), ANSWER(SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		// Threads, but no processes. clone3 hides its flags: libc then takes clone.
		IF(BPF_JEQ, SYS_clone3, 0, 1), DENY(ENOSYS),
		IF(BPF_JEQ, SYS_clone, 0, 3), ARG(0), IF(BPF_JSET, CLONE_THREAD, 0, 10), ANSWER(SECCOMP_RET_ALLOW),
		// Memory, but none that is code.
		IF(BPF_JEQ, SYS_mmap, 1, 0), IF(BPF_JEQ, SYS_mprotect, 0, 3),
		ARG(2), IF(BPF_JSET, PROT_EXEC, 5, 0), ANSWER(SECCOMP_RET_ALLOW),
		// Signals to itself, and questions about a descriptor; F_SETOWN would signal others.
		IF(BPF_JEQ, SYS_tgkill, 0, 4), ARG(0), IF(BPF_JEQ, (uint32_t)getpid(), 0, 1), ANSWER(SECCOMP_RET_ALLOW),
		DENY(EPERM),
		IF(BPF_JEQ, SYS_fcntl, 0, 5), ARG(1), IF(BPF_JEQ, F_GETFL, 1, 0), IF(BPF_JEQ, F_GETFD, 0, 1),
		ANSWER(SECCOMP_RET_ALLOW), DENY(EPERM),
	};
	enum { H = sizeof head / sizeof *head };
	struct sock_filter code[H + 2 * N + 1];
	memcpy(code, head, sizeof head);
	for (int i = 0; i < N; i++) {
		code[H + 2 * i] = (struct sock_filter)IF(BPF_JEQ, allowed[i], 0, 1);
		code[H + 2 * i + 1] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	}
	code[H + 2 * N] = (struct sock_filter)DENY(EPERM);
	struct sock_fprog prog = {H + 2 * N + 1, code};
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0, "seccomp");
}

// confine acts only on "picdayd decode BYTES"; see Child in child.go.
__attribute__((constructor)) static void confine(int argc, char **argv) {
	if (argc != 3 || strcmp(argv[1], PICDAY_DECODE) != 0) return;
	char *end;
	unsigned long long data = strtoull(argv[2], &end, 10);
	errno = EINVAL;
	must(data > 0 && *end == 0, "memory limit");

	// When memory runs out the kernel shall take this process, not the daemon.
	int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (oom >= 0 && write(oom, "1000", 4) < 0) {} // better, not necessary
	must(syscall(SYS_close_range, 3U, ~0U, 0) == 0, "close_range");

	limit(RLIMIT_CORE, 0, "RLIMIT_CORE");     // would hold a child's picture
	limit(RLIMIT_FSIZE, 0, "RLIMIT_FSIZE");   // no file grows by it
	limit(RLIMIT_NOFILE, 16, "RLIMIT_NOFILE");
	// Not RLIMIT_AS: Go and libc reserve addresses by the gigabyte and use few. Not
	// RLIMIT_NPROC: it counts threads, of all processes of the user.
	limit(RLIMIT_DATA, data, "RLIMIT_DATA");

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	drop_capabilities();
	landlock();
	must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "dumpable"); // no ptrace by others of the user
	seccomp();
	picday_confined = 1;
}
