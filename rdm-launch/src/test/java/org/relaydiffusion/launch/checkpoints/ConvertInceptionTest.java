// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.checkpoint.testing.ModuleFiles;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.metrics.inception.Inception;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.metrics.inception.InceptionV3;
import org.relaydiffusion.metrics.inception.InceptionWeights;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code convert --inception}, once with the whole network. */
class ConvertInceptionTest {
  @TempDir private Path folder;

  /** From a file as it is handed round to features, by nothing but the names of files. */
  @Test
  void theWholeNetworkLandsWhereMetricsLookForIt() throws IOException {
    Path source = folder.resolve("inception-2015-12-05.pt");
    try (InceptionV3 network = new InceptionV3();
        Generator generator = Generator.seeded(1)) {
      network.initialize(generator);
      Map<String, TensorSource> state = new LinkedHashMap<>();
      network.state().forEach((name, p) -> state.put(name, TensorSources.of(p.value())));
      ModuleFiles.torchScript(source, state);
    }
    Map<String, String> environment = Map.of("HOME", folder.toString());
    Path dest = folder.resolve(".cache/rdm/inception-2015-12-05.safetensors");

    RdmRun run = RdmRun.in(environment, "convert", "--inception", "--json", "--source=" + source);

    assertThat(run.err()).isEqualTo("rdm convert: %s -> %s%n".formatted(source, dest));
    assertThat(run.code()).isZero();
    JsonNode json = new JsonMapper().readTree(run.out());
    assertThat(json.get("dest").stringValue()).isEqualTo(dest.toString());
    assertThat(json.get("source_kind").stringValue()).isEqualTo("TorchScript archive");
    assertThat(json.get("all_equal").booleanValue()).isTrue();
    assertThat(json.get("warnings").size()).isZero();
    assertThat(json.get("tensors").size()).isEqualTo(378);
    Files.delete(source);
    assertThat(InceptionWeights.locate(Optional.empty(), environment)).isEqualTo(dest);
    try (TensorScope _ = TensorScope.open();
        Inception inception = Inception.open(dest, LoadOptions.DEFAULT)) {
      InceptionFeatures features = inception.features(Torch.zeros(DType.UINT8, 1, 1, 64, 64));
      assertThat(features.pool().shape()).containsExactly(1, InceptionFeatures.POOL_DIM);
    }
  }

  @Test
  void otherFilesAreNamedInOneLine() throws IOException {
    Path source = folder.resolve("net.pt");
    Path dest = folder.resolve("out.safetensors");
    try (TensorScope _ = TensorScope.open()) {
      Map<String, TensorSource> state =
          Map.of("layers.conv.weight", TensorSources.of(Torch.ones(DType.FLOAT32, 32, 3, 3, 3)));
      ModuleFiles.torchScript(source, state);
    }
    RdmRun run =
        RdmRun.of("convert", "--inception", "--quiet", "--source=" + source, "--dest=" + dest);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("rdm: %s: is not Inception-v3 of 2015-12-05: missing:".formatted(source))
        .contains("(377 in all)")
        .hasLineCount(1);
    assertThat(dest).doesNotExist();
  }

  @Test
  void optionsOfCheckpointsAreRefused() {
    RdmRun which = RdmRun.of("convert", "--inception", "--which=net", "--source=a");
    assertThat(which.code()).isEqualTo(2);
    assertThat(which.error()).isEqualTo("rdm: --which and --inception are mutually exclusive");
    assertThat(RdmRun.of("convert", "--inception", "--dtype=float16", "--source=a").error())
        .isEqualTo("rdm: --dtype and --inception are mutually exclusive");
    assertThat(RdmRun.of("convert", "--source=a").error())
        .isEqualTo("rdm: --dest is missing: only --inception has a default");
  }
}
