#define _GNU_SOURCE
#include "fsuid.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// picday_stranger tells whether anybody but root can exchange what is in dir: a
// directory on the way to it, or itself, is somebody's. The last such owner is
// whose files these are. A link among the components is taken for what its own
// owner is: he could have made it lead anywhere.
int picday_stranger(const char *dir, uid_t *uid, gid_t *gid) {
	char path[PATH_MAX];
	struct stat st;
	int strange = 0;
	size_t n = strlen(dir);
	if (geteuid() != 0 || n == 0 || n >= sizeof path) return 0;
	memcpy(path, dir, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != 0) continue;
		char end = path[i];
		path[i] = 0;
		if (lstat(path, &st) == 0 && st.st_uid != 0) {
			strange = 1;
			*uid = st.st_uid;
			*gid = st.st_gid;
		}
		path[i] = end;
	}
	return strange;
}

// All of these calls change this thread alone; glibc's setgroups would change
// every thread. The thread's capabilities over files go and come with fsuid.
static __thread int depth, saved_n;
static __thread gid_t saved_groups[NGROUPS_MAX];

// Within one another, the outermost counts: it is never more than its caller expects.
int picday_become(uid_t uid, gid_t gid) {
	if (depth > 0) {
		depth++;
		return 0;
	}
	saved_n = getgroups(NGROUPS_MAX, saved_groups);
	if (saved_n < 0 || syscall(SYS_setgroups, 0, NULL) != 0) return -1;
	depth = 1;
	setfsgid(gid);
	setfsuid(uid);
	// There is no other way to learn whether it was done.
	if ((uid_t)setfsuid(-1) == uid && (gid_t)setfsgid(-1) == gid) return 0;
	picday_return();
	errno = EPERM;
	return -1;
}

// picday_return never leaves a thread with rights that its user does not expect.
void picday_return(void) {
	if (--depth > 0) return;
	setfsuid(geteuid());
	setfsgid(getegid());
	if ((uid_t)setfsuid(-1) != geteuid() || (gid_t)setfsgid(-1) != getegid() ||
	    syscall(SYS_setgroups, saved_n, saved_groups) != 0)
		abort();
}

// What SQLite does with names. Its unix layer lets every system call be
// replaced; the table has kept its form since 3.7.6. Declared weakly, so that a
// program without SQLite links, and cgo can link this package by itself.
typedef void (*syscall_ptr)(void);
typedef struct vfs vfs;
struct vfs {
	int version, size, max_path;
	vfs *next;
	const char *name;
	void *data;
	void *methods[11]; // xOpen … xCurrentTime
	void *last_error, *time64;
	int (*set_system_call)(vfs *, const char *, syscall_ptr);
};
_Static_assert(offsetof(vfs, methods) == 40, "sqlite3_vfs");
extern vfs *sqlite3_vfs_find(const char *) __attribute__((weak));

// enter becomes the owner of the directory that a name is in, if he is a stranger.
static int enter(const char *name) {
	char dir[PATH_MAX];
	uid_t uid;
	gid_t gid;
	const char *slash = strrchr(name, '/');
	if (slash == NULL || (size_t)(slash - name) >= sizeof dir) return 0;
	memcpy(dir, name, slash - name);
	dir[slash - name] = 0;
	if (!picday_stranger(dir, &uid, &gid)) return 0;
	return picday_become(uid, gid) == 0 ? 1 : -1;
}

static int guarded_open(const char *name, int flags, int mode) {
	if (geteuid() != 0 || name[0] != '/') return open(name, flags, mode);
	int in = enter(name);
	if (in < 0) return -1;
	if (in) flags |= O_NOFOLLOW | O_NONBLOCK;
	int fd = open(name, flags, mode);
	int failed = errno;
	if (in) picday_return();
	struct stat st;
	if (in && fd >= 0 && (fstat(fd, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))) {
		close(fd);
		fd = -1;
		failed = ELOOP; // a queue, a device: SQLite says that it cannot be opened
	}
	errno = failed;
	return fd;
}

static int guarded_unlink(const char *name) {
	int in = enter(name);
	if (in < 0) return -1;
	int failed = unlink(name) == 0 ? 0 : errno;
	if (in) picday_return();
	errno = failed;
	return failed == 0 ? 0 : -1;
}

// SQLite goes where a link leads. Only root's links are followed.
static ssize_t guarded_readlink(const char *name, char *to, size_t n) {
	char dir[PATH_MAX];
	uid_t uid;
	gid_t gid;
	const char *slash = strrchr(name, '/');
	if (slash != NULL && (size_t)(slash - name) < sizeof dir) {
		memcpy(dir, name, slash - name);
		dir[slash - name] = 0;
		if (picday_stranger(dir, &uid, &gid)) {
			errno = ELOOP;
			return -1;
		}
	}
	return readlink(name, to, n);
}

// What SQLite makes beside a stranger's catalogue is the stranger's already.
// Anything else that it would give away could be a name for another file.
static int guarded_fchown(int fd, uid_t uid, gid_t gid) { return 0; }

int picday_guard_sqlite(void) {
	vfs *v = sqlite3_vfs_find ? sqlite3_vfs_find(NULL) : NULL;
	if (v == NULL || v->version < 3) return -1;
	return v->set_system_call(v, "open", (syscall_ptr)guarded_open) ||
	       v->set_system_call(v, "unlink", (syscall_ptr)guarded_unlink) ||
	       v->set_system_call(v, "readlink", (syscall_ptr)guarded_readlink) ||
	       v->set_system_call(v, "fchown", (syscall_ptr)guarded_fchown);
}
