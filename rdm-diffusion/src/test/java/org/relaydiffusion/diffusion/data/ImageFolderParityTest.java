// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.fixture.Fixture;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** dataset/image_folder: everything exact, as pixels and labels are numbers that are copied. */
class ImageFolderParityTest {
  private static final Fixture FIXTURE = Fixture.of("dataset/image_folder");
  private static final Path SETS = FIXTURE.folder().resolveSibling("");

  @Test
  void itemsAreTheReferences() throws Exception {
    JsonNode sets = FIXTURE.json("items.json").path("sets");
    assertThat(sets).hasSize(6);
    for (JsonNode set : sets) {
      DatasetOptions options = options(set.path("kwargs"));
      try (var data = ImageFolderDataset.open(folder(set), options)) {
        String what = set.path("path").asString() + set.path("kwargs");
        assertThat(data.size()).as(what).isEqualTo(set.path("length").intValue());
        assertThat(data.name()).as(what).isEqualTo(set.path("name").asString());
        assertThat(data.resolution()).as(what).isEqualTo(set.path("resolution").intValue());
        assertThat(data.channels()).as(what).isEqualTo(set.path("num_channels").intValue());
        assertThat(data.labelDim()).as(what).isEqualTo(set.path("label_dim").intValue());
        assertThat(data.hasLabels()).as(what).isEqualTo(set.path("has_labels").booleanValue());
        assertThat(set.path("items")).hasSize(data.size());
        // Twice, so that a cache answers the second time.
        for (int round = 0; round < 2; round++) {
          for (int i = 0; i < data.size(); i++) {
            JsonNode item = set.path("items").path(i);
            String name = what + " item " + i;
            byte[] image = data.image(i);
            assertThat(sha256(image)).as(name).isEqualTo(item.path("sha256").asString());
            assertThat(toDoubles(data.label(i)))
                .as(name)
                .isEqualTo(Fixture.doubles(item.path("label")));
            assertThat(data.rawIndex(i)).as(name).isEqualTo(item.path("raw_idx").intValue());
            assertThat(data.isMirrored(i)).as(name).isEqualTo(item.path("xflip").booleanValue());
          }
        }
      }
    }
  }

  @Test
  void pixelsLieAsTheReferences() throws Exception {
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(FIXTURE.file("items.safetensors")));
    int header = (int) file.order(ByteOrder.LITTLE_ENDIAN).getLong();
    JsonNode tensors = JsonMapper.shared().readTree(file.array(), Long.BYTES, header);
    Path folder = SETS.resolve("convert/src_square");
    try (var data = ImageFolderDataset.open(folder, DatasetOptions.DEFAULT.withMirrored())) {
      assertThat(data.size()).isEqualTo(6);
      for (int i = 0; i < 6; i++) {
        JsonNode tensor = tensors.path("src_square." + i);
        assertThat(Fixture.ints(tensor.path("shape"))).containsExactly(3, 32, 32);
        byte[] wanted = new byte[3 * 32 * 32];
        file.get(Long.BYTES + header + tensor.path("data_offsets").path(0).intValue(), wanted);
        assertThat(data.image(i)).isEqualTo(wanted);
      }
    }
  }

  @Test
  void whatTheReferenceRefusesIsRefusedByName() {
    JsonNode failures = FIXTURE.json("items.json").path("failures");
    assertThat(failures).hasSize(3);
    for (JsonNode failure : failures) {
      Path path = SETS.resolve("convert").resolve(failure.path("path").asString());
      assertThat(path).exists();
      assertThatThrownBy(() -> ImageFolderDataset.open(path, options(failure.path("kwargs"))))
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith(path.toString())
          .hasMessageMatching("[^\n]*");
    }
  }

  private static Path folder(JsonNode set) {
    return SETS.resolve(set.path("path").asString());
  }

  private static DatasetOptions options(JsonNode arguments) {
    DatasetOptions options = DatasetOptions.DEFAULT;
    if (arguments.path("use_labels").asBoolean(false)) {
      options = options.withLabels();
    }
    if (arguments.path("xflip").asBoolean(false)) {
      options = options.withMirrored();
    }
    if (arguments.path("cache").asBoolean(false)) {
      options = options.withCache();
    }
    if (arguments.has("max_size")) {
      options =
          options.withAtMost(
              arguments.path("max_size").intValue(), arguments.path("random_seed").longValue());
    }
    if (arguments.has("resolution")) {
      options = options.withResolution(arguments.path("resolution").intValue());
    }
    return options;
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static double[] toDoubles(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }
}
