// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads every input of the corpus once, without Jazzer: {@code Replay ROOT [target [file...]]}.
 * Prints a table, and each finding with its stack trace. Exits with 1 if there are findings.
 */
public final class Replay {
  private Replay() {}

  /** Runs it. */
  public static void main(String[] arguments) throws IOException {
    Corpus corpus = new Corpus(Path.of(arguments[0]));
    System.out.println(Totals.head());
    Totals sum = Totals.NONE;
    long findings = 0;
    for (Target target : Target.values()) {
      if (arguments.length > 1 && target != Target.of(arguments[1])) {
        continue;
      }
      Map<String, byte[]> inputs = arguments.length > 2 ? files(arguments) : corpus.of(target);
      Contract contract = new Contract(target);
      long found = 0;
      for (Map.Entry<String, byte[]> input : inputs.entrySet()) {
        try {
          contract.check(input.getValue());
        } catch (Contract.Finding e) {
          found++;
          System.out.println(target.text() + " " + input.getKey() + ":");
          e.printStackTrace(System.out);
        }
      }
      System.out.println(contract.totals().row(target.text(), found));
      sum = sum.plus(contract.totals());
      findings += found;
    }
    System.out.println(sum.row("all", findings));
    System.exit(findings == 0 ? 0 : 1);
  }

  private static Map<String, byte[]> files(String[] arguments) throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (int i = 2; i < arguments.length; i++) {
      files.put(arguments[i], Files.readAllBytes(Path.of(arguments[i])));
    }
    return files;
  }
}
