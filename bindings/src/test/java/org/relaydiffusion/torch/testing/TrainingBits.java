// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/** PyTorch's bits in {@code training_bits.txt}, which the script beside it makes. */
public final class TrainingBits {
  private TrainingBits() {}

  /** The bits of float32 elements, by name. */
  public static Map<String, int[]> all() {
    InputStream file =
        Objects.requireNonNull(
            DType.class.getResourceAsStream("/org/relaydiffusion/torch/training_bits.txt"));
    Map<String, int[]> all = new LinkedHashMap<>();
    try (BufferedReader reader = new BufferedReader(new InputStreamReader(file, UTF_8))) {
      for (String line : reader.lines().toList()) {
        int end = line.lastIndexOf(' ');
        all.put(
            line.substring(0, end),
            Arrays.stream(line.substring(end + 1).split(","))
                .mapToInt(word -> Integer.parseUnsignedInt(word, 16))
                .toArray());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }

  /** The bits of a float32 tensor. */
  public static int[] of(Tensor tensor) {
    float[] values = tensor.toFloats();
    int[] bits = new int[values.length];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
    return bits;
  }
}
