// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the null runtime counted: of a process, or of a part of one.
 *
 * @param launches of kernels and graphs, and calls of cuBLAS and cuDNN
 * @param toDevice copies from the host
 * @param toHost copies to the host
 * @param waits of the host for the device
 * @param elsewhere calls on another device
 * @param illegal calls that a graph being captured cannot have
 * @param unknown functions that the null runtime does not have
 */
record RunCounts(
    double launches,
    double toDevice,
    double toHost,
    double waits,
    double elsewhere,
    double illegal,
    List<String> unknown) {
  private static final Pattern TITLE =
      Pattern.compile("== nullcuda (.*): (\\d+) kernel launches of .*");
  private static final Pattern LINE = Pattern.compile(" +(\\d+) (.*?)(?: \\d+ bytes)?");
  private static final Pattern DEVICE = Pattern.compile(".* on device (\\d+)");

  /** Returns the counts of every block of a report with a title. */
  static List<RunCounts> parse(List<String> report, String title, int device) {
    List<RunCounts> all = new ArrayList<>();
    List<String> block = new ArrayList<>();
    boolean wanted = false;
    long launches = 0;
    for (String line : report) {
      Matcher begin = TITLE.matcher(line);
      if (begin.matches()) {
        if (wanted) {
          all.add(of(block, launches, device));
        }
        block.clear();
        wanted = begin.group(1).equals(title);
        launches = Long.parseLong(begin.group(2));
      } else {
        block.add(line);
      }
    }
    if (wanted) {
      all.add(of(block, launches, device));
    }
    return all;
  }

  private static RunCounts of(List<String> lines, long kernels, int device) {
    double[] sums = new double[6];
    sums[0] = kernels;
    List<String> unknown = new ArrayList<>();
    for (String line : lines) {
      Matcher m = LINE.matcher(line);
      if (m.matches()) {
        double count = Double.parseDouble(m.group(1));
        String what = m.group(2);
        Matcher on = DEVICE.matcher(what);
        boolean launches =
            what.startsWith("cublas") || what.startsWith("cudnn") || what.equals("cudaGraphLaunch");
        sums[0] += launches ? count : 0;
        sums[1] += what.startsWith("copy H2D") ? count : 0;
        sums[2] += what.startsWith("copy D2H") ? count : 0;
        sums[3] += what.contains("Synchronize") ? count : 0;
        sums[4] += on.matches() && Integer.parseInt(on.group(1)) != device ? count : 0;
        sums[5] += what.contains("DURING CAPTURE") ? count : 0;
        if (what.startsWith("UNEXPECTED")) {
          unknown.add(what.substring("UNEXPECTED ".length()));
        }
      }
    }
    return new RunCounts(sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], unknown);
  }

  /** Returns the difference of this run to a shorter one, for each of {@code steps}. */
  RunCounts beyond(RunCounts shorter, int steps) {
    return new RunCounts(
        (launches - shorter.launches) / steps,
        (toDevice - shorter.toDevice) / steps,
        (toHost - shorter.toHost) / steps,
        (waits - shorter.waits) / steps,
        elsewhere,
        illegal,
        unknown);
  }

  /** Returns the counts for each of {@code passes}. */
  RunCounts each(int passes) {
    return new RunCounts(
        launches / passes,
        toDevice / passes,
        toHost / passes,
        waits / passes,
        elsewhere,
        illegal,
        unknown);
  }
}
