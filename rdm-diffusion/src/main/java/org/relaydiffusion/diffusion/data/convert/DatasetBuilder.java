// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.data.BadPicture;
import org.relaydiffusion.diffusion.data.ItemLabels;
import org.relaydiffusion.diffusion.data.PictureSource;
import org.relaydiffusion.diffusion.data.convert.DatasetConversion.EncodedPicture;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * Assigns the names of the images of a data set, compares them with each other, and collects the
 * labels for dataset.json. An image keeps its number in the source.
 */
final class DatasetBuilder {
  private final ImageSource source;
  private final ItemLabels given;
  private final ByteArrayOutputStream text = new ByteArrayOutputStream();
  private final JsonGenerator labels =
      new JsonFactory().createGenerator(ObjectWriteContext.empty(), text);
  private @Nullable EncodedPicture first;
  private int images;
  private int skipped;
  private int bad;
  private int labelled;
  private int classes;

  DatasetBuilder(ImageSource source) {
    this.source = source;
    this.given = source.labels();
    labels.writeStartObject();
    labels.writeName("labels");
    labels.writeStartArray();
  }

  /**
   * Adds the next image.
   *
   * @param index in the source
   * @return the reason if it was not added because it differs from those before
   * @throws RdmException if it is the first, and no data set could contain such images
   */
  Optional<BadPicture> add(int index, EncodedPicture picture, DatasetWriter.Entries out) {
    Optional<BadPicture> unlike = check(index, picture);
    if (unlike.isPresent()) {
      return unlike;
    }
    // The folder is the first five of eight digits: a thousand images in each.
    String number = String.format(Locale.ROOT, "%08d", index);
    String name = "%s/img%s.png".formatted(number.substring(0, 5), number);
    out.add(name, picture.png());
    images++;
    if (given.has(index)) {
      labels.writeStartArray();
      labels.writeString(name);
      given.write(index, labels);
      labels.writeEndArray();
      labelled++;
      classes = Math.max(classes, given.classOf(index).orElse(given.dim() - 1) + 1);
    }
    return Optional.empty();
  }

  /** Counts an image that is too small for the crop. */
  void skip() {
    skipped++;
  }

  /** Counts an image that cannot be used. */
  void countBad() {
    bad++;
  }

  int bad() {
    return bad;
  }

  /** Adds dataset.json. */
  void finish(DatasetWriter.Entries out) {
    if (images == 0) {
      throw new RdmException(
          bad == 0
              ? "none of the %s images is large enough for the crop".formatted(skipped)
              : "none of the %s images can be used".formatted(skipped + bad));
    }
    labels.writeEndArray();
    labels.writeEndObject();
    labels.close();
    out.add(
        PictureSource.LABELS,
        hasLabels()
            ? text.toByteArray()
            : JsonMapper.shared().writeValueAsBytes(Collections.singletonMap("labels", null)));
  }

  /** Returns the result. */
  ConvertedDataset result(Path target) {
    EncodedPicture any = first;
    return new ConvertedDataset(
        target,
        images,
        skipped,
        bad,
        source.leftOut(),
        any == null ? 0 : any.width(),
        any == null ? 0 : any.channels(),
        labelled,
        hasLabels() ? classes : 0);
  }

  private boolean hasLabels() {
    return labelled == images;
  }

  private Optional<BadPicture> check(int index, EncodedPicture picture) {
    if (first == null) {
      if (picture.width() != picture.height()) {
        throw refused(
            index,
            "but images of a data set must be square: use --transform=center-crop and"
                + " --resolution",
            picture);
      }
      if (Integer.bitCount(picture.width()) != 1) {
        throw refused(index, "but the side must be a power of two: use --resolution", picture);
      }
      first = picture;
    } else if (picture.width() != first.width()
        || picture.height() != first.height()
        || picture.channels() != first.channels()) {
      String name = source.name(index);
      String what =
          ("is %s, but those before are %s: the images of a data set must have the same size and"
                  + " colours;"
                  + " use --transform=center-crop with --resolution")
              .formatted(kind(picture), kind(first));
      return BadPicture.of(name, Path.of(name), new FileException(Path.of(name), what));
    }
    return Optional.empty();
  }

  private RdmException refused(int index, String what, EncodedPicture picture) {
    return new RdmException(
        "%s: is %s, %s".formatted(Printable.of(Path.of(source.name(index))), kind(picture), what));
  }

  private static String kind(EncodedPicture picture) {
    return "%s x %s %s"
        .formatted(picture.width(), picture.height(), picture.channels() == 1 ? "grey" : "RGB");
  }
}
