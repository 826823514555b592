package org.relaydiffusion.launch.command;

/** What the rdm command answers to the shell. */
public final class ExitCode {
  /** All went well. */
  public static final int OK = 0;

  /** Something failed: a file, a tensor, the machine. */
  public static final int FAILURE = 1;

  /** The command line cannot be meant. */
  public static final int USAGE = 2;

  /**
   * Another process of the run was lost, and this one could not go on without it; it did nothing
   * wrong itself. {@code EX_TEMPFAIL} of sysexits.h: worth trying again.
   */
  public static final int PEER_LOST = 75;

  /** Stopped by Ctrl-C; a SIGTERM makes the JVM answer 143 instead. */
  public static final int INTERRUPTED = 130;

  private ExitCode() {}
}
