package org.relaydiffusion.diffusion.train;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.RdmException;

/**
 * What the processes of a run agree on between two steps: whether there is a next one. Each of them
 * makes sure that it has the data of that step first, because one that fails in the middle of a
 * step leaves the others waiting, and the run between two states.
 *
 * <p>Interrupting the training thread of any process has the effect of asking the run to stop. The
 * interrupted status is kept here meanwhile, so that saving the state is not interrupted too.
 */
final class StepGate {
  private static final int MESSAGE_BYTES = 2048;

  /** What a process says; of several processes, the last of these counts. */
  enum Verdict {
    /** The next step may begin. */
    GO_ON,
    /** The same, and the time for a state has come. */
    SAVE,
    /** Somebody was asked to stop. */
    STOP,
    /** Somebody cannot go on. */
    FAIL;

    /** Whether there is no next step. */
    boolean ends() {
      return this == STOP || this == FAIL;
    }
  }

  private final World world;
  private final BooleanSupplier stop;
  private final SaveClock clock;
  private @Nullable RdmException failure;
  private boolean interrupted;

  /**
   * The gate of a run that has not begun.
   *
   * @param stop whether this process was asked to stop
   * @param clock when the time for a state has come
   */
  StepGate(World world, BooleanSupplier stop, SaveClock clock) {
    this.world = world;
    this.stop = stop;
    this.clock = clock;
  }

  /**
   * Before the first step, when there is nothing to save yet.
   *
   * @throws RdmException when some process cannot read its data
   * @throws CancelledException when some process's thread was interrupted
   */
  void first(TrainingRun run) {
    switch (agree(ready(run))) {
      case GO_ON, SAVE -> {}
      case STOP -> throw new CancelledException();
      case FAIL -> throw failed("");
    }
  }

  /**
   * After a step; every process asks at the same point.
   *
   * @param done whether it was the last one
   */
  Verdict next(TrainingRun run, boolean done) {
    interrupted |= Thread.interrupted();
    if (interrupted || stop.getAsBoolean()) {
      return agree(Verdict.STOP);
    }
    Verdict mine = done ? Verdict.GO_ON : ready(run);
    return agree(mine == Verdict.GO_ON && clock.isDue() ? Verdict.SAVE : mine);
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
   * What to throw after {@link Verdict#FAIL}: the same words in every process, which all call this.
   *
   * @param andThen what is said after the reason, such as what was saved
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

  /** As many whole characters as have room, with zeros behind them. */
  static byte[] encoded(String text) {
    byte[] bytes = new byte[MESSAGE_BYTES];
    // An encoder stops in front of what has no room.
    StandardCharsets.UTF_8
        .newEncoder()
        .onMalformedInput(CodingErrorAction.REPLACE)
        .encode(CharBuffer.wrap(text), ByteBuffer.wrap(bytes), true);
    return bytes;
  }

  /** Hands an interrupt that has ended the run on to the caller. */
  void restoreInterrupt() {
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
