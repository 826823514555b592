// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * A network part by part: name, parameters, output shape and type, as one image goes through it.
 *
 * @param rows the parts, in the order in which they finish
 * @param parameters learned elements of the whole network
 */
public record ModuleSummary(List<Row> rows, long parameters) {
  /**
   * One part.
   *
   * @param name its path in the network
   * @param kind its class
   * @param parameters learned elements in it and below
   * @param shape of its output
   * @param dtype of its output
   */
  public record Row(String name, String kind, long parameters, List<Long> shape, DType dtype) {}

  /** Runs one image of zeros through a loaded network; {@code depth} levels of names are shown. */
  public static ModuleSummary of(Preconditioner network, int depth) {
    Map<String, Module> modules = new LinkedHashMap<>();
    network.walk(modules::put);
    List<Row> rows = new ArrayList<>();
    network.observe((path, output) -> {
      // "enc.64x64_block0" is one level: the reference keeps its blocks in a dictionary.
      if (path.replaceAll("(enc|dec)\\.", "").chars().filter(c -> c == '.').count() < depth) {
        rows.add(row(path, modules, output));
      }
    });
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open()) {
      int r = network.resolution();
      Tensor x = Torch.zeros(DType.FLOAT32, 1, network.channels(), r, r);
      network.denoise(x, Torch.full(1, DType.FLOAT64), null);
    } finally {
      network.observe(null);
    }
    return new ModuleSummary(List.copyOf(rows), network.parameterCount());
  }

  private static Row row(String path, Map<String, Module> modules, Tensor output) {
    Module module = Objects.requireNonNull(modules.get(path));
    return new Row(
        path,
        module.getClass().getSimpleName(),
        module.state().values().stream()
            .filter(p -> p.kind() == Parameter.Kind.PARAMETER)
            .mapToLong(Parameter::numel)
            .sum(),
        LongStream.of(output.shape()).boxed().toList(),
        output.dtype());
  }

  /** A table with a line a part, and the total below. */
  @Override
  public String toString() {
    List<String[]> cells = new ArrayList<>();
    cells.add(new String[] {"module", "class", "parameters", "output", "dtype"});
    for (Row r : rows) {
      cells.add(
          new String[] {
            r.name, r.kind, grouped(r.parameters), r.shape.toString(), r.dtype.torchName()
          });
    }
    cells.add(new String[] {"total", "", grouped(parameters), "", ""});
    int[] widths = new int[5];
    cells.forEach(row -> Arrays.setAll(widths, i -> Math.max(widths[i], row[i].length())));
    StringBuilder text = new StringBuilder();
    for (String[] row : cells) {
      String line =
          String.join(
              "  ",
              row[0] + padding(row[0], widths[0]),
              row[1] + padding(row[1], widths[1]),
              padding(row[2], widths[2]) + row[2],
              row[3] + padding(row[3], widths[3]),
              row[4]);
      text.append(line.stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private static String grouped(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String padding(String text, int width) {
    return " ".repeat(width - text.length());
  }
}
