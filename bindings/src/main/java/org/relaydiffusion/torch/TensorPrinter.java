// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Writes a tensor as {@code print} does in Python ({@code torch/_tensor_str.py}, with its default
 * options). Of more than 1000 elements the first and the last three along each axis are shown, and
 * no others are read or copied from a device.
 *
 * <p>One thing differs: what was computed from a tensor that requires a gradient says {@code
 * requires_grad=True}, where PyTorch names the operator ({@code grad_fn=<MulBackward0>}), which the
 * C ABI does not tell.
 */
final class TensorPrinter {
  private static final int THRESHOLD = 1000;
  private static final int EDGE = 3;
  private static final int LINE_WIDTH = 80;
  private static final String PREFIX = "tensor(";

  private final long[] sizes;
  private final boolean summarized;
  private final ElementFormat elements;

  private TensorPrinter(long[] sizes, boolean summarized, ElementFormat elements) {
    this.sizes = sizes;
    this.summarized = summarized;
    this.elements = elements;
  }

  static String textOf(Tensor tensor) {
    StringBuilder text = new StringBuilder(PREFIX).append(body(tensor));
    int lineLength = text.length() - text.lastIndexOf("\n") + 1;
    for (String suffix : suffixes(tensor)) {
      if (lineLength + suffix.length() + 2 > LINE_WIDTH) {
        text.append(",\n").append(" ".repeat(PREFIX.length()));
        lineLength = PREFIX.length() + suffix.length();
      } else {
        text.append(", ");
        lineLength += suffix.length() + 2;
      }
      text.append(suffix);
    }
    return text.append(')').toString();
  }

  private static List<String> suffixes(Tensor tensor) {
    List<String> suffixes = new ArrayList<>();
    if (tensor.device().type() != Device.Type.CPU) {
      suffixes.add("device='" + tensor.device() + "'");
    }
    DType dtype = tensor.dtype();
    boolean empty = tensor.numel() == 0;
    if (empty && tensor.rank() != 1) {
      suffixes.add(
          Arrays.stream(tensor.shape())
              .mapToObj(Long::toString)
              .collect(Collectors.joining(", ", "size=(", ")")));
    }
    // These are what numbers written so would become; of no numbers, float32 alone.
    boolean expected =
        dtype == DType.FLOAT32 || (!empty && (dtype == DType.INT64 || dtype == DType.BOOL));
    if (!expected) {
      suffixes.add("dtype=torch." + dtype.torchName());
    }
    if (tensor.requiresGrad()) {
      suffixes.add("requires_grad=True");
    }
    return suffixes;
  }

  private static String body(Tensor tensor) {
    if (tensor.numel() == 0) {
      return "[]";
    }
    boolean summarized = tensor.numel() > THRESHOLD;
    return new TensorPrinter(tensor.shape(), summarized, shown(tensor, summarized))
        .text(0, 0, PREFIX.length());
  }

  // Without a scope or a GradMode, so that virtual threads, which have neither, print tensors too.
  private static ElementFormat shown(Tensor tensor, boolean summarized) {
    try (Tensor plain = tensor.detach();
        Tensor shown = summarized ? edges(plain, 0) : plain.detach()) {
      DType dtype = shown.dtype();
      if (dtype.isFloatingPoint()) {
        return ElementFormat.of(shown.toDoubles());
      }
      long[] values = shown.toLongs();
      return dtype == DType.BOOL ? ElementFormat.ofTruths(values) : ElementFormat.of(values);
    }
  }

  /** The elements that are shown, from an axis on, as a new tensor: only these are copied. */
  private static Tensor edges(Tensor x, int axis) {
    if (axis == x.rank()) {
      return x.detach();
    }
    long size = x.size(axis);
    if (size <= 2 * EDGE) {
      return edges(x, axis + 1);
    }
    try (Tensor first = Shapes.narrow(x, axis, 0, EDGE);
        Tensor last = Shapes.narrow(x, axis, size - EDGE, EDGE);
        Tensor firstEdges = edges(first, axis + 1);
        Tensor lastEdges = edges(last, axis + 1)) {
      return Shapes.cat(List.of(firstEdges, lastEdges), axis);
    }
  }

  private boolean isCut(int axis) {
    return summarized && sizes[axis] > 2 * EDGE;
  }

  private int shownCount(int axis) {
    return isCut(axis) ? 2 * EDGE : Math.toIntExact(sizes[axis]);
  }

  /** The elements from {@code start} on that the axes from {@code axis} on have. */
  private String text(int axis, int start, int indent) {
    if (axis == sizes.length) {
      return elements.text(start);
    }
    boolean last = axis == sizes.length - 1;
    int step = 1;
    for (int i = axis + 1; i < sizes.length; i++) {
      step *= shownCount(i);
    }
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < shownCount(axis); i++) {
      if (isCut(axis) && i == EDGE) {
        parts.add(last ? " ..." : "...");
      }
      parts.add(text(axis + 1, start + i * step, indent + 1));
    }
    String newLine = " ".repeat(indent + 1);
    return last
        ? "[" + String.join(",\n" + newLine, lines(parts, LINE_WIDTH - indent)) + "]"
        : "[" + String.join("," + "\n".repeat(sizes.length - axis - 1) + newLine, parts) + "]";
  }

  private List<String> lines(List<String> parts, int room) {
    int perLine = Math.max(1, room / (elements.width() + 2));
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < parts.size(); i += perLine) {
      lines.add(String.join(", ", parts.subList(i, Math.min(parts.size(), i + perLine))));
    }
    return lines;
  }
}
