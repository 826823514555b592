// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.launch.RdmRun;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Fixtures samplers/relay_*: the reference's command lines make its pictures. */
class ReferenceRunsTest {
  private static final Path SAMPLERS = Path.of(System.getProperty("rdm.fixtures"), "samplers");

  @TempDir private Path folder;

  /**
   * Tolerance: off by one in 0.4% of a picture's values, ten times what two releases of the
   * reference's library differ by.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "relay_uncond",
        "relay_cond_cfg",
        "relay_celebahq_enhanced",
        "relay_imagenet_enhanced_class2"
      })
  void exactMakesTheReferencesPictures(String fixture) {
    for (Pair pair : run(fixture, "--numerics=exact")) {
      assertThat(pair.countBeyond(1)).as(pair.name()).isZero();
      assertThat(pair.countBeyond(0)).as(pair.name()).isLessThanOrEqualTo(pair.size() * 4L / 1000);
    }
  }

  /**
   * Tolerance: more than two grey levels apart in 1% of a picture's values. Other kernels sum in
   * another order, and each step hands the difference on.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "relay_uncond",
        "relay_cond_cfg",
        "relay_celebahq_enhanced",
        "relay_imagenet_enhanced_class2"
      })
  void fastMakesThemToTheEye(String fixture) {
    for (Pair pair : run(fixture, "--numerics=fast")) {
      assertThat(pair.countBeyond(2)).as(pair.name()).isLessThanOrEqualTo(pair.size() / 100);
    }
  }

  /** A picture beside the reference's. */
  private record Pair(String name, Pixels made, Pixels reference) {
    int size() {
      return made.data().length;
    }

    /** How many values are more than {@code levels} grey levels apart. */
    long countBeyond(int levels) {
      assertThat(made.toString()).isEqualTo(reference.toString());
      long count = 0;
      for (int i = 0; i < size(); i++) {
        if (Math.abs((made.data()[i] & 0xff) - (reference.data()[i] & 0xff)) > levels) {
          count++;
        }
      }
      return count;
    }
  }

  private List<Pair> run(String fixture, String numerics) {
    Path source = SAMPLERS.resolve(fixture);
    JsonNode config = new JsonMapper().readTree(source.resolve("config.json").toFile());
    Relay relay = Relay.ofScript(config.get("script").stringValue(), fixture, folder);
    List<String> options = options(config);
    options.add(numerics);

    RdmRun run = relay.run(options.toArray(String[]::new));

    assertThat(run.code()).as(run.err()).isZero();
    List<Pair> pairs = new ArrayList<>();
    for (JsonNode file : config.get("files")) {
      String name = file.stringValue();
      Path made = folder.resolve(name.substring("png/".length()));
      pairs.add(new Pair(name, PictureReader.read(made), PictureReader.read(source.resolve(name))));
    }
    assertThat(pairs).hasSize(config.get("seeds").size());
    return pairs;
  }

  /** What config.json says, as the options of the command line. */
  private static List<String> options(JsonNode config) {
    List<String> options = new ArrayList<>();
    options.add("--subdirs");
    options.add("--batch=" + config.get("max_batch_size"));
    options.add(
        StreamSupport.stream(config.get("seeds").spliterator(), false)
            .map(JsonNode::toString)
            .collect(Collectors.joining(",", "--seeds=", "")));
    if (!config.get("class_idx").isNull()) {
      options.add("--class=" + config.get("class_idx"));
    }
    for (String stage : List.of("first", "second")) {
      config
          .get(stage)
          .get("sampler_kwargs")
          .properties()
          .forEach(
              e -> options.add("--%s_%s=%s".formatted(e.getKey(), stage, e.getValue().asString())));
    }
    return options;
  }
}
