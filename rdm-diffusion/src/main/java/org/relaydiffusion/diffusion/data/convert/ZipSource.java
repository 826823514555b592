package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.data.ZipContents;
import org.relaydiffusion.diffusion.data.ZipMember;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.diffusion.image.Pixels;

/** The pictures in a zip, stored or deflated. */
final class ZipSource implements ImageSource {
  private final ZipContents zip;
  private final Map<String, ZipMember> members = new LinkedHashMap<>();
  private final NamedPictures pictures;

  private ZipSource(Path file, ZipContents zip) {
    this.zip = zip;
    zip.members().forEach(member -> members.put(member.name(), member));
    this.pictures =
        NamedPictures.of(
            file,
            members.keySet(),
            PictureNames::compareText,
            name -> zip.read(member(name), LabelFile.MOST_BYTES));
  }

  /**
   * Opens a zip.
   *
   * @throws FileException when it is none, or has no pictures
   */
  @SuppressWarnings("MustBeClosedChecker") // The source owns the zip, and is closed by its caller.
  static ZipSource open(Path file) {
    ZipContents zip = ZipContents.open(file);
    try {
      return new ZipSource(file, zip);
    } catch (RuntimeException e) {
      zip.close();
      throw e;
    }
  }

  private ZipMember member(String name) {
    ZipMember member = members.get(name);
    if (member == null) {
      throw new IllegalStateException("no member '%s'".formatted(name));
    }
    return member;
  }

  @Override
  public int size() {
    return pictures.size();
  }

  @Override
  public Pixels read(int index) {
    ZipMember member = member(pictures.name(index));
    return PictureReader.decode(
        zip.read(member, PictureBudget.MOST_BYTES), zip.nameOf(member));
  }

  @Override
  public OptionalInt label(int index) {
    return pictures.label(index);
  }

  @Override
  public String name(int index) {
    return zip.nameOf(member(pictures.name(index))).toString();
  }

  @Override
  public void close() {
    zip.close();
  }
}
