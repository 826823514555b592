// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.random.Slerp;
import org.relaydiffusion.diffusion.sampler.StackedGenerators;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * A walk from the image of one seed to that of another: the latents of the first stage are
 * interpolated on a sphere ({@link Slerp}); all further noise and the class are those of {@code
 * from}, so that frames change smoothly. The first frame is the image of {@code from}.
 *
 * @param from the seed of the first frame
 * @param to the seed whose latents the last frame has
 * @param frames number of frames, at least 2
 */
public record Interpolation(long from, long to, int frames) {
  /** The maximum number of frames. */
  public static final int MOST_FRAMES = 10_000;

  /**
   * Checks the number of frames.
   *
   * @throws OptionException if it is out of range
   */
  public Interpolation {
    if (frames < 2 || frames > MOST_FRAMES) {
      throw new OptionException(
          "an interpolation must have 2 to %s frames, but has %s".formatted(MOST_FRAMES, frames));
    }
  }

  /**
   * Parses {@code SEED:SEED:FRAMES}.
   *
   * @throws OptionException for anything else
   */
  public static Interpolation parse(String text) {
    String[] parts = text.split(":", -1);
    try {
      if (parts.length == 3) {
        return new Interpolation(
            Long.parseLong(parts[0]), Long.parseLong(parts[1]), Integer.parseInt(parts[2]));
      }
    } catch (NumberFormatException _) {
      // Reported like a wrong number of parts.
    }
    throw new OptionException(
        "an interpolation must be SEED:SEED:FRAMES, such as 3:17:60, but is '%s'".formatted(text));
  }

  /**
   * Returns the latents of a frame, for a request with the seed {@code from}.
   *
   * @param frame from 0 to {@code frames - 1}
   * @param noise the source of random numbers of the request
   */
  public Latents latents(int frame, Noise noise) {
    double t = (double) frame / (frames - 1);
    return (_, drawn) -> {
      try (TensorScope scope = TensorScope.open();
          StackedGenerators other = StackedGenerators.of(noise, drawn.device(), to)) {
        Tensor end = other.randn(DType.FLOAT32, drawn.shape()).reshape(drawn.shape());
        return scope.keep(Slerp.interpolate(drawn, end, t));
      }
    };
  }

  /** Returns the text that {@link #parse} reads. */
  @Override
  public String toString() {
    return "%s:%s:%s".formatted(from, to, frames);
  }
}
