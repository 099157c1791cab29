// A seccomp filter turns each call that concerns a file into a SIGSYS of the thread that
// makes it. The handler does the call itself, from an address that the filter lets pass, or
// says that it has failed. So nobody is stopped, and it costs microseconds.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "faults.h"

#define WRITES 1  // bytes
#define CHANGES 2 // so that to be done and to fail differ
#define ROOM 4    // a full disk makes it fail
#define PATH 8    // its first argument is a path
#define AT 16     // its first two are a directory and a path
#define FLAGS 32  // the argument behind the path has O_CREAT

static const struct {
	int nr, how;
	const char *name;
} calls[] = {
	{SYS_read, 0, "read"},
	{SYS_pread64, 0, "pread64"},
	{SYS_write, WRITES | CHANGES | ROOM, "write"},
	{SYS_pwrite64, WRITES | CHANGES | ROOM, "pwrite64"},
	{SYS_copy_file_range, CHANGES | ROOM, "copy_file_range"},
	{SYS_fsync, CHANGES | ROOM, "fsync"},
	{SYS_fdatasync, CHANGES | ROOM, "fdatasync"},
	{SYS_ftruncate, CHANGES | ROOM, "ftruncate"},
	{SYS_fallocate, CHANGES | ROOM, "fallocate"},
	{SYS_fchmod, CHANGES, "fchmod"},
	{SYS_close, CHANGES, "close"},
	{SYS_lseek, 0, "lseek"},
	{SYS_fstat, 0, "fstat"},
	{SYS_getdents64, 0, "getdents64"},
	{SYS_fcntl, 0, "fcntl"},
	{SYS_open, PATH | FLAGS, "open"},
	{SYS_openat, AT | FLAGS, "openat"},
	{SYS_stat, PATH, "stat"},
	{SYS_lstat, PATH, "lstat"},
	{SYS_newfstatat, AT, "newfstatat"},
	{SYS_statx, AT, "statx"},
	{SYS_mkdir, PATH | CHANGES | ROOM, "mkdir"},
	{SYS_mkdirat, AT | CHANGES | ROOM, "mkdirat"},
	{SYS_unlink, PATH | CHANGES, "unlink"},
	{SYS_unlinkat, AT | CHANGES, "unlinkat"},
	{SYS_rename, PATH | CHANGES | ROOM, "rename"},
	{SYS_renameat, AT | CHANGES | ROOM, "renameat"},
	{SYS_renameat2, AT | CHANGES | ROOM, "renameat2"},
	{SYS_linkat, AT | CHANGES | ROOM, "linkat"},
};

#define NCALLS (int)(sizeof calls / sizeof calls[0])

static char dir[256];     // only what is below it fails
static int lock, on, mode, left, counted;
static char failed[800];  // the call that failed
static char halved[512];  // the file of which half a write was written

// pass makes a call from the address behind picday_passed.
long picday_pass(long nr, long a, long b, long c, long d, long e, long f);
extern char picday_passed[];
__asm__(".text\n.globl picday_pass\npicday_pass:\n"
	"mov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\nmov %rcx, %rdx\nmov %r8, %r10\nmov %r9, %r8\nmov 8(%rsp), %r9\n"
	"syscall\n.globl picday_passed\npicday_passed:\nret\n");

static size_t length(const char *s) {
	size_t n = 0;
	while (s[n] && n < 500) n++;
	return n;
}

static int below(const char *name) {
	size_t n = length(dir), i;
	for (i = 0; i < n; i++)
		if (name[i] != dir[i]) return 0;
	return name[n] == 0 || name[n] == '/';
}

// descriptor writes the path of an open file.
static void descriptor(int fd, char *name, size_t size) {
	char link[32] = "/proc/self/fd/", digits[12];
	int n = 0, at = 14;
	name[0] = 0;
	if (fd < 0) return;
	do digits[n++] = '0' + fd % 10;
	while ((fd /= 10) > 0);
	while (n > 0) link[at++] = digits[--n];
	link[at] = 0;
	long got = picday_pass(SYS_readlink, (long)link, (long)name, size - 1, 0, 0, 0);
	name[got > 0 ? got : 0] = 0;
}

static void append(char *to, size_t size, const char *text) {
	size_t n = 0;
	while (to[n]) n++;
	while (*text && n + 1 < size) to[n++] = *text++;
	to[n] = 0;
}

// decide returns how a call is to fail: 0 = not at all, 1 = done, but an error, 2 = half a
// write, else an errno.
static int decide(int i, const greg_t *r, char *name) {
	int how = calls[i].how, what = 0;
	long flags = how & AT ? r[REG_RDX] : r[REG_RSI];
	if (how & (PATH | AT)) {
		const char *path = (const char *)(how & AT ? r[REG_RSI] : r[REG_RDI]);
		name[0] = 0;
		if (path && path[0] != '/') {
			descriptor(how & AT ? (int)r[REG_RDI] : -1, name, 512);
			append(name, 512, "/");
		}
		if (path) append(name, 512, path);
	} else
		descriptor((int)r[REG_RDI], name, 512);
	if (!below(name)) return 0;
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) {}
	if (on && halved[0] && how & WRITES && strcmp(halved, name) == 0) {
		halved[0] = 0;
		what = ENOSPC;
	} else if (on && (mode != 0 || calls[i].nr != SYS_close) &&
	           (mode != 1 || how & ROOM || (how & FLAGS && flags & O_CREAT)) &&
	           (mode != 2 || how & CHANGES) && (mode != 3 || (how & WRITES && r[REG_RDX] >= 2))) {
		counted++;
		if (left-- == 0) {
			static const int ways[] = {EIO, ENOSPC, 1, 2};
			what = ways[mode];
			failed[0] = 0;
			append(failed, sizeof failed, calls[i].name);
			append(failed, sizeof failed, " ");
			append(failed, sizeof failed, name);
			if (mode == 3) append(halved, sizeof halved, name);
		}
	}
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	return what;
}

static void handler(int sig, siginfo_t *info, void *context) {
	(void)sig;
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	char name[512];
	int how = 0;
	long length = r[REG_RDX];
	if (on)
		for (int i = 0; i < NCALLS; i++)
			if (calls[i].nr == info->si_syscall) how = decide(i, r, name);
	if (how > 2) {
		r[REG_RAX] = -how;
		return;
	}
	if (how == 2) length /= 2;
	long result = picday_pass(info->si_syscall, r[REG_RDI], r[REG_RSI], length, r[REG_R10], r[REG_R8], r[REG_R9]);
	r[REG_RAX] = how == 1 && result >= 0 ? -EIO : result;
}

int picday_faults_start(const char *below_dir) {
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	if (sigaction(SIGSYS, &act, NULL) != 0 || length(below_dir) >= sizeof dir) return errno;
	memcpy(dir, below_dir, length(below_dir) + 1);
	uint64_t ip = (uint64_t)picday_passed;
	struct sock_filter filter[8 + 1 + NCALLS + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)ip, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(ip >> 32), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	int n = 8;
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (int i = 0; i < NCALLS; i++, n++)
		filter[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].nr, NCALLS - i, 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = n + 1, .filter = filter};
	filter[n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) return errno ? errno : EINVAL;
	return 0;
}

void picday_faults_begin(int how, int n) {
	mode = how, left = n, counted = 0, failed[0] = 0, halved[0] = 0;
	__atomic_store_n(&on, 1, __ATOMIC_SEQ_CST);
}

int picday_faults_end(void) {
	__atomic_store_n(&on, 0, __ATOMIC_SEQ_CST);
	return counted;
}

const char *picday_faults_failed(void) { return failed; }
