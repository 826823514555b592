// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.image.AnimatedGif;
import org.relaydiffusion.diffusion.image.ContactSheet;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * Shows how the images of the first batch come into being, as an animated GIF: the network's
 * predictions step by step through all stages, each enlarged to the size of the last.
 *
 * <pre>{@code
 * try (Animation animation = Animation.create(file, 256);
 *     Samples samples = pipeline.sample(request, animation)) {
 *   samples.forEach(...);
 *   animation.finish();
 * }
 * }</pre>
 *
 * <p>The file appears under its name when it is finished, and not at all if it is closed before.
 */
public final class Animation implements ProgressListener, AutoCloseable {
  /** At most so many images are shown side by side. */
  public static final int MOST_IMAGES = 16;

  /** A stage of more steps is shown with some of them left out. */
  public static final int MOST_FRAMES = 60;

  private static final int STEP_MILLIS = 60;
  private static final int STAGE_MILLIS = 600;
  private static final int LAST_MILLIS = 2000;

  private final AnimatedGif gif;
  private final int side;
  private @Nullable Pixels last;
  private int stage;

  private Animation(AnimatedGif gif, int side) {
    this.gif = gif;
    this.side = side;
  }

  /**
   * Starts a file.
   *
   * @param file the target; an existing file is replaced when this one is finished
   * @param side the width and height of the images of the last stage in pixels
   * @throws org.relaydiffusion.FileException if it cannot be written
   */
  public static Animation create(Path file, int side) {
    return new Animation(AnimatedGif.create(file, AnimatedGif.FOREVER), side);
  }

  @Override
  public void stepDone(Progress progress) {
    if (progress.batch() > 0 || !isShown(progress.step(), progress.steps())) {
      return;
    }
    // The last frame of all is known when the animation is finished.
    if (last != null) {
      gif.add(last, progress.stage() == stage ? STEP_MILLIS : STAGE_MILLIS);
    }
    last = frame(progress.pictures());
    stage = progress.stage();
  }

  /** Leaves out steps evenly, but not the last. */
  private static boolean isShown(int step, int steps) {
    int frames = Math.min(steps, MOST_FRAMES);
    return (long) step * frames / steps > (long) (step - 1) * frames / steps;
  }

  private Pixels frame(List<Pixels> pictures) {
    List<Pixels> shown =
        pictures.stream().limit(MOST_IMAGES).map(picture -> enlarged(picture, side)).toList();
    return shown.size() == 1 ? shown.getFirst() : ContactSheet.nearSquare(shown.size()).of(shown);
  }

  /** Repeats pixels. */
  private static Pixels enlarged(Pixels picture, int side) {
    if (picture.width() == side) {
      return picture;
    }
    int channels = picture.channels();
    Pixels large = Pixels.black(side, side, channels);
    byte[] from = picture.data();
    byte[] to = large.data();
    for (int y = 0; y < side; y++) {
      int row = (int) ((long) y * picture.height() / side);
      for (int x = 0; x < side; x++) {
        int column = (int) ((long) x * picture.width() / side);
        System.arraycopy(
            from,
            (row * picture.width() + column) * channels,
            to,
            (y * side + x) * channels,
            channels);
      }
    }
    return large;
  }

  /**
   * Writes the last frame and gives the file its name.
   *
   * @throws IllegalStateException if nothing was sampled
   * @throws org.relaydiffusion.FileException if it cannot be written
   */
  public void finish() {
    if (last == null) {
      throw new IllegalStateException("nothing was sampled");
    }
    gif.add(last, LAST_MILLIS);
    gif.finish();
  }

  @Override
  public void close() {
    gif.close();
  }
}
