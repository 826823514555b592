// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import java.util.Objects;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.io.MappedFile;

/** An LMDB whose values are encoded images, as in LSUN; without labels. */
final class LmdbSource implements ImageSource {
  private final MappedFile map;
  private final LmdbValues values;

  private LmdbSource(MappedFile map, LmdbValues values) {
    this.map = map;
    this.values = values;
  }

  /**
   * Opens a database and finds its values.
   *
   * @param file data.mdb
   * @param most maximum number of values to find
   * @throws FileException if it is damaged, empty or of an unsupported kind
   */
  static LmdbSource open(Path file, int most) {
    MappedFile map = MappedFile.open(file);
    try {
      LmdbValues values = map.reading(() -> LmdbValues.of(LmdbFile.of(map), most));
      if (values.size() == 0) {
        throw new FileException(file, "has no images: the database is empty");
      }
      return new LmdbSource(map, values);
    } catch (RdmException e) {
      map.close();
      throw e;
    }
  }

  @Override
  public int size() {
    return values.size();
  }

  @Override
  public Pixels read(int index) {
    byte[] bytes =
        map.bytes(values.offset(index), values.length(index), "entry %s".formatted(index));
    return PictureReader.decode(bytes, Path.of(name(index)));
  }

  @Override
  public ItemLabels labels() {
    return new ItemLabels.None();
  }

  @Override
  public String name(int index) {
    return "%s entry %s".formatted(map.path(), Objects.checkIndex(index, size()));
  }

  @Override
  public void close() {
    map.close();
  }
}
