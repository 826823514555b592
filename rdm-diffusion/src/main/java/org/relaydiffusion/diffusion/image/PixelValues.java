// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Converts a network's values (-1 is black, 1 is white) to 8-bit pixels: {@code clip(127.5 x + 128,
 * 0, 255)} truncated, in the precision of the input, as in the reference. NaN becomes 0.
 */
public final class PixelValues {
  private static final double WHITE = 127.5;
  private static final double MIDDLE = 128;
  private static final double MAX = 255;
  private static final long MAX_BYTES = 1 << 30;

  private PixelValues() {}

  /** Converts one float64 value. */
  public static byte toByte(double value) {
    return (byte) (int) Math.clamp(value * 127.5 + 128, 0.0, 255.0);
  }

  /** Converts one float32 value. */
  public static byte toByte(float value) {
    return (byte) (int) Math.clamp(value * 127.5f + 128, 0.0f, 255.0f);
  }

  /**
   * Converts one image of a float64 batch [N, C, H, W].
   *
   * @param batch the values of the batch; not modified
   * @param index of the image, from 0
   * @param channels C: 1 or 3
   * @param height H
   * @param width W
   */
  public static Pixels picture(double[] batch, int index, int channels, int height, int width) {
    Pixels pixels = Pixels.black(width, height, channels);
    int plane = width * height;
    int start = start(batch.length, index, plane * channels);
    byte[] data = pixels.data();
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < plane; i++) {
        data[i * channels + c] = toByte(batch[start + c * plane + i]);
      }
    }
    return pixels;
  }

  /** Converts one image of a float32 batch, as {@link #picture(double[], int, int, int, int)}. */
  public static Pixels picture(float[] batch, int index, int channels, int height, int width) {
    Pixels pixels = Pixels.black(width, height, channels);
    int plane = width * height;
    int start = start(batch.length, index, plane * channels);
    byte[] data = pixels.data();
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < plane; i++) {
        data[i * channels + c] = toByte(batch[start + c * plane + i]);
      }
    }
    return pixels;
  }

  /**
   * Converts a batch where it is, and copies it from there at once.
   *
   * @param batch float64 or float32 [N, C, H, W], C being 1 or 3; not modified
   * @return N images, as {@link #picture(double[], int, int, int, int)} and {@link
   *     #picture(float[], int, int, int, int)} have them
   */
  public static List<Pixels> pictures(Tensor batch) {
    long n = batch.size(0);
    long size = batch.size(1) * batch.size(2) * batch.size(3);
    // As many at a time as an array can have.
    long atOnce = Math.max(1, MAX_BYTES / Math.max(1, size));
    List<Pixels> pictures = new ArrayList<>();
    for (long at = 0; at < n; at += atOnce) {
      try (TensorScope _ = TensorScope.open()) {
        Tensor images = Shapes.narrow(batch, 0, at, Math.min(atOnce, n - at));
        Tensor values = images.mul(WHITE).add(MIDDLE);
        Tensor numbers = Pointwise.nanToNumInPlace(values, 0, MAX, 0);
        Tensor bytes = Pointwise.clamp(numbers, 0, MAX).to(DType.UINT8);
        pictures.addAll(pixels(Shapes.permute(bytes, 0, 2, 3, 1).contiguous()));
      }
    }
    return pictures;
  }

  /** Separates images [n, H, W, C]. */
  private static List<Pixels> pixels(Tensor bytes) {
    int height = Math.toIntExact(bytes.size(1));
    int width = Math.toIntExact(bytes.size(2));
    int channels = Math.toIntExact(bytes.size(3));
    int size = height * width * channels;
    byte[] all = bytes.toBytes();
    List<Pixels> pictures = new ArrayList<>();
    for (int i = 0; i < bytes.size(0); i++) {
      byte[] data = Arrays.copyOfRange(all, i * size, (i + 1) * size);
      pictures.add(new Pixels(width, height, channels, data));
    }
    return pictures;
  }

  private static int start(int length, int index, int size) {
    long start = (long) index * size;
    Objects.checkFromIndexSize(start, size, length);
    return (int) start;
  }
}
