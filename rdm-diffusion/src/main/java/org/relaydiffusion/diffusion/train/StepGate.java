// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;

/**
 * Decides, together for all processes of a run, whether there is a next step. Each process first
 * ensures that it has the data of that step, because a process that fails during a step would leave
 * the others waiting, and the run between two states.
 *
 * <p>A run stops if it is cancelled in any process, by its {@link Cancellation} or by interrupting
 * the training thread. The interrupt status is cleared meanwhile, so that it does not also
 * interrupt saving the state.
 */
final class StepGate {
  private static final int MESSAGE_BYTES = 2048;

  /** The verdict of a process; for several processes, the last of these applies. */
  enum Verdict {
    /** The next step may begin. */
    GO_ON,
    /** The next step may begin, and a state is due. */
    SAVE,
    /** A process was cancelled. */
    STOP,
    /** A process cannot continue. */
    FAIL;

    /** Returns whether there is no next step. */
    boolean ends() {
      return this == STOP || this == FAIL;
    }
  }

  private final World world;
  private final Cancellation cancellation;
  private final SaveClock clock;
  private @Nullable RdmException failure;
  private boolean interrupted;

  /**
   * Creates the gate of a run that has not begun.
   *
   * @param cancellation of this process, which stops all
   * @param clock determines when a state is due
   */
  StepGate(World world, Cancellation cancellation, SaveClock clock) {
    this.world = world;
    this.cancellation = cancellation;
    this.clock = clock;
  }

  /**
   * Called before the first step, when there is nothing to save yet.
   *
   * @throws RdmException if a process cannot read its data
   * @throws CancelledException if a process was cancelled
   */
  void first(TrainingRun run) {
    switch (agree(isCancelled() ? Verdict.STOP : ready(run))) {
      case GO_ON, SAVE -> {}
      case STOP -> throw new CancelledException();
      case FAIL -> throw failed("");
    }
  }

  /**
   * Called after a step, by all processes at the same point.
   *
   * @param done whether it was the last one
   */
  Verdict next(TrainingRun run, boolean done) {
    Verdict mine = isCancelled() ? Verdict.STOP : done ? Verdict.GO_ON : ready(run);
    return agree(mine == Verdict.GO_ON && clock.isDue() ? Verdict.SAVE : mine);
  }

  private boolean isCancelled() {
    interrupted |= Thread.interrupted();
    return interrupted || cancellation.isCancelled();
  }

  private Verdict ready(TrainingRun run) {
    try {
      run.prepare();
      return Verdict.GO_ON;
    } catch (CancelledException e) {
      interrupted |= Thread.interrupted();
      return Verdict.STOP;
    } catch (RdmException e) {
      failure = e;
      return Verdict.FAIL;
    }
  }

  @SuppressWarnings("EnumOrdinal") // All processes run the same build; the worst is the last.
  private Verdict agree(Verdict mine) {
    return Verdict.values()[world.most(mine.ordinal())];
  }

  /**
   * Returns the exception for {@link Verdict#FAIL}, with the same message in all processes, which
   * all call this.
   *
   * @param andThen text that follows the reason, such as what was saved
   */
  RdmException failed(String andThen) {
    byte[] own = encoded(failure == null ? "" : String.valueOf(failure.getMessage()));
    List<byte[]> all = world.gather(own);
    for (int rank = 0; rank < all.size(); rank++) {
      byte[] text = all.get(rank);
      if (text[0] != 0) {
        int end = 0;
        while (end < text.length && text[end] != 0) {
          end++;
        }
        String reason = new String(Arrays.copyOf(text, end), StandardCharsets.UTF_8);
        String who = world.size() == 1 ? "" : " (rank %s)".formatted(rank);
        return new RdmException(reason + who + andThen, failure);
      }
    }
    throw new IllegalStateException("no process has failed");
  }

  /** Encodes as many whole characters as fit, padded with zeros. */
  static byte[] encoded(String text) {
    byte[] bytes = new byte[MESSAGE_BYTES];
    // An encoder stops before a character that does not fit.
    StandardCharsets.UTF_8
        .newEncoder()
        .onMalformedInput(CodingErrorAction.REPLACE)
        .encode(CharBuffer.wrap(text), ByteBuffer.wrap(bytes), true);
    return bytes;
  }

  /** Restores the interrupt status if an interrupt has ended the run. */
  void restoreInterrupt() {
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
