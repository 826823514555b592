package org.relaydiffusion.diffusion.data;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;

/** Pictures in a zip archive. */
final class ZipSource implements PictureSource {
  private final ZipContents zip;
  private final Path path;
  private final List<ZipMember> pictures;
  private final @Nullable ZipMember labels;

  private ZipSource(Path path, ZipContents zip) {
    this.path = path;
    this.zip = zip;
    this.pictures =
        zip.members().stream()
            .filter(m -> PictureSource.isPicture(m.name(), zip.nameOf(m)))
            .sorted(Comparator.comparing(ZipMember::name, CodePointOrder.INSTANCE))
            .toList();
    this.labels =
        zip.members().stream().filter(m -> m.name().equals(LABELS)).findFirst().orElse(null);
  }

  static ZipSource open(Path path) {
    if (!path.toString().toLowerCase(Locale.ROOT).endsWith(".zip")) {
      throw new FileException(path, "is neither a folder nor a zip file of pictures");
    }
    ZipContents zip = ZipContents.open(path);
    try {
      return new ZipSource(path, zip);
    } catch (RuntimeException e) {
      zip.close();
      throw e;
    }
  }

  @Override
  public List<String> pictures() {
    return pictures.stream().map(ZipMember::name).toList();
  }

  @Override
  public byte[] read(int index) {
    return zip.read(pictures.get(index), MOST_PICTURE_BYTES);
  }

  @Override
  public String stamp(int index) {
    ZipMember picture = pictures.get(index);
    return picture.size() + " " + Integer.toHexString(picture.crc());
  }

  @Override
  public String content(int index) {
    return stamp(index);
  }

  @Override
  public Path file(int index) {
    return zip.nameOf(pictures.get(index));
  }

  @Override
  public Optional<byte[]> labels() {
    return Optional.ofNullable(labels).map(m -> zip.read(m, MOST_LABEL_BYTES));
  }

  @Override
  public Path labelFile() {
    return path.resolve(LABELS);
  }

  @Override
  public void close() {
    zip.close();
  }
}
