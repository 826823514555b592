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
 * The pictures of a folder or zip file as training reads them: equal squares, in the order of their
 * names, with the labels of {@code dataset.json} if wanted.
 *
 * <p>Opening reads the list of files, the labels and the first picture; what is wrong with another
 * picture shows when it is read. May be read by several threads at once. {@link #close()} when none
 * does any more.
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
      throw new FileException(path, "holds no pictures");
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
   * @param options which part of it is used
   * @throws FileException when it is missing, holds no pictures, has broken labels, or its first
   *     picture cannot be trained on
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

  /** The folder's or file's name without what follows its last dot, as run folders are named. */
  public String name() {
    return name;
  }

  /** How many items there are, mirrored ones included; at least 1. */
  public int size() {
    return subset.size();
  }

  /** How many pictures there are that may be used, of which some may have been drawn. */
  public int sourceSize() {
    return source.pictures().size();
  }

  /** The pictures' side in pixels. */
  public int resolution() {
    return resolution;
  }

  /** 1 (grey) or 3 (RGB). */
  public int channels() {
    return channels;
  }

  /** The length of every label: the number of classes, or the length of the vectors; 0 without. */
  public int labelDim() {
    return labels.dim();
  }

  /** Whether there are labels, and they are used. */
  public boolean hasLabels() {
    return labelDim() > 0;
  }

  /** Whether there are labels that are not used. */
  public boolean hasUnusedLabels() {
    return !hasLabels() && LabelFile.isIn(source);
  }

  /** What the folder or zip holds that was not taken for a picture of the set. */
  public LeftOut leftOut() {
    return source.leftOut();
  }

  /** Which picture of the source item {@code index} is, in the order of their names. */
  public int rawIndex(int index) {
    return subset.raw(index);
  }

  /** Whether item {@code index} is mirrored left to right. */
  public boolean isMirrored(int index) {
    return subset.isMirrored(index);
  }

  /** What messages call the file behind item {@code index}. */
  public Path file(int index) {
    return source.file(subset.raw(index));
  }

  /**
   * A SHA-256 of the first items' names and of what changes when their files do: sizes, and times
   * of change in a folder, checksums in a zip. No picture is read for it.
   *
   * @param items how many, at most {@link #size()}
   * @return 64 hexadecimal digits
   * @throws FileException when a file is gone
   */
  public String fingerprint(int items) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
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
   * What the set is, wherever its files lie; see {@link DataFingerprint} for what that costs.
   *
   * @throws FileException when a file is gone
   */
  public DataFingerprint contents() {
    return DataFingerprint.of(size(), source, labels);
  }

  /**
   * The picture of item {@code index}: unsigned bytes [C, H, W] in an array of the caller's.
   *
   * @throws FileException when its file is unreadable, damaged, or not as large and colourful as
   *     the first one
   */
  public byte[] image(int index) {
    byte[] image = new byte[channels * resolution * resolution];
    read(index, image);
    return image;
  }

  /** The label of item {@code index}: one-hot for a class; of length 0 without labels. */
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

  /** A raw picture [C, H, W]. */
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
          "has %s x %s pixels, but the set's first picture has %s x %s"
              .formatted(size.width(), size.height(), resolution, resolution));
    }
    Pixels pixels = PictureReader.decode(bytes, file);
    if (pixels.channels() != channels) {
      throw new FileException(
          file,
          "is %s, but the set's first picture is %s"
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
          "has %s x %s pixels: the pictures of a data set must be square, with a side of at most %s"
              .formatted(side, size.height(), LARGEST_SIDE));
    }
    if (options.resolution().isPresent() && options.resolution().getAsInt() != side) {
      throw new FileException(
          file,
          "has %s x %s pixels, but a resolution of %s is asked for"
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

  /** Closes the file; no thread may be reading. Closing twice is allowed. */
  @Override
  public void close() {
    source.close();
  }
}
