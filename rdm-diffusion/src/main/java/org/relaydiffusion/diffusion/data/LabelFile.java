package org.relaydiffusion.diffusion.data;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
 * Reads {@code dataset.json}: {@code {"labels": [[name, class], ...]}}, or a vector of numbers in
 * the place of each class; null in the place of the list says that there are no labels. It is read
 * as a stream, as it may name millions of pictures.
 */
final class LabelFile {
  /** More classes make labels that fill the memory. */
  static final int MOST_CLASSES = 1 << 16;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(100).build())
          .build();

  private final Path file;
  private final Map<String, Integer> places = new HashMap<>();
  private final List<String> pictures;
  private final boolean[] labelled;
  private final long[] classes;
  private float @Nullable [] vectors;
  private int vectorDim = -1;
  private boolean hasClasses;

  private LabelFile(Path file, List<String> pictures) {
    this.file = file;
    this.pictures = pictures;
    this.labelled = new boolean[pictures.size()];
    this.classes = new long[pictures.size()];
    for (int i = 0; i < pictures.size(); i++) {
      places.put(pictures.get(i), i);
    }
  }

  /**
   * The labels of pictures.
   *
   * @param bytes the file's content
   * @param file its name, for messages
   * @param pictures the pictures' names; labels of others are ignored
   * @throws FileException when it is no such JSON, or has no label, or more than one, for a picture
   */
  static ItemLabels read(byte[] bytes, Path file, List<String> pictures) {
    try (JsonParser in = JSON.createParser(ObjectReadContext.empty(), bytes)) {
      return new LabelFile(file, pictures).read(in);
    } catch (JacksonException e) {
      TokenStreamLocation where = e.getLocation();
      String line = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
      throw new FileException(
          file,
          "is no valid JSON%s: %s"
              .formatted(where == null ? "" : " at line " + where.getLineNr(), Printable.of(line)),
          e);
    }
  }

  private ItemLabels read(JsonParser in) {
    expect(in.nextToken(), JsonToken.START_OBJECT, "an object with a list of labels");
    boolean found = false;
    while (in.nextToken() == JsonToken.PROPERTY_NAME) {
      boolean isLabels = in.currentName().equals("labels");
      JsonToken value = in.nextToken();
      if (isLabels && value != JsonToken.VALUE_NULL) {
        found = true;
        readList(in);
      } else {
        in.skipChildren();
      }
    }
    if (in.nextToken() != null) {
      throw bad("goes on after its end");
    }
    return found ? labels() : new ItemLabels.None();
  }

  private void readList(JsonParser in) {
    expect(in.currentToken(), JsonToken.START_ARRAY, "a list of labels");
    while (in.nextToken() != JsonToken.END_ARRAY) {
      expect(in.currentToken(), JsonToken.START_ARRAY, "a pair of a name and a label");
      expect(in.nextToken(), JsonToken.VALUE_STRING, "a picture's name");
      String name = in.getString();
      Integer place = places.get(name);
      JsonToken value = in.nextToken();
      if (place == null) {
        in.skipChildren();
      } else {
        readLabel(in, value, name, place);
      }
      expect(in.nextToken(), JsonToken.END_ARRAY, "the end of the label of " + quoted(name));
    }
  }

  private void readLabel(JsonParser in, @Nullable JsonToken value, String name, int place) {
    if (labelled[place]) {
      throw bad("has two labels for " + quoted(name));
    }
    labelled[place] = true;
    if (value == JsonToken.START_ARRAY) {
      readVector(in, name, place);
    } else {
      hasClasses = true;
      classes[place] = readClass(in, value, name);
    }
    if (hasClasses && vectorDim >= 0) {
      throw bad("has classes and vectors as labels: the first other is of " + quoted(name));
    }
  }

  private long readClass(JsonParser in, @Nullable JsonToken value, String name) {
    boolean whole =
        value == JsonToken.VALUE_NUMBER_INT
            || (value == JsonToken.VALUE_NUMBER_FLOAT
                && in.getDoubleValue() == Math.rint(in.getDoubleValue()));
    // As a double first: a number of more than 64 bits is no class either.
    if (!whole || in.getDoubleValue() < 0 || in.getDoubleValue() >= MOST_CLASSES) {
      throw bad(
          "has a label of %s that is neither a class from 0 to %s nor a list of numbers: %s"
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
            "has a label of %s with an element that is no number: %s"
                .formatted(quoted(name), Printable.of(in.getString())));
      }
      if (count == MOST_CLASSES) {
        throw bad("has a label of %s with more than %s numbers".formatted(quoted(name), count));
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
            "has a label of %s numbers for %s and %s pictures"
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
    for (int i = 0; i < labelled.length; i++) {
      if (!labelled[i]) {
        throw bad("has no label for " + quoted(pictures.get(i)));
      }
    }
    float[] all = vectors;
    if (all != null) {
      return new ItemLabels.Vectors(all, vectorDim);
    }
    long last = 0;
    for (long c : classes) {
      last = Math.max(last, c);
    }
    return new ItemLabels.Classes(classes, (int) last + 1);
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
