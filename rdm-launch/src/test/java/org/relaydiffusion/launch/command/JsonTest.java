// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class JsonTest {
  enum Colour {
    DARK_RED
  }

  public record Fact(
      int sigmaMin, double limit, Optional<Path> file, OptionalInt label, Colour colour) {}

  @Test
  void recordsBecomeObjectsWithNamesInSnakeCase() {
    JsonNode json =
        read(
            Json.write(
                new Fact(
                    3,
                    Double.POSITIVE_INFINITY,
                    Optional.of(Path.of("a", "b")),
                    OptionalInt.empty(),
                    Colour.DARK_RED)));

    assertThat(json.propertyNames())
        .containsExactly("sigma_min", "limit", "file", "label", "colour");
    assertThat(json.get("sigma_min").intValue()).isEqualTo(3);
    assertThat(json.get("limit").stringValue()).isEqualTo("Infinity");
    assertThat(json.get("file").stringValue()).isEqualTo(Path.of("a", "b").toString());
    assertThat(json.get("label").isNull()).isTrue();
    assertThat(json.get("colour").stringValue()).isEqualTo("dark_red");
  }

  @Test
  void mapsKeepTheirOrderAndListsTheirNulls() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("z", List.of(1L, "two", true));
    map.put("a", Arrays.asList(null, 0.5));

    assertThat(read(Json.write(map)).toString())
        .isEqualTo("{\"z\":[1,\"two\",true],\"a\":[null,0.5]}");
  }

  @Test
  void jsonHasNoNanAndNoInfinity() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("nan", List.of(Double.NaN, Float.NaN));
    map.put("infinite", List.of(Double.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY));

    assertThat(read(Json.write(map)).toString())
        .isEqualTo("{\"nan\":[null,null],\"infinite\":[\"-Infinity\",\"Infinity\"]}");
  }

  @Test
  void foreignTextIsEscapedAndStaysTheSame() {
    String foreign = "\u009b2J\u202e\ud83d\ude00\u007f\u732b\n\ud83d";

    String json = Json.write(Map.of("name", foreign));

    assertThat(json).contains("\\u009b2J\\u202e\ud83d\ude00\\u007f\u732b\\n\\ud83d");
    assertThat(read(json).get("name").stringValue()).isEqualTo(foreign);
  }

  private static JsonNode read(String text) {
    return new JsonMapper().readTree(text);
  }
}
