// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.model.JsonFields;
import org.relaydiffusion.model.JsonText;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** {@code pipeline.json}, version 1: see docs/checkpoints.md. */
final class PipelineJson {
  private static final String FORMAT = "rdm-pipeline";
  private static final int VERSION = 1;
  private static final String SOURCE_SUM = "source_sha256";
  private static final long MOST_BYTES = 1 << 20;

  /** A file directly in the folder: no separator, not hidden, so neither {@code ..}. */
  private static final Pattern FILE_NAME =
      Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\\.safetensors");

  private static final Pattern SUM = Pattern.compile("[0-9a-f]{64}");

  private PipelineJson() {}

  static PipelineFolder read(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new FileException(
          folder,
          Files.exists(folder)
              ? "is a file, expected a pipeline folder"
              : "no such file or folder, expected a pipeline folder");
    }
    Path file = folder.resolve(PipelineFolder.FILE);
    if (Files.notExists(file)) {
      throw new FileException(folder, "is not a pipeline folder: it has no " + PipelineFolder.FILE);
    }
    JsonFields json = JsonFields.read(file, MOST_BYTES);
    if (!json.has("format") || !json.text("format").equals(FORMAT)) {
      throw json.error("is not a pipeline: format must be '%s'".formatted(FORMAT));
    }
    long version = json.integer("version", 1);
    if (version != VERSION) {
      throw json.error(
          "version %s is not supported, expected %s: use a newer rdm".formatted(version, VERSION));
    }
    SortedMap<Integer, PipelineFolder.Part> stages = stages(folder, json.object("stages"));
    Enhancement enhancement =
        json.has("enhancement") ? Enhancement.read(json.object("enhancement")) : Enhancement.NONE;
    json.end();
    return new PipelineFolder(folder, stages, enhancement);
  }

  private static SortedMap<Integer, PipelineFolder.Part> stages(Path folder, JsonFields json) {
    SortedMap<Integer, PipelineFolder.Part> stages = new TreeMap<>();
    for (String name : StageNames.all()) {
      if (json.has(name)) {
        int index = StageNames.index(name).orElseThrow();
        stages.put(index, stage(folder, index, json.object(name)));
      }
    }
    json.end();
    if (stages.isEmpty()) {
      throw json.error("first is missing: a pipeline has at least one stage");
    }
    OptionalInt gap =
        IntStream.range(stages.firstKey(), stages.lastKey())
            .filter(i -> !stages.containsKey(i))
            .findFirst();
    if (gap.isPresent()) {
      throw json.error(
          "%s is missing, but there are stages before and after it"
              .formatted(StageNames.of(gap.getAsInt())));
    }
    return stages;
  }

  private static PipelineFolder.Part stage(Path folder, int index, JsonFields json) {
    PipelineFile network = file(folder, json.object("network"));
    Optional<PipelineFile> guide =
        json.has("guide") ? Optional.of(file(folder, json.object("guide"))) : Optional.empty();
    Map<String, @Nullable Object> values = json.values("options");
    json.end();
    try {
      return new PipelineFolder.Part(
          network, guide, StageOptionTable.read(values, Preset.GENERATE.stage(index)));
    } catch (OptionException e) {
      throw json.error("options." + e.getMessage());
    }
  }

  private static PipelineFile file(Path folder, JsonFields json) {
    String name = json.text("file");
    if (!FILE_NAME.matcher(name).matches()) {
      throw json.error(
          "file must be the name of a .safetensors file in the folder, but is '%s'"
              .formatted(Printable.of(name)));
    }
    long bytes = json.integer("bytes", 0);
    String sum = sum(json, "sha256");
    Optional<String> source =
        json.has(SOURCE_SUM) ? Optional.of(sum(json, SOURCE_SUM)) : Optional.empty();
    json.end();
    return new PipelineFile(folder.resolve(name), bytes, sum, source);
  }

  private static String sum(JsonFields json, String name) {
    String sum = json.text(name);
    if (!SUM.matcher(sum).matches()) {
      throw json.error(
          "%s must be 64 hexadecimal digits in lower case, but is '%s'"
              .formatted(name, Printable.of(sum)));
    }
    return sum;
  }

  static void write(PipelineFolder folder) {
    Map<String, Object> stages = new LinkedHashMap<>();
    folder
        .stages()
        .forEach((index, stage) -> {
          Map<String, Object> part = new LinkedHashMap<>();
          part.put("network", values(stage.network()));
          stage.guide().ifPresent(guide -> part.put("guide", values(guide)));
          part.put("options", StageOptionTable.values(stage.options()));
          stages.put(StageNames.of(index), part);
        });
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("format", FORMAT);
    json.put("version", VERSION);
    json.put("stages", stages);
    Map<String, Object> factors = new LinkedHashMap<>();
    factors.put("contrast", folder.enhancement().contrast());
    factors.put("brightness", folder.enhancement().brightness());
    factors.put("colour", folder.enhancement().colour());
    json.put("enhancement", factors);
    String text =
        JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build()
            .writeValueAsString(JsonText.finite(json));
    byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(
        folder.path().resolve(PipelineFolder.FILE),
        out -> {
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          while (buffer.hasRemaining()) {
            out.write(buffer);
          }
        });
  }

  private static Map<String, Object> values(PipelineFile file) {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("file", String.valueOf(file.path().getFileName()));
    values.put("bytes", file.bytes());
    values.put("sha256", file.sha256());
    file.sourceSha256().ifPresent(sum -> values.put(SOURCE_SUM, sum));
    return values;
  }
}
