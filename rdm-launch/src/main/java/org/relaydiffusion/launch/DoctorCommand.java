// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import java.util.concurrent.Callable;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.nativeconfig.DoctorReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rdm doctor}. */
@Command(
    name = "doctor",
    description = {
      "Report on Java, the machine, LibTorch, CUDA and the caches.",
      "Exits with 1 if LibTorch cannot be loaded."
    })
final class DoctorCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private final ReportOptions report = new ReportOptions();

  DoctorCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    report.apply();
    DoctorReport found = Doctor.examine();
    if (report.json) {
      console.json(found);
    } else {
      int width = found.facts().keySet().stream().mapToInt(String::length).max().orElse(0);
      found
          .facts()
          .forEach(
              (name, fact) -> console.print(name + " ".repeat(width + 2 - name.length()) + fact));
    }
    return found.libTorch() instanceof DoctorReport.Loaded ? ExitCode.OK : ExitCode.FAILURE;
  }
}
