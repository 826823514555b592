// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.data.PictureSource;

/** Opens the files of image sources; {@link SyntheticShapes} needs none. */
public final class ImageSources {
  private static final String LMDB = "data.mdb";

  private ImageSources() {}

  /**
   * Opens a source according to its kind: a folder of images, a folder with the data.mdb of an LMDB
   * (or that file itself), a .zip, CIFAR-10's cifar-10-python.tar.gz, or MNIST's
   * train-images-idx3-ubyte.gz with its labels beside it.
   *
   * @param source a folder or file
   * @param maxImages maximum number of images that will be read; all if empty
   * @param split the part of CIFAR-10; the training images if empty
   * @return the source, which the caller closes
   * @throws FileException if it is missing, damaged, empty, or none of these
   * @throws OptionException if the source has no such split
   */
  public static ImageSource open(Path source, OptionalInt maxImages, Optional<Split> split) {
    String name = String.valueOf(source.getFileName()).toLowerCase(Locale.ROOT);
    boolean isCifar =
        name.startsWith("cifar-10-python") && (name.endsWith(".gz") || name.endsWith(".tgz"));
    if (split.isPresent() && !isCifar) {
      throw new OptionException(
          "--split is only valid for CIFAR-10's archive: %s has no splits"
              .formatted(Printable.of(source)));
    }
    int most = maxImages.orElse(Integer.MAX_VALUE);
    if (!Files.exists(source)) {
      throw new FileException(source, "no such file or folder");
    }
    if (Files.isDirectory(source)) {
      Path database = source.resolve(LMDB);
      return Files.isRegularFile(database)
          ? LmdbSource.open(database, most)
          : FileImages.open(source, PictureSource.Order.PATHS);
    }
    if (name.endsWith(".zip")) {
      return FileImages.open(source, PictureSource.Order.NAMES);
    }
    if (name.endsWith(".mdb")) {
      return LmdbSource.open(source, most);
    }
    if (isCifar) {
      return Cifar10Source.open(source, split.orElse(Split.TRAIN));
    }
    if (name.endsWith(MnistSource.IMAGES)) {
      return MnistSource.open(source);
    }
    throw new FileException(
        source,
        "is not a supported source: expected a folder, a .zip, an LMDB, cifar-10-python.tar.gz"
            + " or train-images-idx3-ubyte.gz");
  }
}
