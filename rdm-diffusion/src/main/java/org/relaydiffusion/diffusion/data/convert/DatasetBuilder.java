package org.relaydiffusion.diffusion.data.convert;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.data.convert.DatasetConversion.EncodedPicture;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * Names the pictures of a data set, holds them against each other, and collects the labels for
 * dataset.json. A picture keeps the number that it has in the source.
 */
final class DatasetBuilder {
  private final ImageSource source;
  private final ByteArrayOutputStream text = new ByteArrayOutputStream();
  private final JsonGenerator labels =
      new JsonFactory().createGenerator(ObjectWriteContext.empty(), text);
  private @Nullable EncodedPicture first;
  private int images;
  private int skipped;
  private int labelled;
  private int classes;

  DatasetBuilder(ImageSource source) {
    this.source = source;
    labels.writeStartObject();
    labels.writeName("labels");
    labels.writeStartArray();
  }

  /**
   * Adds the next picture.
   *
   * @param index in the source
   * @param picture empty when it is left out
   * @throws RdmException when it cannot be part of the data set
   */
  void add(int index, Optional<EncodedPicture> picture, DatasetWriter.Entries out) {
    if (picture.isEmpty()) {
      skipped++;
      return;
    }
    check(index, picture.get());
    // The folder is the first five of eight digits: a thousand pictures in each.
    String number = String.format(Locale.ROOT, "%08d", index);
    String name = "%s/img%s.png".formatted(number.substring(0, 5), number);
    out.add(name, picture.get().png());
    images++;
    OptionalInt label = source.label(index);
    if (label.isPresent()) {
      labels.writeStartArray();
      labels.writeString(name);
      labels.writeNumber(label.getAsInt());
      labels.writeEndArray();
      labelled++;
      classes = Math.max(classes, label.getAsInt() + 1);
    }
  }

  /** Adds dataset.json. */
  void finish(DatasetWriter.Entries out) {
    if (images == 0) {
      throw new RdmException(
          "none of the %s pictures is large enough for the crop: nothing to write"
              .formatted(skipped));
    }
    labels.writeEndArray();
    labels.writeEndObject();
    labels.close();
    out.add(
        LabelFile.NAME,
        hasLabels()
            ? text.toByteArray()
            : JsonMapper.shared().writeValueAsBytes(Collections.singletonMap("labels", null)));
  }

  /** What was written. */
  ConvertedDataset result(Path target) {
    EncodedPicture any = first;
    if (any == null) {
      throw new IllegalStateException("no picture was added");
    }
    return new ConvertedDataset(
        target, images, skipped, any.width(), any.channels(), labelled, hasLabels() ? classes : 0);
  }

  private boolean hasLabels() {
    return labelled == images;
  }

  private void check(int index, EncodedPicture picture) {
    if (first == null) {
      if (picture.width() != picture.height()) {
        throw refused(
            index,
            "but the pictures of a data set are square: give --transform=center-crop and"
                + " --resolution",
            picture);
      }
      if (Integer.bitCount(picture.width()) != 1) {
        throw refused(
            index, "but the side must be a power of two: give --resolution", picture);
      }
      first = picture;
    } else if (picture.width() != first.width()
        || picture.height() != first.height()
        || picture.channels() != first.channels()) {
      throw refused(
          index,
          "but those before are "
              + kind(first)
              + ": the pictures of a data set must be alike; --transform=center-crop with"
              + " --resolution makes them so",
          picture);
    }
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
