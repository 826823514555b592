// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.train.Batching.Activations;
import org.relaydiffusion.diffusion.train.TrainingOptions.Start;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.nn.Parameter;

/** Training with recomputed activations ends with the bits of training that keeps them. */
class CheckpointedTrainingTest {
  private static final int STEPS = 3;

  /** Networks with every way in which blocks are joined; dropout, augmentation and two rounds. */
  @ParameterizedTest
  @CsvSource({
    "DhariwalUNet, standard, standard, EXACT, FLOAT32",
    "DhariwalUNet, standard, standard, FAST, FLOAT32",
    "DhariwalUNet, standard, standard, FAST, BFLOAT16",
    "SongUNet, standard, standard, EXACT, FLOAT32",
    "SongUNet, residual, standard, EXACT, FLOAT32",
    "SongUNet, skip, skip, EXACT, FLOAT32",
  })
  void weightsAreTheSameBits(
      String network, String encoder, String decoder, Numerics numerics, DType dtype) {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("model_type", network);
    kwargs.put("model_channels", 8L);
    kwargs.put("channel_mult", List.of(1L, 2L));
    kwargs.put("channel_mult_emb", 2L);
    kwargs.put("num_blocks", 1L);
    kwargs.put("attn_resolutions", List.of(8L));
    kwargs.put("dropout", 0.2);
    if (network.equals("SongUNet")) {
      kwargs.put("encoder_type", encoder);
      kwargs.put("decoder_type", decoder);
    }
    LoadOptions running = new LoadOptions(numerics, dtype, Device.CPU);
    List<float[]> kept = weights(options(kwargs, running, Activations.KEPT));
    List<float[]> recomputed = weights(options(kwargs, running, Activations.RECOMPUTED));
    assertThat(recomputed).hasSameSizeAs(kept);
    for (int i = 0; i < kept.size(); i++) {
      assertThat(recomputed.get(i)).as("tensor %s", i).isEqualTo(kept.get(i));
    }
  }

  private static TrainingOptions options(
      Map<String, @Nullable Object> kwargs, LoadOptions running, Activations activations) {
    TrainingOptions tiny = TinyRun.blur(STEPS, TinyRun.NO_FILES).options(new Start.Fresh(), 7);
    return tiny.toBuilder()
        .network(new TrainingNetwork.Arguments(tiny.network().className(), kwargs))
        .batching(new Batching(tiny.batching().batch(), tiny.batching().perRound(), activations))
        .running(running)
        .build();
  }

  /** All parameters and averages after some steps, and the states of the generator. */
  private static List<float[]> weights(TrainingOptions options) {
    try (ImageFolderDataset dataset = Trainer.open(options);
        TrainingRun run = new TrainingRun(options, World.SINGLE, dataset)) {
      run.begin(0);
      for (int i = 0; i < STEPS; i++) {
        run.prepare();
        run.step();
      }
      List<float[]> all = new ArrayList<>();
      for (Parameter p : run.network().parameters()) {
        all.add(p.value().toFloats());
      }
      for (Parameter p : run.average().parameters()) {
        all.add(p.value().toFloats());
      }
      byte[] state = run.noise().host().state();
      float[] numbers = new float[state.length];
      for (int i = 0; i < state.length; i++) {
        numbers[i] = state[i];
      }
      all.add(numbers);
      return all;
    }
  }
}
