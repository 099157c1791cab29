#define PICDAY_DECODE "decode"

extern int picday_confined; // whether the constructor did all it does
extern int picday_landlock; // the Landlock version in force; 0 if the kernel has none
