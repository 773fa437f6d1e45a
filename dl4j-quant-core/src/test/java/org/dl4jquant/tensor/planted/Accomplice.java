package org.dl4jquant.tensor.planted;

import org.dl4jquant.format.planted.Offender;

/** Closes the cycle with {@link Offender}; on its own it is allowed. */
public final class Accomplice {
  /** Imports a package below this one. */
  public Offender below(Offender offender) {
    return offender;
  }
}
