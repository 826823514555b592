package org.relaydiffusion.diffusion.data.convert;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.image.OtherPictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/** The pictures in a zip, stored or deflated. */
final class ZipSource implements ImageSource {
  private static final long MAX_ENTRY_BYTES = 1L << 30;

  private final Path file;
  private final ZipFile zip;
  private final Map<String, ZipEntry> entries;
  private final NamedPictures pictures;

  private ZipSource(Path file, ZipFile zip) {
    this.file = file;
    this.zip = zip;
    this.entries = new LinkedHashMap<>();
    zip.stream()
        .filter(entry -> !entry.isDirectory())
        .forEach(entry -> entries.put(entry.getName(), entry));
    this.pictures =
        NamedPictures.of(file, entries.keySet(), PictureNames::compareText, this::bytes);
  }

  /**
   * Opens a zip.
   *
   * @throws FileException when it is none, or has no pictures
   */
  @SuppressWarnings("MustBeClosedChecker") // The source owns the zip, and is closed by its caller.
  static ZipSource open(Path file) {
    ZipFile zip = null;
    try {
      zip = InputFile.zip(file);
      ZipSource source = new ZipSource(file, zip);
      zip = null;
      return source;
    } catch (ZipException e) {
      throw new FileException(file, "is no valid zip: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    } finally {
      close(zip);
    }
  }

  private static void close(@Nullable ZipFile zip) {
    if (zip != null) {
      try {
        zip.close();
      } catch (IOException e) {
        throw new RdmException(zip.getName() + ": cannot be closed: " + AtomicFile.reason(e), e);
      }
    }
  }

  private byte[] bytes(String name) {
    ZipEntry entry = entries.get(name);
    Path shown = PictureNames.inside(file, name);
    if (entry == null) {
      throw new FileException(shown, "is not in the zip");
    }
    if (entry.getSize() < 0 || entry.getSize() > MAX_ENTRY_BYTES) {
      throw new FileException(
          shown,
          "claims %s bytes, at most %s are read".formatted(entry.getSize(), MAX_ENTRY_BYTES));
    }
    try (InputStream in = zip.getInputStream(entry)) {
      byte[] bytes = in.readNBytes((int) entry.getSize() + 1);
      CRC32 crc = new CRC32();
      crc.update(bytes);
      if (bytes.length != entry.getSize() || crc.getValue() != entry.getCrc()) {
        throw new FileException(
            shown,
            "is damaged: expected %s bytes with CRC %08x, found %s with %08x"
                .formatted(entry.getSize(), entry.getCrc(), bytes.length, crc.getValue()));
      }
      return bytes;
    } catch (IOException e) {
      throw new FileException(shown, "is damaged: " + AtomicFile.reason(e), e);
    }
  }

  @Override
  public int size() {
    return pictures.size();
  }

  @Override
  public Pixels read(int index) {
    String name = pictures.name(index);
    return OtherPictureReader.decode(bytes(name), PictureNames.inside(file, name));
  }

  @Override
  public OptionalInt label(int index) {
    return pictures.label(index);
  }

  @Override
  public String name(int index) {
    return PictureNames.inside(file, pictures.name(index)).toString();
  }

  @Override
  public void close() {
    close(zip);
  }
}
