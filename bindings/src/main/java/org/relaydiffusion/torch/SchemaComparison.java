// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.relaydiffusion.torch.OperatorSchema.Parameter;
import org.relaydiffusion.torch.OperatorSchema.Result;

/**
 * Compares the schema that a caller has with the one that LibTorch has registered: if they differed
 * in what lies on the stack, LibTorch would take a number for an address.
 */
final class SchemaComparison {
  private SchemaComparison() {}

  /**
   * What LibTorch takes after the parameters that the caller knows.
   *
   * @throws TorchException when the two are not of the same operator, naming all differences
   */
  static List<Parameter> added(OperatorSchema ours, OperatorSchema registered) {
    List<String> differences = new ArrayList<>();
    List<Parameter> known = ours.parameters();
    List<Parameter> all = registered.parameters();
    for (int i = 0; i < Math.max(known.size(), all.size()); i++) {
      if (i >= all.size()) {
        differences.add("it has no parameter " + known.get(i).name());
      } else if (i >= known.size()) {
        if (all.get(i).isRequired()) {
          differences.add("it has another parameter, " + describe(all.get(i)));
        }
      } else if (!isSame(known.get(i), all.get(i))) {
        differences.add(
            "it takes %s, not %s".formatted(describe(all.get(i)), describe(known.get(i))));
      }
    }
    if (!isSame(ours.results(), registered.results())) {
      differences.add(
          "it returns %s, not %s"
              .formatted(describe(registered.results()), describe(ours.results())));
    } else {
      for (int i = 0; i < ours.results().size(); i++) {
        int here = ours.writtenParameter(ours.results().get(i));
        int there = registered.writtenParameter(registered.results().get(i));
        if (here != there) {
          differences.add(
              "its result %s is %s, not %s"
                  .formatted(i, name(registered, there), name(ours, here)));
        }
      }
    }
    if (!differences.isEmpty()) {
      throw new TorchException(
          "the schema of %s is not LibTorch's: %s"
              .formatted(ours.qualifiedName(), String.join("; ", differences)));
    }
    return List.copyOf(all.subList(known.size(), all.size()));
  }

  private static boolean isSame(Parameter ours, Parameter theirs) {
    return ours.name().equals(theirs.name())
        && ours.type().isPassedAs(theirs.type())
        && ours.written() == theirs.written();
  }

  private static boolean isSame(List<Result> ours, List<Result> theirs) {
    return ours.size() == theirs.size()
        && IntStream.range(0, ours.size())
            .allMatch(i ->
                ours.get(i).type().isPassedAs(theirs.get(i).type())
                    && ours.get(i).written() == theirs.get(i).written());
  }

  private static String name(OperatorSchema schema, int parameter) {
    return parameter < 0 ? "new" : schema.parameters().get(parameter).name();
  }

  private static String describe(Parameter p) {
    return p.type() + " " + p.name() + (p.written() ? " (written)" : "");
  }

  private static String describe(List<Result> results) {
    return results.stream()
        .map(r -> r.type() + (r.written() ? " (written)" : ""))
        .toList()
        .toString();
  }
}
