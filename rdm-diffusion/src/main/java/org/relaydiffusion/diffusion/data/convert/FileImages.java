// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.data.LabelFile;
import org.relaydiffusion.diffusion.data.LeftOut;
import org.relaydiffusion.diffusion.data.PictureSource;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * The images of a folder or zip. Their labels are those of dataset.json if there is one, otherwise
 * the indices of the top-level folders, if there are several.
 */
final class FileImages implements ImageSource {
  private final PictureSource files;
  private final ItemLabels labels;

  private FileImages(PictureSource files) {
    this.files = files;
    List<String> names = files.pictures();
    if (names.isEmpty()) {
      String leftOut = files.leftOut().text();
      throw new FileException(
          files.path(),
          "has no images among its %s files%s"
              .formatted(files.files(), leftOut.isEmpty() ? "" : " (" + leftOut + ")"));
    }
    this.labels = LabelFile.of(files).orElseGet(() -> byTopFolder(names));
  }

  /**
   * Opens a folder or zip.
   *
   * @throws FileException if it cannot be read, has no images, or its labels are invalid
   */
  static FileImages open(Path path, PictureSource.Order order) {
    PictureSource files = PictureSource.open(path, order);
    try {
      return new FileImages(files);
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private static ItemLabels byTopFolder(List<String> names) {
    TreeSet<String> folders = new TreeSet<>(PictureSource.Order.NAMES.comparator());
    names.forEach(name -> folders.add(topFolder(name)));
    if (folders.size() < 2) {
      return new ItemLabels.None();
    }
    List<String> order = List.copyOf(folders);
    long[] classes = new long[names.size()];
    Arrays.setAll(
        classes,
        i -> {
          String folder = topFolder(names.get(i));
          return Collections.binarySearch(order, folder, PictureSource.Order.NAMES.comparator());
        });
    return ItemLabels.Classes.of(classes);
  }

  /** Returns the first folder of a name, or "" for a file at the top level. */
  private static String topFolder(String name) {
    int slash = name.indexOf('/');
    return slash < 0 ? "" : name.substring(0, slash);
  }

  @Override
  public int size() {
    return files.pictures().size();
  }

  @Override
  public Pixels read(int index) {
    return PictureReader.decode(files.read(index), files.file(index));
  }

  @Override
  public ItemLabels labels() {
    return labels;
  }

  @Override
  public LeftOut leftOut() {
    return files.leftOut();
  }

  @Override
  public String name(int index) {
    return files.file(index).toString();
  }

  @Override
  public void close() {
    files.close();
  }
}
