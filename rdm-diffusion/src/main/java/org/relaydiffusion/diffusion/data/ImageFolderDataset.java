// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.PictureReader.Size;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.random.Subset;

/**
 * The images of a folder or zip file for training: squares of equal size, in the order of their
 * names, with the labels of {@code dataset.json} if requested.
 *
 * <p>Opening reads the list of files, the labels and the first image; errors in other images are
 * reported when they are read. May be read by several threads concurrently. The caller calls {@link
 * #close()} when no thread is reading any more.
 */
public final class ImageFolderDataset implements AutoCloseable {
  private static final int LARGEST_SIDE = 4096;

  private final PictureSource source;
  private final String name;
  private final ItemLabels labels;
  private final Subset subset;
  private final int resolution;
  private final int channels;
  private final ImageCache cache;

  private ImageFolderDataset(Path path, PictureSource source, DatasetOptions options) {
    this.source = source;
    this.name = nameOf(path);
    List<String> pictures = source.pictures();
    if (pictures.isEmpty()) {
      throw new FileException(path, "contains no images");
    }
    this.labels = options.useLabels() ? LabelFile.ofAll(source) : new ItemLabels.None();
    Subset drawn = options.drawnFrom(pictures.size());
    this.subset = options.xflip() ? drawn.withMirrored() : drawn;
    Pixels first = first(options);
    this.resolution = first.width();
    this.channels = first.channels();
    this.cache = new ImageCache(pictures.size(), options.cache() ? ImageCache.halfOfHeap() : 0);
  }

  /**
   * Opens a data set.
   *
   * @param path a folder, or a zip file
   * @param options selects the part that is used
   * @return the data set, which the caller closes
   * @throws FileException if it is missing, contains no images, has invalid labels, or its first
   *     image cannot be used for training
   */
  public static ImageFolderDataset open(Path path, DatasetOptions options) {
    PictureSource source = PictureSource.open(path, PictureSource.Order.NAMES);
    try {
      PictureSource kept = options.without().isEmpty() ? source : source.without(options.without());
      return new ImageFolderDataset(path, kept, options);
    } catch (RuntimeException e) {
      source.close();
      throw e;
    }
  }

  /**
   * Returns the name of the folder or file without its extension, as used in names of run folders.
   */
  public String name() {
    return name;
  }

  /** Returns the number of items, including mirrored ones; at least 1. */
  public int size() {
    return subset.size();
  }

  /**
   * Returns the number of usable images in the source, before a random subset is selected and
   * before mirroring.
   */
  public int sourceSize() {
    return source.pictures().size();
  }

  /** Returns the side of the images in pixels. */
  public int resolution() {
    return resolution;
  }

  /** Returns the number of channels: 1 (grayscale) or 3 (RGB). */
  public int channels() {
    return channels;
  }

  /**
   * Returns the length of every label: the number of classes, or the length of the vectors; 0
   * without labels.
   */
  public int labelDim() {
    return labels.dim();
  }

  /** Returns whether there are labels and they are used. */
  public boolean hasLabels() {
    return labelDim() > 0;
  }

  /** Returns whether there are labels that are not used. */
  public boolean hasUnusedLabels() {
    return !hasLabels() && LabelFile.isIn(source);
  }

  /** Returns what the folder or zip contains that was not taken for an image of the set. */
  public LeftOut leftOut() {
    return source.leftOut();
  }

  /** Returns the index in the source of the image of item {@code index}, in the order of names. */
  public int rawIndex(int index) {
    return subset.raw(index);
  }

  /** Returns whether item {@code index} is mirrored left to right. */
  public boolean isMirrored(int index) {
    return subset.isMirrored(index);
  }

  /** Returns the name of the file of item {@code index} in messages. */
  public Path file(int index) {
    return source.file(subset.raw(index));
  }

