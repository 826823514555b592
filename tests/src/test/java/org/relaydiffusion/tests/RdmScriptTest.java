// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The script rdm over a checkout of its own, with a build and a Java that only say what they get.
 */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the script rdm is for a POSIX shell")
class RdmScriptTest {
  private static final Path SCRIPT =
      Path.of(System.getProperty("rdm.fixtures")).resolve("../../rdm").normalize();
  private static final long SECONDS = 60;
  private static final String BUILDS = "mkdir -p rdm-launch/target/dist/native\necho . >> builds\n";

  @TempDir private Path folder;
  private Path checkout;
  private Path source;
  private Path lock;
  private final List<Process> started = new ArrayList<>();

  @BeforeEach
  void aCheckout() throws IOException {
    boolean hasUnicode = !System.getProperty("sun.jnu.encoding").startsWith("ANSI");
    checkout = Files.createDirectories(folder.resolve("check out" + (hasUnicode ? " é" : "")));
    source = checkout.resolve("x/src/main/A.java");
    Files.createDirectories(source.getParent());
    Files.createDirectories(checkout.resolve("rdm-launch"));
    Files.writeString(source, "class A {}");
    Files.writeString(checkout.resolve("pom.xml"), "<project/>");
    Files.copy(SCRIPT, checkout.resolve("rdm"));
    lock = checkout.resolve("rdm-launch/target/rdm-build.owner");
    mvnw(BUILDS);
    Path java = folder.resolve("jdk/bin/java");
    Files.createDirectories(java.getParent());
    Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"25\"\n");
    program(
        java,
        "printf '%s\\n' \"$@\"\necho \"LC_ALL=${LC_ALL-} LC_CTYPE=${LC_CTYPE-} LANG=${LANG-}\"\n");
  }

  @AfterEach
  void nothingIsLeft() {
    started.forEach(RdmScriptTest::kill);
  }

  private static void kill(Process process) {
    // The script first, or it would see its build end, and tidy up.
    List<ProcessHandle> below = process.descendants().toList();
    process.destroyForcibly();
    below.forEach(ProcessHandle::destroyForcibly);
  }

  private void mvnw(String text) throws IOException {
    program(checkout.resolve("mvnw"), text);
  }

  private static void program(Path file, String text) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private record Finished(int code, List<String> output) {}

  private Process start(Map<String, String> environment, Path log) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder("sh", checkout.resolve("rdm").toString(), "doctor", "a b");
    builder
        .environment()
        .keySet()
        .removeIf(n ->
            n.startsWith("LC_")
                || n.startsWith("LANG")
                || n.contains("JAVA_")
                || n.equals("RDM_MAVEN_OPTS"));
    builder.environment().put("RDM_JAVA_HOME", folder.resolve("jdk").toString());
    builder.environment().putAll(environment);
    Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    started.add(process);
    return process;
  }

  private static Finished finish(Process process, Path log)
      throws IOException, InterruptedException {
    assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).as("%s", log).isTrue();
    return new Finished(process.exitValue(), Files.readAllLines(log));
  }

  private Finished rdm(Map<String, String> environment) throws IOException, InterruptedException {
    Path log = Files.createTempFile(folder, "out", ".txt");
    return finish(start(environment, log), log);
  }

  private List<String> java(Map<String, String> environment)
      throws IOException, InterruptedException {
    Finished finished = rdm(environment);
    assertThat(finished.code).as("%s", finished).isZero();
    return finished.output;
  }

  private int builds() throws IOException {
    Path file = checkout.resolve("builds");
    return Files.exists(file) ? Files.readAllLines(file).size() : 0;
  }

  /** Starts a build that ends when file {@code go} is there, and waits until it has the lock. */
  private Process builder(Path log) throws IOException, InterruptedException {
    mvnw("while [ ! -e go ]; do sleep 0.1; done\n" + BUILDS);
    Process process = start(Map.of(), log);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!Files.isSymbolicLink(lock) || process.descendants().count() == 0) {
      assertThat(System.nanoTime()).as("%s", Files.readString(log)).isLessThan(end);
      Thread.sleep(20);
    }
    return process;
  }

  private String owner() throws IOException {
    return Files.readSymbolicLink(lock).toString();
  }

  @Test
  void aBuildIsMadeOnceAndAgainWhenASourceChanges() throws Exception {
    assertThat(java(Map.of()))
        .anyMatch(l -> l.startsWith("rdm: building: "))
        .contains("-m", "org.relaydiffusion.launch/org.relaydiffusion.launch.Rdm", "doctor", "a b");
    assertThat(java(Map.of())).noneMatch(l -> l.startsWith("rdm: "));
    assertThat(builds()).isEqualTo(1);
    Files.writeString(source, "class A { int a; }");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(2)));
    java(Map.of());
    assertThat(builds()).isEqualTo(2);
    assertThat(lock).doesNotExist();
  }

  @Test
  void aSourceDatedInTheFutureIsBuiltOnceToo() throws Exception {
    FileTime future = FileTime.from(Instant.now().plus(Duration.ofDays(30)));
    Files.setLastModifiedTime(source, future);
    java(Map.of());
    java(Map.of());
    assertThat(builds()).isEqualTo(1);
    Files.writeString(source, "class A { int a; }");
    Files.setLastModifiedTime(source, future);
    java(Map.of());
    assertThat(builds()).isEqualTo(2);
  }

  @Test
  void aBuildThatFailsIsShownAndLeavesNothing() throws Exception {
    mvnw("echo no such symbol\nexit 1\n");
    Finished failed = rdm(Map.of());
    assertThat(failed.code).isEqualTo(1);
    assertThat(failed.output).contains("no such symbol", "rdm: the build failed, see above");
    assertThat(Files.isSymbolicLink(lock)).isFalse();
    mvnw(BUILDS);
    java(Map.of());
  }

  @Test
  void aRepositoryWithoutCudaIsToldInASentence() throws Exception {
    mvnw(
        "echo '[ERROR] Could not find artifact"
            + " org.bytedeco:cuda-redist-cudnn:jar:linux-x86_64:13.1-9.19-1.5.13 in central'\n"
            + "exit 1\n");
    Finished failed = rdm(Map.of("RDM_MAVEN_OPTS", "-Pgpu"));
    assertThat(failed.code).isEqualTo(1);
    assertThat(failed.output)
        .contains(
            "rdm: the repository lacks CUDA's libraries: build without -Pgpu and set RDM_LIBTORCH to"
                + " a LibTorch with CUDA ('rdm doctor' finds those installed)");
  }

  @Test
  void whoWaitsSaysForWhomAndDoesNotBuildAgain() throws Exception {
    Path log = folder.resolve("first.txt");
    Process first = builder(log);
    Path log2 = folder.resolve("second.txt");
    Process second = start(Map.of(), log2);
    String line = "rdm: waiting for process " + first.pid() + " on ";
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!Files.readString(log2).contains(line)) {
      assertThat(System.nanoTime()).as("%s", Files.readString(log2)).isLessThan(end);
      Thread.sleep(20);
    }
    Files.createFile(checkout.resolve("go"));
    assertThat(finish(first, log).code).isZero();
    assertThat(finish(second, log2).code).isZero();
    assertThat(builds()).isEqualTo(1);
  }

  @Test
  void theLockOfAKilledProcessIsTakenOver() throws Exception {
    Process first = builder(folder.resolve("first.txt"));
    kill(first);
    first.waitFor();
    assertThat(Files.isSymbolicLink(lock)).isTrue();
    mvnw(BUILDS);
    assertThat(java(Map.of()))
        .contains("rdm: process " + first.pid() + " ended during the build; taking over");
    assertThat(builds()).isEqualTo(1);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void anotherProcessWithTheSameNumberIsNotItsOwner() throws Exception {
    Process first = builder(folder.resolve("first.txt"));
    String[] words = owner().split(" ", 3);
    kill(first);
    first.waitFor();
    Files.delete(lock);
    // This process lives, but started at another time.
    long pid = ProcessHandle.current().pid();
    Files.createSymbolicLink(lock, Path.of(pid + " " + words[1] + "9 " + words[2]));
    mvnw(BUILDS);
    assertThat(java(Map.of()))
        .contains("rdm: process " + pid + " ended during the build; taking over");
  }

  @ParameterizedTest
  @CsvSource({"HUP,129", "TERM,143", "INT,130"})
  void aSignalEndsTheBuildAndGivesTheLockBack(String signal, int code) throws Exception {
    Path log = folder.resolve("first.txt");
    Process first = builder(log);
    List<ProcessHandle> below = first.descendants().toList();
    // A process that was started in the background may have been told to ignore SIGINT.
    assumeFalse(signal.equals("INT") && isInterruptIgnored(first), "SIGINT is ignored here");
    // By its number: procps' kill does not know HUP by its name in a Turkish locale.
    String number = Integer.toString(code - 128);
    assertThat(
            new ProcessBuilder("kill", "-" + number, Long.toString(first.pid())).start().waitFor())
        .isZero();
    assertThat(finish(first, log).code).isEqualTo(code);
    assertThat(Files.isSymbolicLink(lock)).isFalse();
    for (ProcessHandle handle : below) {
      handle.onExit().get(SECONDS, TimeUnit.SECONDS);
    }
  }

  private static boolean isInterruptIgnored(Process process) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/%s/status".formatted(process.pid())))) {
      if (line.startsWith("SigIgn:")) {
        return (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 1 << (2 - 1)) != 0;
      }
    }
    return false;
  }

  @Test
  void aLockThatCannotBeMadeEndsTheStart() throws Exception {
    // No link, and in the way of one.
    Files.createDirectories(lock.getParent());
    Files.writeString(lock, "");
    Finished finished = rdm(Map.of());
    assertThat(finished.code).isEqualTo(1);
    assertThat(finished.output)
        .last()
        .asString()
        .contains("the build is out of date, and its lock cannot be created: ");
  }

  @Test
  void aFolderWithAColonGetsASentence() throws Exception {
    Path colon = folder.resolve("a:b");
    Files.move(checkout, colon);
    checkout = colon;
    Finished finished = rdm(Map.of());
    assertThat(finished.code).isEqualTo(1);
    assertThat(finished.output)
        .singleElement()
        .asString()
        .endsWith(
            "a:b: a folder with ':' in its name cannot be on Java's module path; move or rename"
                + " it");
  }

  @ParameterizedTest
  @ValueSource(strings = {"RDM_JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"})
  void theUsersCollectorAndHeapStand(String variable) throws Exception {
    assertThat(java(Map.of())).contains("-XX:+UseSerialGC", "-Xms32m");
    for (String collector : List.of("-XX:+UseG1GC", "-XX:+UseParallelGC", "-XX:+UseZGC")) {
      assertThat(java(Map.of(variable, "-Da=b " + collector)))
          .doesNotContain("-XX:+UseSerialGC")
          .contains("-Xms32m");
    }
    for (String heap :
        List.of("-Xmx16m", "-Xmx31M", "-XX:MaxHeapSize=9000k", "-Xms8m", "-Xmx9999999")) {
      assertThat(java(Map.of(variable, heap)))
          .doesNotContain("-Xms32m")
          .contains("-XX:+UseSerialGC");
    }
    for (String heap :
        List.of("-Xmx32m", "-Xmx2g", "-XX:MaxHeapSize=100000k", "-XX:-UseGCOverheadLimit")) {
      assertThat(java(Map.of(variable, heap))).contains("-Xms32m", "-XX:+UseSerialGC");
    }
  }

  @Test
  void optionsAreNoPatternsOfFileNames() throws Exception {
    assertThat(java(Map.of("RDM_JAVA_OPTS", "-Da=/*"))).contains("-Da=/*");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void whereTheLocaleIsAsciiFileNamesAreUtf8() throws Exception {
    assertThat(java(Map.of())).last().asString().matches("LC_ALL= LC_CTYPE=(C|en_US).UTF-8 LANG=");
    assertThat(java(Map.of("LANG", "C"))).last().asString().contains("LC_CTYPE=").contains("UTF-8");
    for (String ascii : List.of("C", "POSIX", "xx_XX.ISO-8859-1")) {
      assertThat(java(Map.of("LC_ALL", ascii, "LANG", "C.UTF-8")))
          .last()
          .asString()
          .matches("LC_ALL=(C|en_US).UTF-8 LC_CTYPE= LANG=C.UTF-8");
    }
    assertThat(java(Map.of("LC_CTYPE", "POSIX", "LANG", "de_DE.UTF-8")))
        .last()
        .asString()
        .matches("LC_ALL= LC_CTYPE=(C|en_US).UTF-8 LANG=de_DE.UTF-8");
    assertThat(java(Map.of("LANG", "C.UTF-8"))).last().isEqualTo("LC_ALL= LC_CTYPE= LANG=C.UTF-8");
  }

  @Test
  void anInstallationMayBringItsOwnJava() throws Exception {
    Files.delete(checkout.resolve("pom.xml"));
    Files.createDirectories(checkout.resolve("rdm-launch/target/dist/native"));
    Path own = checkout.resolve("runtime/bin/java");
    Files.createDirectories(own.getParent());
    Files.writeString(checkout.resolve("runtime/release"), "JAVA_VERSION=\"25\"\n");
    program(own, "echo own\n");
    assertThat(java(Map.of("RDM_JAVA_HOME", ""))).containsExactly("own");
    assertThat(java(Map.of())).as("RDM_JAVA_HOME").isNotEqualTo(List.of("own"));
  }
}
