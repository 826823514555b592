// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.train.World;

/**
 * The decision of the first process for all processes.
 *
 * @param state the state to resume from, if there is one
 * @param seed of the run; {@code -1} if there is nothing left to do
 */
record Decision(Optional<Path> state, long seed) {
  /** There is nothing left to do. */
  static final Decision FINISHED = new Decision(Optional.empty(), -1);

  boolean isFinished() {
    return seed < 0;
  }

  /** Sends the decision to the others, which call {@link #receive} at the same point. */
  void send(World world) {
    exchange(world, state.map(Path::toString).orElse(null), Long.toString(seed));
  }

  static Decision receive(World world) {
    return exchange(world, null, null);
  }

  private static Decision exchange(World world, @Nullable String state, @Nullable String seed) {
    String path = world.fromFirst(state);
    String number = Objects.requireNonNull(world.fromFirst(seed));
    return new Decision(Optional.ofNullable(path).map(Path::of), Long.parseLong(number));
  }
}
