#include <sys/types.h>

int picday_stranger(const char *dir, uid_t *uid, gid_t *gid);
int picday_become(uid_t uid, gid_t gid);
void picday_return(void);
int picday_guard_sqlite(void);
