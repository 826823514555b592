// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.ModuleFile;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.Comparison;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The tensors of the network in a file of either family, under the published names.
 *
 * @param tensors every tensor by its published name, in the network's order; read from the file on
 *     access
 * @param warnings one line each
 */
record InceptionState(Map<String, TensorSource> tensors, List<String> warnings) {
  private static final int NAMED = 3;

  /** How a file names its tensors. */
  private enum Family {
    PUBLISHED("layers.conv.weight"),
    TORCHVISION("Conv2d_1a_3x3.conv.weight");

    private final String mark;

    Family(String mark) {
      this.mark = mark;
    }

    String name(String published) {
      return this == PUBLISHED ? published : TorchvisionNames.of(published);
    }
  }

  /** Returns whether a file has tensors with the names of either family. */
  static boolean isIn(ModuleFile file) {
    return isAmong(file.tensors().keySet());
  }

  /** Returns whether names are those of either family. */
  static boolean isAmong(Set<String> names) {
    return Arrays.stream(Family.values()).anyMatch(f -> names.contains(f.mark));
  }

  /**
   * Finds the network's tensors in a file, which must stay open.
   *
   * @param network determines the expected tensors
   * @throws FileException if one is missing, unexpected, or has another dtype or shape
   */
  static InceptionState read(ModuleFile file, InceptionV3 network) {
    for (Family family : Family.values()) {
      if (file.tensors().containsKey(family.mark)) {
        return new Reader(file, network, family).read();
      }
    }
    throw new FileException(
        file.path(),
        "is a %s without Inception-v3: it has neither '%s' nor '%s', but %s"
            .formatted(
                file.kind(),
                Family.PUBLISHED.mark,
                Family.TORCHVISION.mark,
                listed(file.tensors().keySet())));
  }

  /**
   * Checks that a file has exactly the network's tensors, under the published names.
   *
   * @throws FileException if one is missing, unexpected, or has another dtype or shape
   */
  static void checkPublished(ModuleFile file, InceptionV3 network) {
    Reader reader = new Reader(file, network, Family.PUBLISHED);
    reader.check(reader.wanted());
  }

  private static String listed(Set<String> names) {
    String first =
        names.stream()
            .limit(NAMED)
            .map(name -> "'" + Printable.of(name) + "'")
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "no tensors" : "%s (%s in all)".formatted(first, names.size());
  }

  /** Reads one file. */
  private static final class Reader {
    private final ModuleFile file;
    private final Family family;
    private final Map<String, long[]> published = new LinkedHashMap<>();
    private final List<String> scaled = new ArrayList<>();

    Reader(ModuleFile file, InceptionV3 network, Family family) {
      this.file = file;
      this.family = family;
      network.state().forEach((name, parameter) -> published.put(name, parameter.shape()));
    }

    InceptionState read() {
      check(wanted());
      Map<String, TensorSource> tensors = new LinkedHashMap<>();
      published.keySet().forEach(name -> tensors.put(name, source(name)));
      List<String> warnings =
          scaled.isEmpty()
              ? List.of()
              : List.of(
                  ("%s: %s normalization layers have a scale other than 1, first '%s': it was"
                              + " multiplied")
                          .formatted(file.path(), scaled.size(), scaled.getFirst())
                      + " into weights and means");
      return new InceptionState(tensors, warnings);
    }

    /** Returns the shapes of the expected tensors, by the names in the file. */
    private Map<String, long[]> wanted() {
      Map<String, long[]> wanted = new LinkedHashMap<>();
      published.forEach((name, shape) -> {
        wanted.put(family.name(name), shape);
        if (family == Family.TORCHVISION && name.endsWith(".mean")) {
          wanted.put(TorchvisionNames.scaleOf(name), shape);
        }
      });
      return wanted;
    }

    private void check(Map<String, long[]> wanted) {
      Set<String> missing = new LinkedHashSet<>(wanted.keySet());
      missing.removeAll(file.tensors().keySet());
      Set<String> extra = new LinkedHashSet<>(file.tensors().keySet());
      extra.removeAll(wanted.keySet());
      if (family == Family.TORCHVISION) {
        TorchvisionNames.counters().forEach(extra::remove);
      }
      if (!missing.isEmpty() || !extra.isEmpty()) {
        throw bad(
            "is not Inception-v3 of 2015-12-05: missing: %s; unexpected: %s"
                .formatted(
                    missing.isEmpty() ? "nothing" : listed(missing),
                    extra.isEmpty() ? "nothing" : listed(extra)));
      }
      wanted.forEach((name, shape) -> {
        StoredTensor found = stored(name);
        if (found.dtype() != DType.FLOAT32 || !Arrays.equals(found.shape(), shape)) {
          throw bad(
              "tensor '%s' is %s%s, expected float32%s"
                  .formatted(
                      name,
                      found.dtype().torchName(),
                      Arrays.toString(found.shape()),
                      Arrays.toString(shape)));
        }
      });
    }

    private TensorSource source(String name) {
      StoredTensor stored = stored(family.name(name));
      boolean scales = name.endsWith(".weight") || name.endsWith(".mean");
      if (family == Family.PUBLISHED || name.startsWith("output.") || !scales) {
        return TensorSources.of(stored);
      }
      String scale = TorchvisionNames.scaleOf(name);
      StoredTensor factor = stored(scale);
      if (areOnes(factor)) {
        return TensorSources.of(stored);
      }
      if (name.endsWith(".mean")) {
        scaled.add(scale);
      }
      return new Product(stored, factor);
    }

    private static boolean areOnes(StoredTensor factor) {
      try (TensorScope _ = TensorScope.open()) {
        Tensor ones = Torch.ones(DType.FLOAT32, factor.shape());
        return Reduction.all(Comparison.eq(Torch.fromData(factor.data()), ones)).item() != 0;
      }
    }

    private StoredTensor stored(String name) {
      return Objects.requireNonNull(file.tensors().get(name), name);
    }

    private FileException bad(String what) {
      return new FileException(file.path(), what);
    }
  }

  /**
   * A float32 tensor whose rows are scaled while it is read.
   *
   * @param tensor of any shape
   * @param factor [rows]
   */
  private record Product(StoredTensor tensor, StoredTensor factor) implements TensorSource {
    @Override
    public DType dtype() {
      return DType.FLOAT32;
    }

    @Override
    public long[] shape() {
      return tensor.shape();
    }

    @Override
    public void forEachChunk(ChunkConsumer consumer) throws IOException {
      long[] rows = shape();
      Arrays.fill(rows, 1);
      rows[0] = -1;
      try (TensorScope _ = TensorScope.open()) {
        Tensor factors = Torch.fromData(factor.data()).reshape(rows);
        TensorSources.of(Torch.fromData(tensor.data()).mul(factors)).forEachChunk(consumer);
      }
    }
  }
}
