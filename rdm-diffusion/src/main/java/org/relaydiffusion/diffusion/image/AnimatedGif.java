// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.UnfinishedFile;

/**
 * Writes an animated GIF frame by frame; only the frame being added is held in memory. Grayscale
 * frames, and RGB frames of at most 256 colours, are stored exactly. Other frames have the 256
 * colours of a median cut, with Floyd-Steinberg dithering. Equal frames give equal files.
 *
 * <pre>{@code
 * try (AnimatedGif gif = AnimatedGif.create(file, AnimatedGif.FOREVER)) {
 *   for (Pixels frame : frames) {
 *     gif.add(frame, 40);
 *   }
 *   gif.finish();
 * }
 * }</pre>
 *
 * <p>The file appears under its name when it is finished, and not at all if it is closed before.
 * Not thread-safe.
 */
public final class AnimatedGif implements AutoCloseable {
  /** As the number of plays: the animation repeats without end. */
  public static final int FOREVER = 0;

  /** The maximum number of plays. */
  public static final int MOST_PLAYS = 1 << 16;

  /** The shortest time of a frame in milliseconds; browsers replace shorter ones by 100. */
  public static final int LEAST_MILLIS = 20;

  /** The longest time of a frame in milliseconds. */
  public static final int MOST_MILLIS = 655_350;

  /** The maximum width or height of a frame. */
  public static final int MOST_SIDE = 0xffff;

  private static final int TRAILER = 0x3b;

  private final Path file;
  private final int plays;
  private final UnfinishedFile out;
  private @Nullable Shape shape;
  private int frames;
  private long millis;

  /** What all frames have in common. */
  private record Shape(int width, int height, int channels) {
    static Shape of(Pixels frame) {
      return new Shape(frame.width(), frame.height(), frame.channels());
    }
  }

  private AnimatedGif(Path file, int plays, UnfinishedFile out) {
    this.file = file;
    this.plays = plays;
    this.out = out;
  }

  /**
   * Starts a file.
   *
   * @param file the target; an existing file is replaced when this one is finished, parent folders
   *     are created
   * @param plays how often the frames are shown, 1 to {@link #MOST_PLAYS}, or {@link #FOREVER}
   * @throws FileException if it cannot be written
   */
  public static AnimatedGif create(Path file, int plays) {
    if (plays < 0 || plays > MOST_PLAYS) {
      throw new IllegalArgumentException(
          "an animation is played 1 to %s times, or %s for no end, but found %s"
              .formatted(MOST_PLAYS, FOREVER, plays));
    }
    return new AnimatedGif(file, plays, UnfinishedFile.create(file));
  }

  /**
   * Adds a frame. GIF counts time in hundredths of a second: the end of each frame is rounded, so
   * that the rounding does not accumulate.
   *
   * @param frame grayscale or RGB, of the size and channels of the first one
   * @param millis how long it is shown, {@link #LEAST_MILLIS} to {@link #MOST_MILLIS}
   * @throws FileException if it cannot be written; the file can then not be finished
   */
  public void add(Pixels frame, int millis) {
    if (millis < LEAST_MILLIS || millis > MOST_MILLIS) {
      throw new IllegalArgumentException(
          "a frame is shown for %s to %s ms, but found %s"
              .formatted(LEAST_MILLIS, MOST_MILLIS, millis));
    }
    check(frame);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 16);
    if (shape == null) {
      GifBlocks.header(frame, plays, bytes);
    }
    int hundredths = (int) (hundredths(this.millis + millis) - hundredths(this.millis));
    GifBlocks.picture(frame, hundredths, bytes);
    write(bytes);
    shape = Shape.of(frame);
    frames++;
    this.millis += millis;
  }

  /** Returns the number of frames that were added. */
  public int frames() {
    return frames;
  }

  /**
   * Ends the file, flushes it to disk and gives it its name. Nothing can be added afterwards.
   *
   * @throws IllegalStateException if there is no frame
   * @throws FileException if it cannot be written
   */
  public void finish() {
    if (frames == 0) {
      throw new IllegalStateException(file + " has no frame");
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(TRAILER);
    write(bytes);
    out.finish();
  }

  /** Deletes what was written, unless it was finished. Further calls have no effect. */
  @Override
  public void close() {
    out.close();
  }

  private void check(Pixels frame) {
    if (frame.width() > MOST_SIDE || frame.height() > MOST_SIDE) {
      throw new IllegalArgumentException(
          "a GIF has sides of at most %s pixels, but found %s".formatted(MOST_SIDE, frame));
    }
    if (shape != null && !shape.equals(Shape.of(frame))) {
      throw new IllegalArgumentException(
          "all frames must have %s x %s pixels and %s channels, but frame %s is %s"
              .formatted(shape.width(), shape.height(), shape.channels(), frames, frame));
    }
  }

  private static long hundredths(long millis) {
    return (millis + 5) / 10;
  }

  private void write(ByteArrayOutputStream bytes) {
    out.write(channel -> {
      ByteBuffer left = ByteBuffer.wrap(bytes.toByteArray());
      while (left.hasRemaining()) {
        channel.write(left);
      }
    });
  }
}
