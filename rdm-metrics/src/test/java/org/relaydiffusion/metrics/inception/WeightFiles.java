// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.model.safetensors.TensorSource;

/** Inception-v3's tensors under the names of both families of files. */
final class WeightFiles {
  private static final String A =
      """
      branch1x1 conv
      branch5x5_1 tower.conv
      branch5x5_2 tower.conv_1
      branch3x3dbl_1 tower_1.conv
      branch3x3dbl_2 tower_1.conv_1
      branch3x3dbl_3 tower_1.conv_2
      branch_pool tower_2.conv
      """;

  private static final String C =
      """
      branch1x1 conv
      branch7x7_1 tower.conv
      branch7x7_2 tower.conv_1
      branch7x7_3 tower.conv_2
      branch7x7dbl_1 tower_1.conv
      branch7x7dbl_2 tower_1.conv_1
      branch7x7dbl_3 tower_1.conv_2
      branch7x7dbl_4 tower_1.conv_3
      branch7x7dbl_5 tower_1.conv_4
      branch_pool tower_2.conv
      """;

  private static final String E =
      """
      branch1x1 conv
      branch3x3_1 tower_conv
      branch3x3_2a tower_mixed_conv
      branch3x3_2b tower_mixed_conv_1
      branch3x3dbl_1 tower_1_conv
      branch3x3dbl_2 tower_1_conv_1
      branch3x3dbl_3a tower_1_mixed_conv
      branch3x3dbl_3b tower_1_mixed_conv_1
      branch_pool tower_2_conv
      """;

  private static final String B =
      """
      branch3x3 conv
      branch3x3dbl_1 tower.conv
      branch3x3dbl_2 tower.conv_1
      branch3x3dbl_3 tower.conv_2
      """;

  private static final String D =
      """
      branch3x3_1 tower.conv
      branch3x3_2 tower.conv_1
      branch7x7x3_1 tower_1.conv
      branch7x7x3_2 tower_1.conv_1
      branch7x7x3_3 tower_1.conv_2
      branch7x7x3_4 tower_1.conv_3
      """;

  private WeightFiles() {}

  /** A network's tensors by name, which stay the network's. */
  static Map<String, TensorSource> state(InceptionV3 network) {
    Map<String, TensorSource> state = new LinkedHashMap<>();
    network.state().forEach((name, p) -> state.put(name, TensorSources.of(p.value())));
    return state;
  }

  /** The names of torchvision's convolutions, with the published ones. */
  static Map<String, String> torchvisionNames() {
    Map<String, String> names = new LinkedHashMap<>();
    names.put("Conv2d_1a_3x3", "conv");
    names.put("Conv2d_2a_3x3", "conv_1");
    names.put("Conv2d_2b_3x3", "conv_2");
    names.put("Conv2d_3b_1x1", "conv_3");
    names.put("Conv2d_4a_3x3", "conv_4");
    block(names, "Mixed_5b", "mixed", A);
    block(names, "Mixed_5c", "mixed_1", A);
    block(names, "Mixed_5d", "mixed_2", A);
    block(names, "Mixed_6a", "mixed_3", B);
    block(names, "Mixed_6b", "mixed_4", C);
    block(names, "Mixed_6c", "mixed_5", C);
    block(names, "Mixed_6d", "mixed_6", C);
    block(names, "Mixed_6e", "mixed_7", C);
    block(names, "Mixed_7a", "mixed_8", D);
    block(names, "Mixed_7b", "mixed_9", E);
    block(names, "Mixed_7c", "mixed_10", E);
    return names;
  }

  private static void block(Map<String, String> names, String theirs, String ours, String kind) {
    kind.lines()
        .map(line -> line.split(" ", 2))
        .forEach(pair -> names.put(theirs + "." + pair[0], ours + "." + pair[1]));
  }

  /**
   * The same tensors under torchvision's names.
   *
   * @param scales what stands for the scale of each normalisation, of the shape of its argument
   */
  static Map<String, TensorSource> torchvision(
      Map<String, TensorSource> published, UnaryOperator<TensorSource> scales) {
    Map<String, TensorSource> state = new LinkedHashMap<>();
    torchvisionNames()
        .forEach((theirs, ours) -> {
          String prefix = "layers." + ours;
          TensorSource mean = get(published, prefix + ".mean");
          state.put(theirs + ".conv.weight", get(published, prefix + ".weight"));
          state.put(theirs + ".bn.weight", scales.apply(mean));
          state.put(theirs + ".bn.bias", get(published, prefix + ".beta"));
          state.put(theirs + ".bn.running_mean", mean);
          state.put(theirs + ".bn.running_var", get(published, prefix + ".var"));
        });
    state.put("fc.weight", get(published, "output.weight"));
    state.put("fc.bias", get(published, "output.bias"));
    return state;
  }

  private static TensorSource get(Map<String, TensorSource> state, String name) {
    return Objects.requireNonNull(state.get(name), name);
  }
}
