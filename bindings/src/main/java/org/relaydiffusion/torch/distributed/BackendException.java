// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

/**
 * An operation of a group's back end failed. {@link Attempt} knows what was done, where and for how
 * long, and says so in its own exception.
 */
final class BackendException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What is known of the other processes. */
  enum Peers {
    /** One of them has ended, or did not come in time. */
    LOST,
    /** Only what the reason says. */
    UNKNOWN
  }

  private final Peers peers;

  BackendException(String reason, Peers peers) {
    super(reason, null, false, false);
    this.peers = peers;
  }

  /** What went wrong, in a line. */
  String reason() {
    return String.valueOf(getMessage());
  }

  boolean isLoss() {
    return peers == Peers.LOST;
  }
}
