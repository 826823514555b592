package org.relaydiffusion.diffusion.data.convert;

import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.data.LeftOut;
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

  /** What the pictures are, as far as that is known. */
  ItemLabels labels();

  /** What was not taken for a picture. */
  default LeftOut leftOut() {
    return LeftOut.NONE;
  }

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
