// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.torch.Device;
import tools.jackson.databind.json.JsonMapper;

/** The table of {@link GpuBenchmark} on standard output, row by row, and in a file at the end. */
final class GpuReport {
  private final Path file;
  private final Map<String, Object> json = new LinkedHashMap<>();
  private final List<Map<String, Object>> rows = new ArrayList<>();
  private final List<Map<String, Object>> checks = new ArrayList<>();
  private final Map<String, List<String>> leftOut = new LinkedHashMap<>();

  /**
   * A measured case.
   *
   * @param milliseconds of a pass
   * @param teraflops a second
   * @param hostMilliseconds in which the host launches a pass
   * @param gigabytes that tensors had at most, with the weights
   * @param passes that were measured
   */
  record Row(
      GpuCase what,
      double milliseconds,
      double teraflops,
      double hostMilliseconds,
      double gigabytes,
      int passes) {}

  GpuReport(Path file, String version, Device device, String cuda) {
    this.file = file;
    json.put("libtorch", version);
    json.put("device", device.toString());
    json.put("cuda", cuda);
    System.out.println("LibTorch %s, %s: %s".formatted(version, device, cuda));
  }

  void columns() {
    System.out.printf(
        "%n%-8s %-14s %-13s %5s %-6s %10s %9s %9s %9s%n",
        "network", "numerics", "layout", "batch", "launch", "ms", "TFLOP/s", "host ms", "peak GB");
  }

  void loaded(GpuCase.Group group, double seconds) {
    json.put("load_seconds_%s_%s".formatted(group.network(), group.variant()), seconds);
  }

  void row(Row r) {
    GpuCase c = r.what();
    System.out.printf(
        Locale.ROOT,
        "%-8s %-14s %-13s %5s %-6s %10.3f %9.2f %9.3f %9.2f%n",
        "ADM " + c.network(),
        c.variant().text,
        c.layout().text,
        c.batch(),
        c.mode().text,
        r.milliseconds,
        r.teraflops,
        r.hostMilliseconds,
        r.gigabytes);
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("resolution", c.network());
    row.put("numerics", c.variant().text);
    row.put("layout", c.layout().text);
    row.put("batch", c.batch());
    row.put("launch", c.mode().text);
    row.put("milliseconds", r.milliseconds);
    row.put("teraflops_per_second", r.teraflops);
    row.put("host_milliseconds", r.hostMilliseconds);
    row.put("peak_gigabytes", r.gigabytes);
    row.put("passes", r.passes);
    rows.add(row);
  }

  void leftOut(GpuCase c, String reason) {
    leftOut.computeIfAbsent(reason, _ -> new ArrayList<>()).add(c.text());
    if (!reason.equals("no time left")) {
      System.out.println("%s: left out: %s".formatted(c.text(), reason));
    }
  }

  /**
   * Prints the outcome of a check.
   *
   * @param outcome passed, FAILED or not checked
   */
  void check(String what, String outcome, String words) {
    System.out.println("%-11s %s: %s".formatted(outcome, what, words));
    checks.add(Map.of("check", what, "outcome", outcome, "detail", words));
  }

  /** Prints what was left out, and writes the file. */
  void write(double seconds) {
    leftOut.forEach((reason, cases) -> {
      System.out.println("%nleft out (%s):".formatted(reason));
      cases.forEach(c -> System.out.println("  " + c));
    });
    json.put("seconds", seconds);
    json.put("rows", rows);
    json.put("checks", checks);
    json.put("left_out", leftOut);
    String text = new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json);
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
    AtomicFile.write(
        file,
        out -> {
          while (bytes.hasRemaining()) {
            out.write(bytes);
          }
        });
    System.out.println(
        "%n%s s; written to %s".formatted(GpuBenchmark.number("%.0f", seconds), file));
  }
}
