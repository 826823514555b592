// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.metrics.Metrics;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.torch.Tensor;

/**
 * Jars hold nothing of the machine, the user or the hour of their build. tests/reproducible
 * compares whole builds.
 */
class BuiltJarsTest {
  /** {@code project.build.outputTimestamp} in the parent's pom. */
  private static final LocalDateTime TIMESTAMP = LocalDateTime.of(2026, 1, 1, 0, 0);

  @ParameterizedTest
  @ValueSource(
      classes = {
        RdmException.class,
        Tensor.class,
        ModelConfig.class,
        Checkpoint.class,
        RelayPipeline.class,
        Metrics.class,
        Rdm.class
      })
  void aJarDoesNotSayWhenWhereOrByWhomItWasMade(Class<?> in) throws Exception {
    Path path = Path.of(in.getProtectionDomain().getCodeSource().getLocation().toURI());
    assumeTrue(Files.isRegularFile(path), "jars are made in phase package: run ./mvnw verify");
    try (JarFile jar = new JarFile(path.toFile())) {
      assertThat(jar.stream().map(JarEntry::getTimeLocal)).containsOnly(TIMESTAMP);
      assertThat(jar.getManifest().getMainAttributes().keySet().stream().map(Object::toString))
          .isSubsetOf("Manifest-Version", "Created-By", "Java-Version", "Build-Jdk-Spec");
    }
  }
}
