// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.data.BadImages;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Fixture dataset/convert: what the reference's tool makes of folders and zips. */
class ConvertFixtureTest {
  private static final Fixture FIXTURE = Fixture.of("dataset/convert");

  @TempDir private Path folder;

  static Stream<String> cases() {
    return names(FIXTURE.json("cases.json"))
        .filter(c -> !c.has("reference_misbehaviour"))
        .map(c -> c.path("name").asString())
        .filter(name -> !name.equals("empty"));
  }

  /** The reference's tool refuses pictures with alpha; here it is left out. */
  private static final Set<String> WITH_ALPHA =
      Set.of("rgba_no_transform", "grey_alpha", "grey_alpha_crop");

  static Stream<String> errors() {
    return names(FIXTURE.json("errors.json"))
        .map(c -> c.path("name").asString())
        .filter(name -> !WITH_ALPHA.contains(name));
  }

  private static Stream<JsonNode> names(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }

  private static JsonNode find(String file, String name) {
    return names(FIXTURE.json(file))
        .filter(c -> c.path("name").asString().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private ConvertedDataset convert(JsonNode run, Path target, int workers) {
    JsonNode args = run.path("args");
    JsonNode most = args.path("max_images");
    JsonNode size = args.path("resolution");
    JsonNode crop = args.path("transform");
    OptionalInt maxImages = most.isNull() ? OptionalInt.empty() : OptionalInt.of(most.intValue());
    Resolution resolution =
        size.isNull() ? null : new Resolution(size.path(0).intValue(), size.path(1).intValue());
    PictureTransform transform =
        new CropAndScale(crop.isNull() ? Crop.NONE : Crop.parse(crop.asString()), resolution);
    try (ImageSource source =
        ImageSources.open(
            FIXTURE.file(run.path("source").asString()), maxImages, Optional.empty())) {
      return new DatasetConversion(
              source,
              transform,
              new DatasetTarget(target, false),
              maxImages,
              workers,
              BadImages.FAIL)
          .run(DatasetConversion.Listener.NONE, new Cancellation());
    }
  }

  /**
   * Pixels and labels are equal to the bit, JPEG included: the JDK's decoder agrees with libjpeg.
   */
  @ParameterizedTest
  @MethodSource("cases")
  void namesPixelsAndLabelsAreTheReferences(String name) throws IOException {
    JsonNode run = find("cases.json", name);
    Path zip = folder.resolve(name + ".zip");
    ConvertedDataset done = convert(run, zip, 2);

    Map<String, byte[]> expected = entries(FIXTURE.file(run.path("zip").asString()));
    Map<String, byte[]> found = entries(zip);
    assertThat(found.keySet()).containsExactlyElementsOf(expected.keySet());
    assertThat(json(found)).isEqualTo(json(expected));
    for (String entry : expected.keySet()) {
      if (entry.endsWith(".png")) {
        assertThat(picture(found, entry)).as(entry).isEqualTo(picture(expected, entry));
      }
    }
    JsonNode decoded = FIXTURE.json("decoded.json").path(name);
    assertThat(done.images()).isEqualTo(decoded.path("length").intValue());
    assertThat(done.channels()).isEqualTo(decoded.path("image_shape").path(0).intValue());
    assertThat(done.resolution()).isEqualTo(decoded.path("image_shape").path(1).intValue());
    assertThat(done.labelDim()).isEqualTo(decoded.path("label_dim").intValue());
  }

  private static JsonNode json(Map<String, byte[]> entries) {
    return JsonMapper.shared()
        .readTree(new String(entries.get("dataset.json"), StandardCharsets.UTF_8));
  }

  private static Pixels picture(Map<String, byte[]> entries, String name) {
    return PictureReader.decode(Objects.requireNonNull(entries.get(name)), Path.of(name));
  }

  private static Map<String, byte[]> entries(Path file) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(e -> (ZipEntry) e)::iterator) {
        assertThat(entry.getMethod()).isEqualTo(ZipEntry.STORED);
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    return entries;
  }

  @Test
  void theFileIsTheSameWhateverTheNumberOfWorkers() throws IOException {
    JsonNode run = find("cases.json", "center_crop");
    byte[] one = Files.readAllBytes(convert(run, folder.resolve("1.zip"), 1).target());

    assertThat(convert(run, folder.resolve("7.zip"), 7).target()).hasBinaryContent(one);
  }

  @Test
  void aFolderHasTheSameFilesAsAZip() throws IOException {
    Path target = folder.resolve("set");
    convert(find("cases.json", "labelled"), target, 2);
    Path zip = convert(find("cases.json", "labelled"), folder.resolve("set.zip"), 2).target();

    for (Map.Entry<String, byte[]> entry : entries(zip).entrySet()) {
      assertThat(target.resolve(entry.getKey())).hasBinaryContent(entry.getValue());
    }
  }

  @ParameterizedTest
  @MethodSource("errors")
  void whatTheReferenceRefusesIsRefusedInOneLineAndLeavesNothing(String name) {
    JsonNode run = find("errors.json", name);

    assertThatThrownBy(() -> convert(run, folder.resolve("out.zip"), 2))
        .isInstanceOf(RdmException.class)
        .hasMessageMatching("[^\n]+");
    assertThat(folder).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "scale_only_classes_grey_fails | grey.png: is 32 x 32 grey, but those before are 32 x 32"
            + " RGB",
        "truncated_png | t.png: is truncated",
        "not_square | photo.png: is 150 x 111 RGB, but images of a data set must be square",
        "not_power_of_two | img0.png: is 24 x 24 RGB, but the side must be a power of two",
        "crop_without_resolution | --transform=center-crop requires --resolution",
        "missing | src_nothere: no such file or folder"
      })
  void theMessageNamesTheFileOrOption(String name, String message) {
    assertThatThrownBy(() -> convert(find("errors.json", name), folder.resolve("out.zip"), 2))
        .hasMessageContaining(message);
  }

  @Test
  void anEmptySourceIsAnError() {
    assertThatThrownBy(() -> convert(find("cases.json", "empty"), folder.resolve("out.zip"), 1))
        .isInstanceOf(RdmException.class)
        .hasMessageEndingWith("src_empty: has no images among its 1 files");
  }

  @ParameterizedTest
  @CsvSource({
    "cases.json, palette, src_palette/pal.png, 3",
    "cases.json, 16bit, src_16bit/i16.png, 1",
    "errors.json, rgba_no_transform, src_alpha/rgba.png, 3",
    "errors.json, grey_alpha, src_grey_alpha/la.png, 1"
  })
  void kindsAreConvertedWhereTheReferenceStoresGarbageOrEnds(
      String list, String name, String file, int channels) throws IOException {
    Path zip = convert(find(list, name), folder.resolve("out.zip"), 1).target();

    Pixels found = picture(entries(zip), "00000/img00000000.png");
    assertThat(found.channels()).isEqualTo(channels);
    assertThat(found).isEqualTo(PictureReader.read(FIXTURE.file(file)));
  }

  @Test
  void sizesAreReadAsTheReferenceReadsThem() {
    for (JsonNode text : FIXTURE.json("parse_tuple.json")) {
      String given = text.path("text").asString();
      if (text.has("value")) {
        assertThat(Resolution.parse(given))
            .isEqualTo(
                new Resolution(
                    text.path("value").path(0).intValue(), text.path("value").path(1).intValue()));
      } else {
        assertThatThrownBy(() -> Resolution.parse(given))
            .isInstanceOf(OptionException.class)
            .hasMessage("--resolution must be WIDTHxHEIGHT, such as 64x64, but is '%s'", given);
      }
    }
  }
}
