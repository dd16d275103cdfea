/* The floating point environment (fenv.h), which libm, and signal handlers, see through MXCSR. */
#define _GNU_SOURCE
#include "check.h"
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>

static volatile double zero = 0.0, one = 1.0, three = 3.0, huge = DBL_MAX, tiny = DBL_MIN;
static volatile float onef = 1.0f, threef = 3.0f;

CHECK(float_exceptions_are_noted) {
  feclearexcept(FE_ALL_EXCEPT);
  EXPECT_EQ(0, fetestexcept(FE_ALL_EXCEPT));
  volatile double result = one / three;
  EXPECT_EQ(FE_INEXACT, fetestexcept(FE_ALL_EXCEPT));
  result = one / zero;
  EXPECT_EQ(FE_INEXACT | FE_DIVBYZERO, fetestexcept(FE_ALL_EXCEPT));
  feclearexcept(FE_INEXACT);
  EXPECT_EQ(FE_DIVBYZERO, fetestexcept(FE_ALL_EXCEPT));
  feclearexcept(FE_ALL_EXCEPT);
  result = zero / zero;
  EXPECT_EQ(FE_INVALID, fetestexcept(FE_ALL_EXCEPT));
  feclearexcept(FE_ALL_EXCEPT);
  result = huge * 2;
  EXPECT_EQ(FE_OVERFLOW | FE_INEXACT, fetestexcept(FE_ALL_EXCEPT));
  feclearexcept(FE_ALL_EXCEPT);
  result = tiny / three;
  EXPECT_EQ(FE_UNDERFLOW | FE_INEXACT, fetestexcept(FE_ALL_EXCEPT));
  feclearexcept(FE_ALL_EXCEPT);
  result = one + one;
  EXPECT_EQ(0, fetestexcept(FE_ALL_EXCEPT));
  (void)result;
}

CHECK(libm_notes_float_exceptions) {
  feclearexcept(FE_ALL_EXCEPT);
  volatile double result = log(zero);
  EXPECT(isinf(result) && fetestexcept(FE_DIVBYZERO));
  feclearexcept(FE_ALL_EXCEPT);
  result = sqrt(-one);
  EXPECT(isnan(result) && fetestexcept(FE_INVALID));
  feclearexcept(FE_ALL_EXCEPT);
  result = exp(huge);
  EXPECT(isinf(result) && fetestexcept(FE_OVERFLOW));
}

CHECK(fma_rounds_once) {
  volatile double a = 1 + DBL_EPSILON, product = a * a;
  EXPECT(fma(a, a, -product) == DBL_EPSILON * DBL_EPSILON);
}

CHECK(fesetround_changes_arithmetic) {
  volatile double third[4];
  volatile float third_single[4];
  int modes[4] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
  for (int at = 0; at < 4; at++) {
    EXPECT_EQ(0, fesetround(modes[at]));
    EXPECT_EQ(modes[at], fegetround());
    third[at] = one / three;
    third_single[at] = -onef / threef;
  }
  EXPECT_EQ(0, fesetround(FE_TONEAREST));
  EXPECT(third[1] == third[0] && third[2] > third[0] && third[3] == third[0]);
  EXPECT(third_single[1] == third_single[0] && third_single[2] > third_single[0] && third_single[3] > third_single[0]);
}

CHECK(lrint_follows_the_rounding_mode) {
  volatile double value = 2.5;
  EXPECT_EQ(2, lrint(value));
  fesetround(FE_UPWARD);
  EXPECT_EQ(3, lrint(value));
  EXPECT(nearbyint(value) == 3);
  fesetround(FE_DOWNWARD);
  EXPECT_EQ(-3, lrint(-value));
}

static sigjmp_buf caught;
static volatile int caught_code;
static void catch_float(int signal, siginfo_t *info, void *context) {
  (void)context;
  caught_code = signal == SIGFPE ? info->si_code : -1;
  siglongjmp(caught, 1);
}

CHECK(unmasked_float_exceptions_raise_sigfpe) {
  struct sigaction action = {.sa_sigaction = catch_float, .sa_flags = SA_SIGINFO | SA_NODEFER};
  EXPECT_EQ(0, sigaction(SIGFPE, &action, NULL));
  volatile double result = 7;
  if (sigsetjmp(caught, 1) == 0) {
    feenableexcept(FE_DIVBYZERO);
    result = one / zero;
    FAIL("1 / 0 gave %f", result);
  }
  EXPECT_EQ(FPE_FLTDIV, caught_code);
  EXPECT(result == 7);
  feclearexcept(FE_ALL_EXCEPT);
  if (sigsetjmp(caught, 1) == 0) {
    feenableexcept(FE_OVERFLOW);
    result = huge * huge;
    FAIL("no overflow: %f", result);
  }
  EXPECT_EQ(FPE_FLTOVF, caught_code);
  feclearexcept(FE_ALL_EXCEPT);
  feenableexcept(FE_INVALID);
  if (sigsetjmp(caught, 1) == 0) {
    result = zero / zero;
    FAIL("0 / 0 is valid: %f", result);
  }
  EXPECT_EQ(FPE_FLTINV, caught_code);
}

CHECK(float_environment_is_inherited_by_fork) {
  fesetround(FE_UPWARD);
  pid_t child = fork();
  if (child == 0) _exit(fegetround() == FE_UPWARD && one / three > 0.33333333333333331 ? 0 : 1);
  int status = -1;
  EXPECT_EQ(child, waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
}

CHECK(denormals_can_be_flushed) {
  unsigned before = __builtin_ia32_stmxcsr();
  volatile double denormal = DBL_TRUE_MIN;
  EXPECT(denormal * 4 > 0);
  __builtin_ia32_ldmxcsr(before | 0x8040);
  volatile double flushed = denormal * 4, halved = tiny / 2;
  __builtin_ia32_ldmxcsr(before);
  EXPECT(flushed == 0 && halved == 0);
  EXPECT(denormal * 4 > 0);
}
