// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.BitSet;
import java.util.OptionalInt;
import tools.jackson.core.JsonGenerator;

/** The labels of the images of a data set, in their order. An image may have no label. */
public sealed interface ItemLabels {
  /**
   * Returns the length of every label: the largest class plus 1, or that of a vector; 0 for none.
   */
  int dim();

  /** Returns whether image {@code index} has a label. */
  boolean has(int index);

  /**
   * Returns the label of image {@code index}, which must have one, in a new array; one-hot for a
   * class.
   */
  float[] label(int index);

  /** Returns the class of image {@code index}; empty if it has none, or a vector. */
  OptionalInt classOf(int index);

  /** Writes the label of image {@code index}, which must have one, as in {@code dataset.json}. */
  void write(int index, JsonGenerator out);

  /** Adds all labels to a digest. */
  void addTo(MessageDigest digest);

  /** No labels. */
  record None() implements ItemLabels {
    @Override
    public int dim() {
      return 0;
    }

    @Override
    public boolean has(int index) {
      return false;
    }

    @Override
    public float[] label(int index) {
      return new float[0];
    }

    @Override
    public OptionalInt classOf(int index) {
      return OptionalInt.empty();
    }

    @Override
    public void write(int index, JsonGenerator out) {
      throw new IllegalStateException("there are no labels");
    }

    @Override
    public void addTo(MessageDigest digest) {}
  }

  /**
   * One class per image.
   *
   * @param classes by image, 0 to dim - 1; -1 if it has none
   * @param dim the largest class that occurs, plus 1
   */
  record Classes(long[] classes, int dim) implements ItemLabels {
    /** Creates labels, determining the largest class. */
    public static Classes of(long[] classes) {
      return new Classes(classes, (int) Arrays.stream(classes).max().orElse(-1) + 1);
    }

    @Override
    public boolean has(int index) {
      return classes[index] >= 0;
    }

    @Override
    public float[] label(int index) {
      float[] oneHot = new float[dim];
      oneHot[(int) classes[index]] = 1;
      return oneHot;
    }

    @Override
    public OptionalInt classOf(int index) {
      return has(index) ? OptionalInt.of((int) classes[index]) : OptionalInt.empty();
    }

    @Override
    public void write(int index, JsonGenerator out) {
      out.writeNumber(classes[index]);
    }

    @Override
    public void addTo(MessageDigest digest) {
      ByteBuffer number = ByteBuffer.allocate(Long.BYTES);
      for (long label : classes) {
        digest.update(number.putLong(0, label).array());
      }
    }
  }

  /**
   * One vector per image.
   *
   * @param values by image, concatenated
   * @param dim the length of each
   * @param labelled the images that have one
   */
  record Vectors(float[] values, int dim, BitSet labelled) implements ItemLabels {
    @Override
    public boolean has(int index) {
      return labelled.get(index);
    }

    @Override
    public float[] label(int index) {
      return Arrays.copyOfRange(values, index * dim, (index + 1) * dim);
    }

    @Override
    public OptionalInt classOf(int index) {
      return OptionalInt.empty();
    }

    @Override
    public void write(int index, JsonGenerator out) {
      out.writeStartArray();
      for (float value : label(index)) {
        out.writeNumber(value);
      }
      out.writeEndArray();
    }

    @Override
    public void addTo(MessageDigest digest) {
      ByteBuffer number = ByteBuffer.allocate(Float.BYTES);
      for (float value : values) {
        digest.update(number.putFloat(0, value).array());
      }
    }
  }
}
