// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;

/**
 * Averages all gradients after the backward pass, by one call of the group: large ones where they
 * lie, small ones together, in buckets. It takes longer than a {@link ReducerAveraging}, which
 * sends while the pass goes on, but needs nothing of LibTorch's C++.
 */
final class GroupedAveraging implements GradientAveraging {
  /** From here on a gradient is sent from where it lies: a copy costs more than a message. */
  private static final long LARGE_BYTES = 1 << 20;

  private static final int MOST_NAMES = 5;

  private final ProcessGroup group;
  private final List<Tensor> parameters;
  private final List<String> names;
  private final DdpOptions options;
  private final long bucketBytes;
  private boolean announced;

  /**
   * Averaging of the gradients of parameters, which stay the caller's.
   *
   * @param names as many, for messages
   */
  GroupedAveraging(
      ProcessGroup group, List<Tensor> parameters, List<String> names, DdpOptions options) {
    this.group = group;
    this.parameters = List.copyOf(parameters);
    this.names = List.copyOf(names);
    this.options = options;
    this.bucketBytes = (long) options.bucketMiB() << 20;
  }

  @Override
  public void beforeForward() {
    if (announced) {
      throw new TorchException("the last forward pass was not followed by its backward pass");
    }
  }

  @Override
  public void beforeBackward(Tensor output) {
    announced = true;
  }

  @Override
  public void backward(Tensor loss) {
    loss.backward();
    if (announced) {
      announced = false;
      try (TensorScope _ = TensorScope.open();
          GradMode _ = GradMode.noGrad()) {
        average(gradients());
      }
    }
  }

  /** The gradients that any process has; where this one has none, of zeros. */
  private List<Tensor> gradients() {
    List<@Nullable Tensor> own = new ArrayList<>();
    long[] absent = new long[(parameters.size() + Long.SIZE - 1) / Long.SIZE];
    for (int i = 0; i < parameters.size(); i++) {
      Tensor grad = parameters.get(i).grad();
      own.add(grad);
      if (grad == null) {
        absent[i / Long.SIZE] |= 1L << (i % Long.SIZE);
      }
    }
    long[] all = group.exchange("backward", absent);
    boolean[] used = new boolean[parameters.size()];
    for (int rank = 0; rank < group.size(); rank++) {
      List<Integer> missing = bits(all, rank * absent.length);
      if (!options.findsUnused() && !missing.isEmpty()) {
        throw new TorchException(
            "backward on rank %s of %s: rank %s reached no %s, and unused parameters are not looked for"
                .formatted(group.rank(), group.size(), rank, text(missing)));
      }
      for (int i = 0; i < used.length; i++) {
        used[i] |= !missing.contains(i);
      }
    }
    List<Tensor> grads = new ArrayList<>();
    for (int i = 0; i < used.length; i++) {
      if (used[i]) {
        grads.add(own.get(i) != null ? own.get(i) : zeros(parameters.get(i)));
      }
    }
    return grads;
  }

  private static Tensor zeros(Tensor parameter) {
    Tensor zeros = Torch.full(0, parameter.dtype(), parameter.device(), parameter.shape());
    parameter.setGrad(zeros);
    return zeros;
  }

  private List<Integer> bits(long[] words, int from) {
    return IntStream.range(0, parameters.size())
        .filter(i -> (words[from + i / Long.SIZE] >>> (i % Long.SIZE) & 1) != 0)
        .boxed()
        .toList();
  }

  private String text(List<Integer> missing) {
    String first =
        missing.stream().limit(MOST_NAMES).map(names::get).collect(Collectors.joining(", "));
    return missing.size() > MOST_NAMES
        ? "%s and %s more".formatted(first, missing.size() - MOST_NAMES)
        : first;
  }

  private void average(List<Tensor> grads) {
    List<Tensor> sent = new ArrayList<>();
    Map<DType, List<Tensor>> small = new LinkedHashMap<>();
    for (Tensor grad : grads) {
      Tensor whole = rowMajor(grad);
      if (whole != null && bytes(grad) >= LARGE_BYTES) {
        sent.add(whole);
      } else {
        small.computeIfAbsent(grad.dtype(), _ -> new ArrayList<>()).add(grad);
      }
    }
    List<Bucket> buckets = small.values().stream().flatMap(g -> buckets(g).stream()).toList();
    buckets.forEach(bucket -> sent.add(bucket.flat()));
    group.average(sent);
    buckets.forEach(Bucket::copyBack);
  }

  /** The same memory as a contiguous tensor; null where there is none. */
  private static @Nullable Tensor rowMajor(Tensor grad) {
    if (grad.isContiguous()) {
      return grad;
    }
    Tensor turned = grad.rank() == 4 ? Shapes.permute(grad, 0, 2, 3, 1) : grad;
    return turned.isContiguous() ? turned : null;
  }

  private static long bytes(Tensor tensor) {
    return tensor.numel() * tensor.dtype().byteSize();
  }

  private List<Bucket> buckets(List<Tensor> grads) {
    List<Bucket> buckets = new ArrayList<>();
    List<Tensor> next = new ArrayList<>();
    long full = 0;
    for (Tensor grad : grads) {
      if (!next.isEmpty() && full + bytes(grad) > bucketBytes) {
        buckets.add(Bucket.of(next));
        next = new ArrayList<>();
        full = 0;
      }
      next.add(grad);
      full += bytes(grad);
    }
    if (!next.isEmpty()) {
      buckets.add(Bucket.of(next));
    }
    return buckets;
  }

  /** Gradients of one type, and their elements one after the other. */
  private record Bucket(List<Tensor> grads, Tensor flat) {
    static Bucket of(List<Tensor> grads) {
      return new Bucket(grads, Shapes.cat(grads.stream().map(g -> g.reshape(-1)).toList(), 0));
    }

    void copyBack() {
      List<Tensor> parts = new ArrayList<>();
      long start = 0;
      for (Tensor grad : grads) {
        parts.add(flat.narrow(0, start, grad.numel()).reshape(grad.shape()));
        start += grad.numel();
      }
      Foreach.copyInPlace(grads, parts);
    }
  }

  @Override
  public void close() {
    // Nothing of it is in the network.
  }
}
