package org.relaydiffusion.diffusion.data.convert;

import java.util.OptionalInt;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * Pictures in a fixed order, each with a label or without one. Every method but {@link #close} may
 * be called by several threads at once. Whoever opens a source closes it.
 */
public interface ImageSource extends AutoCloseable {
  /** How many pictures there are, at least 1. */
  int size();

  /**
   * A picture, read and decoded anew by each call.
   *
   * @param index from 0 to {@code size() - 1}
   * @throws FileException naming the picture, when it is damaged or of a kind that is not read
   */
  Pixels read(int index);

  /**
   * The class of a picture, from 0; empty where it has none.
   *
   * @param index from 0 to {@code size() - 1}
   */
  OptionalInt label(int index);

  /**
   * What messages call a picture: its path, or its name in the archive.
   *
   * @param index from 0 to {@code size() - 1}
   */
  String name(int index);

  /** Lets go of the files behind it; nothing of the source may be used after that. */
  @Override
  void close();
}
