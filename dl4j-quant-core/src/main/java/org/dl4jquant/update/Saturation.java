package org.dl4jquant.update;

/** What happens to an update that would move a weight out of its format. */
public enum Saturation {
  /**
   * The weight stays at the end of its range and the part that did not fit is dropped, so that the
   * next update in the other direction moves the weight at once. Where weight and residual are one
   * number (method D), the residual at the rail is 0.
   */
  CLAMP,

  /**
   * The weight stays at the end of its range and the part that did not fit stays in the residual:
   * the exact sum is kept, and must be unwound before the weight moves again.
   */
  WIND_UP,

  /** As {@link #CLAMP}, and then the step throws. */
  FAIL
}
