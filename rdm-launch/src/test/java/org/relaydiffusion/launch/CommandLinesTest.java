// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import picocli.CommandLine;
import tools.jackson.databind.json.JsonMapper;

/**
 * The command lines of the official README, as they are. Files are placeholders: a command has
 * understood its line when it complains about the first of them, or has done what it can without.
 */
class CommandLinesTest {
  /** Options whose values are files or folders. */
  private static final Set<String> PATHS =
      Set.of(
          "--source",
          "--dest",
          "--outdir",
          "--indir",
          "--data",
          "--network_first",
          "--network_second",
          "--activations_sample",
          "--activations_ref",
          "--aim-repo");

  @TempDir private Path folder;

  static List<String> lines() {
    return ReferenceScripts.commandLines();
  }

  @BeforeEach
  void makeFiles() throws IOException {
    for (String name : List.of("original", "samples", "in")) {
      ReferenceScripts.makePictures(folder.resolve(name));
    }
    for (String zip :
        List.of(
            "dataset.zip",
            "imagenet-64x64.zip",
            "imagenet-256x256.zip",
            "CelebA-HQ-64x64.zip",
            "CelebA-HQ-256x256.zip")) {
      Files.copy(ReferenceScripts.DATA, folder.resolve(zip));
    }
  }

  @ParameterizedTest
  @MethodSource("lines")
  void everyLineIsTaken(String line) throws IOException {
    List<String> arguments = Stream.of(line.split(" ")).map(this::inFolder).toList();
    boolean launched = arguments.getFirst().equals("launch");
    List<String> command = launched ? launched(arguments) : arguments;
    boolean trains = command.contains("train");
    List<String> dry = new ArrayList<>(command);
    if (trains) {
      dry.add("-n");
    }

    RdmRun run = RdmRun.in(environment(arguments), dry.toArray(String[]::new));

    if (trains) {
      assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
      assertThat(new JsonMapper().readTree(run.out()).at("/optimizer_kwargs/lr").asDouble())
          .isEqualTo(1e-4);
    } else if (command.getFirst().equals("dataset_tool")) {
      assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
      assertThat(folder.resolve("out")).isDirectory();
    } else {
      assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.FAILURE);
      assertThat(run.err().lines().filter(said -> said.startsWith("rdm: ")))
          .singleElement()
          .satisfies(error -> assertThat(error).startsWith("rdm: " + folder + "/"));
    }
  }

  private String inFolder(String argument) {
    String[] parts = argument.split("=", 2);
    return PATHS.contains(parts[0]) ? parts[0] + "=" + folder.resolve(parts[1]) : argument;
  }

  /** What the launcher has every rank run; the ranks themselves end at once. */
  private static List<String> launched(List<String> arguments) {
    List<List<String>> ranks = Collections.synchronizedList(new ArrayList<>());
    StringWriter err = new StringWriter();
    Console console =
        new Console(new PrintWriter(new StringWriter()), new PrintWriter(err), false, Map.of());
    CommandLine root =
        RootCommand.commandLine(
            console,
            new StopSignal(),
            (line, _) -> {
              ranks.add(List.copyOf(line));
              return List.of("/bin/sh", "-c", "exit 0");
            });

    assertThat(Rdm.run(arguments, console, root)).as(err.toString()).isEqualTo(ExitCode.OK);
    assertThat(ranks).hasSize(processes(arguments).orElseThrow());
    assertThat(Set.copyOf(ranks)).hasSize(1);
    return ranks.getFirst();
  }

  private static Optional<Integer> processes(List<String> arguments) {
    return arguments.stream()
        .filter(argument -> argument.startsWith("--nproc_per_node="))
        .map(argument -> Integer.valueOf(argument.substring(argument.indexOf('=') + 1)))
        .findFirst();
  }

  /** The variables of the first rank. */
  private Map<String, String> environment(List<String> arguments) {
    Map<String, String> environment = new HashMap<>(ReferenceScripts.home(folder));
    processes(arguments)
        .ifPresent(count -> {
          environment.put("RANK", "0");
          environment.put("LOCAL_RANK", "0");
          environment.put("WORLD_SIZE", count.toString());
          environment.put("LOCAL_WORLD_SIZE", count.toString());
          environment.put("MASTER_ADDR", "127.0.0.1");
          environment.put("MASTER_PORT", "29500");
        });
    return environment;
  }
}
