// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script mvnw in a checkout of its own, with JDKs and a Maven that only say who they are. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the script mvnw is for a POSIX shell")
class MavenWrapperTest {
  private static final Path ROOT =
      Path.of(System.getProperty("rdm.fixtures")).resolve("../..").normalize();
  private static final String PROPERTIES = ".mvn/wrapper/maven-wrapper.properties";

  @TempDir private Path folder;
  private Path checkout;

  @BeforeEach
  void aCheckout() throws IOException {
    checkout = folder.resolve("check out");
    for (String file : List.of("mvnw", "rdm", PROPERTIES)) {
      Files.createDirectories(checkout.resolve(file).getParent());
      Files.copy(ROOT.resolve(file), checkout.resolve(file));
    }
  }

  /** A Maven where the script expects the one that it has downloaded. */
  private void aMaven() throws IOException {
    Properties properties = new Properties();
    try (var in = Files.newInputStream(checkout.resolve(PROPERTIES))) {
      properties.load(in);
    }
    String url = properties.getProperty("distributionUrl");
    String name = url.substring(url.lastIndexOf('/') + 1).replace("-bin.zip", "");
    Path maven = folder.resolve("m2/wrapper/dists").resolve(name);
    program(
        maven.resolve(Integer.toHexString(url.hashCode())).resolve("bin/mvn"),
        "echo \"$JAVA_HOME $*\"\n");
  }

  private Path java(String name, int version, String... programs) throws IOException {
    Path home = Files.createDirectories(folder.resolve(name));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"%s.0.1\"\n".formatted(version));
    for (String program : programs) {
      program(home.resolve("bin").resolve(program), "exit 1\n");
    }
    return home;
  }

  private Path jdk(int version) throws IOException {
    return java("jdk " + version, version, "java", "javac");
  }

  private static void program(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/sh\n" + text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private record Finished(int code, String output) {}

  private Finished mvnw(Map<String, String> environment) throws Exception {
    Path log = Files.createTempFile(folder, "out", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder("sh", checkout.resolve("mvnw").toString(), "verify");
    builder
        .environment()
        .keySet()
        .removeIf(n -> n.contains("JAVA_") || n.startsWith("MVNW_") || n.endsWith("_proxy"));
    builder.environment().put("MAVEN_USER_HOME", folder.resolve("m2").toString());
    builder.environment().putAll(environment);
    Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Finished(process.exitValue(), Files.readString(log).strip());
  }

  private Finished mvnw(Path javaHome, Path other) throws Exception {
    aMaven();
    Map<String, String> environment = new HashMap<>();
    environment.put("JAVA_HOME", javaHome.toString());
    environment.put("RDM_JAVA_HOME", other.toString());
    return mvnw(environment);
  }

  @Test
  void mavenRunsOnJavaHomeWhereThatIsNewEnough() throws Exception {
    assertThat(mvnw(jdk(26), jdk(25))).isEqualTo(new Finished(0, jdk(26) + " verify"));
  }

  @Test
  void anOlderJavaHomeGivesWayToANewerJdk() throws Exception {
    assertThat(mvnw(jdk(17), jdk(25))).isEqualTo(new Finished(0, jdk(25) + " verify"));
  }

  @Test
  void aJavaWithoutACompilerDoesNotBuild() throws Exception {
    Path runtime = java("jre", 25, "java");
    assertThat(mvnw(runtime, jdk(25))).isEqualTo(new Finished(0, jdk(25) + " verify"));
  }

  @Test
  void withoutAJdkNothingIsStarted() throws Exception {
    assertThat(mvnw(jdk(17), jdk(21)))
        .isEqualTo(
            new Finished(1, "rdm: RDM_JAVA_HOME=%s is not a JDK 25 or newer".formatted(jdk(21))));
  }

  @Test
  void aMavenOfOtherBytesIsRefused() throws Exception {
    boolean canDownload = false;
    for (String program : List.of("wget", "curl")) {
      for (String at : System.getenv("PATH").split(":", -1)) {
        canDownload |= Files.isExecutable(Path.of(at, program));
      }
    }
    assumeTrue(canDownload, "there is neither wget nor curl");
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] other = "another Maven".getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, other.length);
          try (exchange) {
            exchange.getResponseBody().write(other);
          }
        });
    server.start();
    try {
      String address = "http://127.0.0.1:" + server.getAddress().getPort();
      Finished finished = mvnw(Map.of("JAVA_HOME", jdk(25).toString(), "MVNW_REPOURL", address));
      assertThat(finished.code).isEqualTo(1);
      assertThat(finished.output)
          .contains("Failed to validate Maven distribution SHA-256")
          .doesNotContain("unzip");
    } finally {
      server.stop(0);
    }
  }
}
