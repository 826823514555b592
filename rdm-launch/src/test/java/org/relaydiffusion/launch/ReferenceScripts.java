// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the official scripts take: their options, and the command lines of their README. */
final class ReferenceScripts {
  /** A labelled set of ten pictures of 16 pixels. */
  static final Path DATA =
      Path.of(System.getProperty("rdm.fixtures"), "training/blur_accum2_cond/dataset.zip");

  private ReferenceScripts() {}

  /**
   * One option of a script.
   *
   * @param names as the script spells them
   * @param kind such as {@code int}
   * @param choices the words that it takes, where it takes one of several
   * @param min the least value, if there is one
   * @param minOpen whether that value itself is refused
   * @param max the greatest value, if there is one
   * @param defaultValue as text; empty where there is none
   */
  record Option(
      List<String> names,
      String kind,
      List<String> choices,
      OptionalDouble min,
      boolean minOpen,
      OptionalDouble max,
      Optional<String> defaultValue) {
    String name() {
      return names.getLast();
    }

    boolean isNumber() {
      return kind.equals("int") || kind.equals("float");
    }
  }

  /** The names of the scripts. */
  static List<String> scripts() {
    return List.copyOf(table().propertyNames());
  }

  static List<Option> options(String script) {
    List<Option> options = new ArrayList<>();
    for (JsonNode node : table().get(script)) {
      options.add(
          new Option(
              texts(node.path("names")),
              node.get("kind").asString(),
              texts(node.path("choices")),
              number(node, "min"),
              node.path("min_open").asBoolean(false),
              number(node, "max"),
              node.has("default")
                  ? Optional.of(node.get("default").asString())
                  : Optional.empty()));
    }
    return options;
  }

  private static JsonNode table() {
    return JsonMapper.shared().readTree(resource("options.json")).get("scripts");
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(text -> texts.add(text.asString()));
    return texts;
  }

  private static OptionalDouble number(JsonNode node, String name) {
    return node.has(name) ? OptionalDouble.of(node.get(name).asDouble()) : OptionalDouble.empty();
  }

  /** The README's command lines. */
  static List<String> commandLines() {
    return resource("commands.txt")
        .lines()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .toList();
  }

  private static String resource(String name) {
    try (InputStream in = ReferenceScripts.class.getResourceAsStream("/reference/" + name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not among the resources");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes a folder with one small picture. */
  static void makePictures(Path folder) {
    PngWriter.write(Pixels.black(8, 8, 3), Compression.FAST, folder.resolve("000000.png"));
  }

  /** Variables of a user whose home is {@code folder}. */
  static Map<String, String> home(Path folder) {
    return Map.of("HOME", folder.toString());
  }
}
