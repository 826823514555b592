// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads {@code dataset.json}: {@code {"labels": [[name, class], ...]}}, or with a vector of numbers
 * in place of each class; null or an empty list means no labels. A name may begin with {@code ./}
 * and contain backslashes. The file is read as a stream, because it may list millions of images.
 */
public final class LabelFile {
  /** The maximum number of classes; more would fill the memory with labels. */
  static final int MOST_CLASSES = 1 << 16;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(100).build())
          .build();

  private final Path file;
  private final Map<String, Integer> places = new HashMap<>();
  private final List<String> pictures;
  private final BitSet labelled = new BitSet();
  private final long[] classes;
  private float @Nullable [] vectors;
  private int vectorDim = -1;
  private boolean hasClasses;
  private @Nullable String firstName;
  private int found;

  private LabelFile(Path file, List<String> pictures) {
    this.file = file;
    this.pictures = pictures;
    this.classes = new long[pictures.size()];
    Arrays.fill(classes, -1);
    for (int i = 0; i < pictures.size(); i++) {
      places.put(pictures.get(i), i);
    }
  }

  /**
   * Returns the labels of the images of a source, some of which may have none.
   *
   * @return empty if the source has no such file
   * @throws FileException if it is not valid JSON of this form, has more than one label for an
   *     image, or has labels of which none is of an image of the source
   */
  public static Optional<ItemLabels> of(PictureSource source) {
    return source.labels().map(bytes -> read(bytes, source.labelFile(), source.pictures()));
  }

  /**
   * Reads as {@link #of}, and requires a label for every image if there are any.
   *
   * @throws FileException also if an image has none
   */
  static ItemLabels ofAll(PictureSource source) {
    ItemLabels labels = of(source).orElseGet(ItemLabels.None::new);
    for (int i = 0; labels.dim() > 0 && i < source.pictures().size(); i++) {
      if (!labels.has(i)) {
        throw new FileException(
            source.labelFile(), "has no label for " + quoted(source.pictures().get(i)));
      }
    }
    return labels;
  }

  /** Returns whether a source has any labels, without validating them. */
  static boolean isIn(PictureSource source) {
    try {
      return source.labels().filter(LabelFile::hasLabels).isPresent();
    } catch (FileException e) {
      return false;
    }
  }

  private static boolean hasLabels(byte[] bytes) {
    try (JsonParser in = JSON.createParser(ObjectReadContext.empty(), bytes)) {
      in.nextToken();
      while (in.nextToken() == JsonToken.PROPERTY_NAME) {
        boolean isLabels = in.currentName().equals("labels");
        if (in.nextToken() == JsonToken.START_ARRAY && isLabels) {
          return in.nextToken() == JsonToken.START_ARRAY;
        }
        in.skipChildren();
      }
      return false;
    } catch (JacksonException e) {
      return false;
    }
  }

  static ItemLabels read(byte[] bytes, Path file, List<String> pictures) {
    try (JsonParser in = JSON.createParser(ObjectReadContext.empty(), bytes)) {
      return new LabelFile(file, pictures).read(in);
    } catch (JacksonException e) {
      TokenStreamLocation where = e.getLocation();
      String line = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
      throw new FileException(
          file,
          "is not valid JSON%s: %s"
              .formatted(where == null ? "" : " at line " + where.getLineNr(), Printable.of(line)),
          e);
    }
  }

  private ItemLabels read(JsonParser in) {
    expect(in.nextToken(), JsonToken.START_OBJECT, "an object with a list of labels");
    while (in.nextToken() == JsonToken.PROPERTY_NAME) {
      boolean isLabels = in.currentName().equals("labels");
      JsonToken value = in.nextToken();
      if (isLabels && value != JsonToken.VALUE_NULL) {
        readList(in);
      } else {
        in.skipChildren();
      }
    }
    if (in.nextToken() != null) {
      throw bad("has data after its end");
    }
    return labels();
  }

  private void readList(JsonParser in) {
    expect(in.currentToken(), JsonToken.START_ARRAY, "a list of labels");
    while (in.nextToken() != JsonToken.END_ARRAY) {
      expect(in.currentToken(), JsonToken.START_ARRAY, "a pair of a name and a label");
      expect(in.nextToken(), JsonToken.VALUE_STRING, "the name of an image");
      String name = in.getString();
      firstName = firstName == null ? name : firstName;
      found++;
      Integer place = place(name);
      JsonToken value = in.nextToken();
      if (place == null) {
        in.skipChildren();
      } else {
        readLabel(in, value, name, place);
      }
      expect(in.nextToken(), JsonToken.END_ARRAY, "the end of the label of " + quoted(name));
    }
  }

  /** Returns the image of a name: some programs write {@code ./} or backslashes. */
  private @Nullable Integer place(String name) {
    Integer place = places.get(name);
    if (place != null) {
      return place;
    }
    String plain = name.replace('\\', '/');
    while (plain.startsWith("./")) {
      plain = plain.substring(2);
    }
    return places.get(plain);
  }

  private void readLabel(JsonParser in, @Nullable JsonToken value, String name, int place) {
    if (labelled.get(place)) {
      throw bad("has two labels for " + quoted(name));
    }
    labelled.set(place);
    if (value == JsonToken.START_ARRAY) {
      readVector(in, name, place);
    } else {
      hasClasses = true;
      classes[place] = readClass(in, value, name);
    }
    if (hasClasses && vectorDim >= 0) {
      throw bad("mixes classes and vectors as labels, first at " + quoted(name));
    }
  }

  private long readClass(JsonParser in, @Nullable JsonToken value, String name) {
    boolean whole =
        value == JsonToken.VALUE_NUMBER_INT
            || (value == JsonToken.VALUE_NUMBER_FLOAT
                && in.getDoubleValue() == Math.rint(in.getDoubleValue()));
    // Parsed as a double first: an integer of more than 64 bits is not a class either.
    if (!whole || in.getDoubleValue() < 0 || in.getDoubleValue() >= MOST_CLASSES) {
      throw bad(
          "has a label for %s that is neither a class from 0 to %s nor a list of numbers: %s"
              .formatted(quoted(name), MOST_CLASSES - 1, Printable.of(in.getString())));
    }
    return (long) in.getDoubleValue();
  }

  private void readVector(JsonParser in, String name, int place) {
    float[] vector = new float[Math.max(vectorDim, 16)];
    int count = 0;
    while (in.nextToken() != JsonToken.END_ARRAY) {
      if (!in.currentToken().isNumeric() || !Float.isFinite((float) in.getDoubleValue())) {
        throw bad(
            "has a label for %s with an element that is not a number: %s"
                .formatted(quoted(name), Printable.of(in.getString())));
      }
      if (count == MOST_CLASSES) {
        throw bad("has a label for %s with more than %s numbers".formatted(quoted(name), count));
      }
      if (count == vector.length) {
        vector = Arrays.copyOf(vector, 2 * count);
      }
      vector[count++] = (float) in.getDoubleValue();
    }
    float[] all = vectors;
    if (all == null) {
      if (count == 0 || (long) count * pictures.size() > Integer.MAX_VALUE - 8) {
        throw bad(
            "has a label of %s numbers for %s and %s images"
                .formatted(count, quoted(name), pictures.size()));
      }
      vectorDim = count;
      all = new float[count * pictures.size()];
      vectors = all;
    }
    if (count != vectorDim) {
      throw bad(
          "has labels of %s numbers, but %s has %s".formatted(vectorDim, quoted(name), count));
    }
    System.arraycopy(vector, 0, all, place * vectorDim, count);
  }

  private ItemLabels labels() {
    if (labelled.isEmpty() && firstName != null) {
      throw bad(
          "has %s, but none refers to an existing image; the first is for %s"
              .formatted(found == 1 ? "1 label" : found + " labels", quoted(firstName)));
    }
    float[] all = vectors;
    return labelled.isEmpty()
        ? new ItemLabels.None()
        : all == null
            ? ItemLabels.Classes.of(classes)
            : new ItemLabels.Vectors(all, vectorDim, labelled);
  }

  private void expect(@Nullable JsonToken found, JsonToken wanted, String what) {
    if (found != wanted) {
      throw bad(
          "is not {\"labels\": [[name, label], ...]}: expected %s, found %s"
              .formatted(what, found == null ? "the end" : found.asString()));
    }
  }

  private static String quoted(String name) {
    return "'" + Printable.of(name) + "'";
  }

  private FileException bad(String what) {
    return new FileException(file, what);
  }
}
