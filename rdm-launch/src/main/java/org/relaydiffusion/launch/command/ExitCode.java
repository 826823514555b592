// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

/** The exit codes of the rdm command. */
public final class ExitCode {
  /** Success. */
  public static final int OK = 0;

  /** A failure: a file, a tensor, the machine. */
  public static final int FAILURE = 1;

  /** The command line is invalid. */
  public static final int USAGE = 2;

  /**
   * Another process of the run was lost, and this one, which did not fail itself, could not
   * continue without it. This is {@code EX_TEMPFAIL} of sysexits.h: a retry may succeed.
   */
  public static final int PEER_LOST = 75;

  /** Stopped by Ctrl-C; on SIGTERM the exit code of the JVM is 143. */
  public static final int INTERRUPTED = 130;

  private ExitCode() {}
}
