// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.guidance.GuidanceInterval;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;
import org.relaydiffusion.model.JsonText;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

class StageOptionTableTest {
  private static final TypeReference<Map<String, @Nullable Object>> OBJECT =
      new TypeReference<>() {};

  private static Map<String, @Nullable Object> json(String text) {
    return JsonMapper.shared().readValue(text, OBJECT);
  }

  private static Map<String, @Nullable Object> throughJson(StageOptions options) {
    return json(
        JsonMapper.shared().writeValueAsString(JsonText.finite(StageOptionTable.values(options))));
  }

  @ParameterizedTest
  @EnumSource
  void whatIsWrittenIsReadAgain(Preset preset) {
    for (int i = 0; i < StageNames.all().size(); i++) {
      StageOptions options = preset.stage(i);

      assertThat(StageOptionTable.read(throughJson(options), Preset.GENERATE.stage(i)))
          .isEqualTo(options);
    }
  }

  /** None of the values is a preset's, so an option that were dropped would show. */
  @Test
  void everyOptionIsWrittenAndRead() {
    StageOptions noise =
        new StageOptions(
            new EdmOptions(
                "heun",
                31,
                0.03,
                61,
                5.5,
                Preset.GENERATE.stage(0).solver().schedule(),
                new Churn(3, 0.25, 7, 1.5),
                OptionalDouble.of(0.125)),
            new GuidanceOptions(1.75, new GuidanceInterval(0.5, 4)));
    StageOptions relay =
        new StageOptions(
            RelayOptions.DEFAULT.toBuilder()
                .numSteps(32)
                .sigmaMin(0.02)
                .sigmaMax(62)
                .rho(6.5)
                .upScale(8)
                .truncationSigma(0.7)
                .truncationT(0.6)
                .blockNoise(0.3)
                .noise(0.4)
                .blurSigmaMax(2.5)
                .churn(new Churn(4, 0.125, Double.POSITIVE_INFINITY, 1.25))
                .build(),
            new GuidanceOptions(2.5, new GuidanceInterval(0.25, Double.POSITIVE_INFINITY)));

    assertThat(StageOptionTable.read(throughJson(noise), Preset.IMAGENET.stage(0)))
        .isEqualTo(noise);
    assertThat(StageOptionTable.read(throughJson(relay), Preset.GENERATE.stage(1)))
        .isEqualTo(relay);
  }

  @Test
  void whatIsMissingIsTheDefault() {
    StageOptions options =
        StageOptionTable.read(json("{\"num_steps\": 40}"), Preset.IMAGENET.stage(1));

    assertThat(options.solver().numSteps()).isEqualTo(40);
    assertThat(options.with(Preset.IMAGENET.stage(1).solver())).isEqualTo(Preset.IMAGENET.stage(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"steps\": 4}                | steps is unknown",
        "{\"churn\": {\"top\": 4}}     | churn.top is unknown",
        "{\"churn\": 4}                | churn is unknown",
        "{\"churn\": {}}               | churn is unknown",
        "{\"churn.amount\": 4}         | churn.amount is unknown",
        "{\"churn\": {\"min\": 1}}     | churn.amount must be given with S_min, S_max or S_noise",
        "{\"num_steps\": 100001}       | num_steps must be at most 100000, but is 100001",
        "{\"schedule\": \"align-your-steps:/etc/passwd\"} | schedule must be at most 1000 noise",
        "{\"rho\": {\"x\": {}}}        | rho.x is unknown",
        "{\"num_steps\": \"4\"}        | num_steps must be a whole number, but is '4'",
        "{\"num_steps\": 4.5}          | num_steps must be a whole number, but is '4.5'",
        "{\"num_steps\": 99999999999}  | num_steps must be a whole number, but is '99999999999'",
        "{\"num_steps\": null}         | num_steps must be a whole number, but is 'null'",
        "{\"num_steps\": 1}            | num_steps must be at least 2, but is 1",
        "{\"solver\": \"heun\"}        | solver must be relay, relay-2m, relay-sde-2m for a stage that"
            + " starts from images",
        "{\"solver\": \"x\"}           | solver must be relay, relay-2m, relay-sde-2m, but is 'x'",
        "{\"solver\": \"a\\nb\"}        | solver must be relay, relay-2m, relay-sde-2m, but is 'a\\u{a}b'",
        "{\"rho\": \"inf\"}            | rho must be a number, but is 'inf'",
        "{\"rho\": true}               | rho must be a number, but is 'true'",
        "{\"rho\": [7]}                | rho must be a number, but is '[7]'",
        "{\"rho\": 1e999}              | rho must be a finite number above 0, but is Infinity",
        "{\"guidance\": -1}            | guidance must be a finite number of at least 0",
        "{\"guidance_interval\": 3}    | guidance_interval must be a string, but is '3'",
        "{\"guidance_interval\": \"3\"} | guidance_interval must be two noise levels LO,HI",
        "{\"up_scale\": 1}             | up_scale must be at least 2, but is 1",
        "{\"sigma_min\": 0}            | sigma_min must be above 0, but is 0",
        "{\"sigma_min\": 5}            | sigma_min must be below truncation_sigma = 0.9",
        "{\"truncation_t\": 0}         | truncation_t must be a finite number above 0",
        "{\"block_noise\": -1}         | block_noise must be a finite number of at least 0",
        "{\"noise\": 2}                | noise must be in [0, 1], but is 2.0",
        "{\"churn\": {\"amount\": -1}} | churn.amount must be a finite number of at least 0",
        "{\"schedule\": \"\\u001b[2J\"} | schedule must be",
      })
  void whatIsInvalidIsNamedAsInJson(String text, String message) {
    assertThatThrownBy(() -> StageOptionTable.read(json(text), Preset.GENERATE.stage(1)))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void namesInJsonAreUnique() {
    for (int i = 0; i < 2; i++) {
      List<String> keys = new ArrayList<>();
      StageOptionTable.of(Preset.GENERATE.stage(i).solver()).forEach(o -> keys.add(o.key()));

      assertThat(keys).doesNotHaveDuplicates();
    }
  }
}
