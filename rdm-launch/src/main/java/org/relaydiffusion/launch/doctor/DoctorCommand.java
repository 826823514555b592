// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.doctor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.process.WorkerCommand;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.nativeconfig.DoctorReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rdm doctor}. */
@Command(
    name = "doctor",
    description = {
      "Report on Java, the machine, LibTorch, CUDA, the caches, and each LibTorch that is installed.",
      "Each GPU that LibTorch can use is tried, in a process of its own: a convolution, a matrix"
          + " product, attention and a random draw, compared with the CPU's results.",
      "Exits with 1 if LibTorch cannot be loaded, or a GPU fails."
    })
public final class DoctorCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private final ReportOptions report = new ReportOptions();

  /** Creates the command. */
  public DoctorCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    report.apply();
    DoctorReport found = Doctor.examine();
    List<DeviceCheck> checks = checks(found.cuda());
    if (report.json) {
      console.json(Findings.of(found, checks));
    } else {
      print(found, checks);
    }
    boolean well =
        found.libTorch() instanceof DoctorReport.Loaded
            && checks.stream().allMatch(DeviceCheck::passed);
    return well ? ExitCode.OK : ExitCode.FAILURE;
  }

  private List<DeviceCheck> checks(DoctorReport.Cuda cuda) {
    if (cuda.whyUnusable().isPresent() || cuda.devices().isEmpty()) {
      return List.of();
    }
    if (!report.quiet) {
      console.say(
          "rdm doctor: trying %s (at most %s s)"
              .formatted(
                  cuda.devices().size() == 1 ? "the GPU" : cuda.devices().size() + " GPUs",
                  DeviceTrial.TIMEOUT.toSeconds()));
    }
    DeviceTrial trial =
        DeviceTrial.of(
            WorkerCommand.likeThisProcess(DeviceCheckMain.class),
            console.environment(),
            DeviceTrial.TIMEOUT);
    return trial.all(cuda.devices().stream().map(d -> "cuda:" + d.index()).toList());
  }

  private void print(DoctorReport found, List<DeviceCheck> checks) {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    List<String> devices = new ArrayList<>(checks.stream().map(DeviceCheck::device).toList());
    found
        .facts()
        .forEach((name, fact) -> {
          facts.put(name, fact);
          int at = devices.indexOf(name);
          if (at >= 0) {
            facts.put(name + " check", checks.get(at).text());
          }
        });
    int width = facts.keySet().stream().mapToInt(String::length).max().orElse(0);
    facts.forEach(
        (name, fact) -> console.print(name + " ".repeat(width + 2 - name.length()) + fact));
  }
}
