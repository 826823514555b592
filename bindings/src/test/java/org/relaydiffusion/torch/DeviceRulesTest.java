// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.torch.testing.HostTraffic;
import org.relaydiffusion.torch.testing.SimulatedGpu;

/**
 * A simulated device refuses the operands that LibTorch's CUDA build refuses, and sees the copies
 * and waits that it makes.
 */
class DeviceRulesTest {
  private static Map<String, String> expected() throws IOException {
    Map<String, String> rules = new TreeMap<>();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(
                    DType.class.getResourceAsStream("/org/relaydiffusion/torch/device_rules.txt")),
                UTF_8))) {
      for (String line : reader.lines().filter(l -> !l.startsWith("#")).toList()) {
        int at = line.lastIndexOf(" = ");
        rules.put(line.substring(0, at), line.substring(at + 3));
      }
    }
    return rules;
  }

  static Stream<String> cases() {
    return DeviceRuleCases.all().keySet().stream();
  }

  @Test
  void everyCaseIsInTheTable() throws IOException {
    assertThat(expected()).containsOnlyKeys(DeviceRuleCases.all().keySet());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aSimulatedDeviceDoesWhatLibTorchDoes(String name) throws IOException {
    try (SimulatedGpu gpu = SimulatedGpu.open();
        TensorScope _ = TensorScope.open()) {
      String found;
      try {
        HostTraffic traffic =
            gpu.during(() ->
                Objects.requireNonNull(DeviceRuleCases.all().get(name))
                    .accept(SimulatedGpu.DEVICE));
        found = traffic.events().isEmpty() ? "free" : "stalls";
      } catch (TorchException _) {
        found = "refused";
        List<String> _ = gpu.takeRefusals();
      }
      assertThat(found).isEqualTo(expected().get(name));
    }
  }
}
