package org.relaydiffusion.diffusion.data;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;

/** The labels of a data set's pictures, in their order. */
sealed interface ItemLabels {
  /** The length of every label; 0 where there are none. */
  int dim();

  /** The label of picture {@code index}: a fresh array. */
  float[] label(int index);

  /** Adds all labels to a sum. */
  void addTo(MessageDigest digest);

  /** No labels. */
  record None() implements ItemLabels {
    @Override
    public int dim() {
      return 0;
    }

    @Override
    public float[] label(int index) {
      return new float[0];
    }

    @Override
    public void addTo(MessageDigest digest) {}
  }

  /**
   * One class a picture.
   *
   * @param classes by picture, 0 to dim - 1
   * @param dim the largest class that occurs, plus 1
   */
  record Classes(long[] classes, int dim) implements ItemLabels {
    @Override
    public float[] label(int index) {
      float[] oneHot = new float[dim];
      oneHot[(int) classes[index]] = 1;
      return oneHot;
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
   * One vector a picture.
   *
   * @param values by picture, one behind the other
   * @param dim the length of each
   */
  record Vectors(float[] values, int dim) implements ItemLabels {
    @Override
    public float[] label(int index) {
      return Arrays.copyOfRange(values, index * dim, (index + 1) * dim);
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