  /**
   * Returns a SHA-256 of the first items' names and of values that change with their files: sizes,
   * and modification times in a folder, checksums in a zip. No image is read.
   *
   * @param items number of items, at most {@link #size()}
   * @return 64 hexadecimal digits
   * @throws FileException if a file has been deleted
   */
  public String fingerprint(int items) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is not available", e);
    }
    List<String> names = source.pictures();
    for (int i = 0; i < items; i++) {
      int raw = subset.raw(i);
      String line =
          "%s\n%s%s\n"
              .formatted(names.get(raw), source.stamp(raw), isMirrored(i) ? " mirrored" : "");
      digest.update(line.getBytes(StandardCharsets.UTF_8));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Returns the fingerprint of the set, independent of its location; see {@link DataFingerprint}
   * for the cost.
   *
   * @throws FileException if a file has been deleted
   */
  public DataFingerprint contents() {
    return DataFingerprint.of(size(), source, labels);
  }

  /**
   * Returns the image of item {@code index}: unsigned bytes [C, H, W] in a new array.
   *
   * @throws FileException if its file is unreadable or damaged, or its size or number of channels
   *     differs from the first image
   */
  public byte[] image(int index) {
    byte[] image = new byte[channels * resolution * resolution];
    read(index, image);
    return image;
  }

  /**
   * Returns the label of item {@code index} in a new array: one-hot for a class; of length 0
   * without labels.
   */
  public float[] label(int index) {
    return labels.label(subset.raw(index));
  }

  private void read(int index, byte[] image) {
    boolean mirrored = subset.isMirrored(index);
    byte[] planes = cache.get(subset.raw(index), this::decode);
    if (!mirrored) {
      System.arraycopy(planes, 0, image, 0, planes.length);
      return;
    }
    for (int row = 0; row < image.length; row += resolution) {
      for (int x = 0; x < resolution; x++) {
        image[row + x] = planes[row + resolution - 1 - x];
      }
    }
  }

  /** Returns an image of the source, [C, H, W]. */
  private byte[] decode(int raw) {
    Path file = source.file(raw);
    return PictureBudget.within(file, () -> decode(raw, file));
  }

  private byte[] decode(int raw, Path file) {
    byte[] bytes = source.read(raw);
    Size size = PictureReader.size(bytes, file);
    if (size.width() != resolution || size.height() != resolution) {
      throw new FileException(
          file,
          "has %s x %s pixels, but the first image of the set has %s x %s"
              .formatted(size.width(), size.height(), resolution, resolution));
    }
    Pixels pixels = PictureReader.decode(bytes, file);
    if (pixels.channels() != channels) {
      throw new FileException(
          file,
          "is %s, but the first image of the set is %s"
              .formatted(colours(pixels.channels()), colours(channels)));
    }
    return pixels.planes();
  }

  private Pixels first(DatasetOptions options) {
    Path file = source.file(subset.raw(0));
    return PictureBudget.within(file, () -> first(options, file));
  }

  private Pixels first(DatasetOptions options, Path file) {
    byte[] bytes = source.read(subset.raw(0));
    Size size = PictureReader.size(bytes, file);
    int side = size.width();
    if (side != size.height() || side > LARGEST_SIDE) {
      throw new FileException(
          file,
          "has %s x %s pixels, but images of a data set must be square, with a side of at most %s"
              .formatted(side, size.height(), LARGEST_SIDE));
    }
    if (options.resolution().isPresent() && options.resolution().getAsInt() != side) {
      throw new FileException(
          file,
          "has %s x %s pixels, but the requested resolution is %s"
              .formatted(side, side, options.resolution().getAsInt()));
    }
    return PictureReader.decode(bytes, file);
  }

  private static String colours(int channels) {
    return channels == 1 ? "grey" : "RGB";
  }

  private static String nameOf(Path path) {
    Path last = path.toAbsolutePath().normalize().getFileName();
    String text = last == null ? "root" : last.toString();
    int dot = text.lastIndexOf('.');
    return dot > 0 ? text.substring(0, dot) : text;
  }

  /** Closes the file; no thread may be reading. Closing twice has no effect. */
  @Override
  public void close() {
    source.close();
  }
}
