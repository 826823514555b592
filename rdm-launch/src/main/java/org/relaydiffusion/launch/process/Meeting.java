package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.launch.rank.Rendezvous;

/**
 * How launchers on several machines find one another.
 *
 * @param at where the first machine's launcher listens
 * @param runId of this run
 * @param machines how many there are, and which this is
 * @param patience how long the first waits for the others, and they for it
 * @param screen told whom is waited for
 * @param stopped whether somebody has asked for the end in the meantime
 */
record Meeting(
    Rendezvous at,
    String runId,
    Machines machines,
    Duration patience,
    Screen screen,
    BooleanSupplier stopped) {
  /** How long one look for others takes, so that a wish to stop is heard. */
  static final int LOOK_MILLIS = 200;

  /**
   * Waits until all launchers are there.
   *
   * @param events told what the others say, and who is lost
   * @throws RdmException when they do not come in time, or do not fit together
   * @throws StoppedException when somebody asks for the end
   */
  Link join(Consumer<Event> events) {
    if (machines.isAlone()) {
      return Link.NONE;
    }
    return machines.index() == 0 ? LinkServer.open(this, events) : LinkClient.open(this, events);
  }

  /** Nobody is waited for any more. */
  static final class StoppedException extends RdmException {
    private static final long serialVersionUID = 1L;

    StoppedException() {
      super("asked to stop before all machines were there");
    }
  }

  /** When waiting ends, in {@link System#nanoTime()}. */
  long deadline() {
    return System.nanoTime() + patience.toNanos();
  }

  /** Whether to go on waiting. */
  boolean goesOn(long deadline) {
    if (stopped.getAsBoolean()) {
      throw new StoppedException();
    }
    return System.nanoTime() - deadline < 0;
  }
}
