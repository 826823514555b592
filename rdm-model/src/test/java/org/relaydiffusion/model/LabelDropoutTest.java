// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import tools.jackson.databind.JsonNode;

/** What a network with label dropout sees of a batch's labels: all images here are the same one. */
class LabelDropoutTest {
  private static final String FIXTURE = "networks/adm_cond_aug_attn";
  private static final int BATCH = 24;

  /** Convolutions may round otherwise for another batch. */
  private static final double TOLERANCE = 2e-5;

  /** Which rows of a batch come out as with their label; all others come out as without. */
  private static List<Boolean> labelled(double dropout, boolean training) {
    JsonNode config = Fixtures.json(FIXTURE + "/config.json");
    Map<String, Object> kwargs = new HashMap<>(Fixtures.kwargs(config.get("init_kwargs")));
    kwargs.putAll(Map.of("label_dropout", dropout, "dropout", 0.0));
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        SafetensorsFile weights =
            SafetensorsFile.open(Fixtures.path(FIXTURE + "/weights.safetensors"));
        Preconditioner network =
            Preconditioner.load(
                ModelConfig.of(config.get("class_name").asString(), kwargs),
                weights.tensors(),
                LoadOptions.EXACT)) {
      Map<String, Tensor> io = Fixtures.tensors(FIXTURE + "/io.safetensors");
      Tensor image = first(io.get("call0.x"));
      Tensor sigma = first(io.get("call0.sigma"));
      Tensor label = first(io.get("call0.class_labels"));
      network.eval();
      Tensor with = network.denoise(image, sigma, label);
      Tensor without = network.denoise(image, sigma, null);
      assertThat(Fixtures.distance(with, without)).isGreaterThan(10 * TOLERANCE);

      if (training) {
        network.train();
      }
      Generator.global().seed(7);
      Tensor batch = network.denoise(repeated(image), repeated(sigma), repeated(label));
      return IntStream.range(0, BATCH)
          .mapToObj(i -> {
            Tensor row = Shapes.narrow(batch, 0, i, 1);
            boolean same = Fixtures.distance(row, with) < TOLERANCE;
            assertThat(same || Fixtures.distance(row, without) < TOLERANCE).isTrue();
            return same;
          })
          .toList();
    }
  }

  private static Tensor first(@Nullable Tensor tensor) {
    return Shapes.narrow(Objects.requireNonNull(tensor), 0, 0, 1);
  }

  private static Tensor repeated(Tensor row) {
    return Shapes.cat(IntStream.range(0, BATCH).mapToObj(_ -> row).toList(), 0);
  }

  @Test
  void someLabelsAreDroppedInTraining() {
    assertThat(labelled(0.5, true)).contains(true, false);
  }

  @Test
  void noneIsDroppedInEvaluation() {
    assertThat(labelled(0.5, false)).containsOnly(true);
  }

  @Test
  void noneIsDroppedInTrainingWithoutLabelDropout() {
    assertThat(labelled(0, true)).containsOnly(true);
  }

  @Test
  void allAreDroppedAtProbabilityOne() {
    assertThat(labelled(1, true)).containsOnly(false);
  }
}
