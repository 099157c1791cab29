int picday_faults_start(const char *dir);
void picday_faults_begin(int mode, int n);
int picday_faults_end(void);
const char *picday_faults_failed(void);
