// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The names of the network's layers in files of torchvision's family (pytorch-fid, torch-fidelity).
 * Each layer has five tensors there, because the batch normalization has a scale.
 */
final class TorchvisionNames {
  private static final String LAYERS = "layers.";
  private static final String OUTPUT = "output.";

  /** The published names of convolutions, without "layers.", and the corresponding names. */
  private static final Map<String, String> CONVOLUTIONS = convolutions();

  private TorchvisionNames() {}

  private static Map<String, String> convolutions() {
    Map<String, String> names = new LinkedHashMap<>();
    names.put("conv", "Conv2d_1a_3x3");
    names.put("conv_1", "Conv2d_2a_3x3");
    names.put("conv_2", "Conv2d_2b_3x3");
    names.put("conv_3", "Conv2d_3b_1x1");
    names.put("conv_4", "Conv2d_4a_3x3");
    Map<String, String> a = new LinkedHashMap<>();
    a.put("conv", "branch1x1");
    tower(a, "tower", "branch5x5", 2);
    tower(a, "tower_1", "branch3x3dbl", 3);
    a.put("tower_2.conv", "branch_pool");
    Map<String, String> b = new LinkedHashMap<>();
    b.put("conv", "branch3x3");
    tower(b, "tower", "branch3x3dbl", 3);
    Map<String, String> c = new LinkedHashMap<>();
    c.put("conv", "branch1x1");
    tower(c, "tower", "branch7x7", 3);
    tower(c, "tower_1", "branch7x7dbl", 5);
    c.put("tower_2.conv", "branch_pool");
    Map<String, String> d = new LinkedHashMap<>();
    tower(d, "tower", "branch3x3", 2);
    tower(d, "tower_1", "branch7x7x3", 4);
    Map<String, String> e = new LinkedHashMap<>();
    e.put("conv", "branch1x1");
    e.put("tower_conv", "branch3x3_1");
    e.put("tower_mixed_conv", "branch3x3_2a");
    e.put("tower_mixed_conv_1", "branch3x3_2b");
    e.put("tower_1_conv", "branch3x3dbl_1");
    e.put("tower_1_conv_1", "branch3x3dbl_2");
    e.put("tower_1_mixed_conv", "branch3x3dbl_3a");
    e.put("tower_1_mixed_conv_1", "branch3x3dbl_3b");
    e.put("tower_2_conv", "branch_pool");
    List<Map<String, String>> kinds = List.of(a, a, a, b, c, c, c, c, d, e, e);
    List<String> blocks = List.of("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c");
    for (int i = 0; i < blocks.size(); i++) {
      String ours = Tower.numbered("mixed", i);
      String theirs = "Mixed_" + blocks.get(i);
      kinds.get(i).forEach((name, their) -> names.put(ours + "." + name, theirs + "." + their));
    }
    return Collections.unmodifiableMap(names);
  }

  private static void tower(Map<String, String> kind, String tower, String branch, int count) {
    for (int i = 0; i < count; i++) {
      kind.put(tower + "." + Tower.numbered("conv", i), branch + "_" + (i + 1));
    }
  }

  /**
   * Returns the corresponding name of a tensor.
   *
   * @param published such as {@code layers.mixed.tower.conv_1.beta}
   */
  static String of(String published) {
    if (published.startsWith(OUTPUT)) {
      return "fc." + published.substring(OUTPUT.length());
    }
    int dot = published.lastIndexOf('.');
    return convolution(published)
        + switch (published.substring(dot + 1)) {
          case "weight" -> ".conv.weight";
          case "beta" -> ".bn.bias";
          case "mean" -> ".bn.running_mean";
          case "var" -> ".bn.running_var";
          default -> throw new IllegalArgumentException(published);
        };
  }

  /** Returns the name of the scale of the normalization after the convolution of this tensor. */
  static String scaleOf(String published) {
    return convolution(published) + ".bn.weight";
  }

  /** Counters that files may contain and that are not needed. */
  static Stream<String> counters() {
    return CONVOLUTIONS.values().stream().map(name -> name + ".bn.num_batches_tracked");
  }

  private static String convolution(String published) {
    String name = published.substring(LAYERS.length(), published.lastIndexOf('.'));
    return Objects.requireNonNull(CONVOLUTIONS.get(name), published);
  }
}
