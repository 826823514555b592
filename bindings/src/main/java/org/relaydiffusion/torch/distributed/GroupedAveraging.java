// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.distributed.Agreement.Operation;

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
        average();
      }
    }
  }

  /**
   * The parameters that have a gradient in any process; where this one has none, it gets one of
   * zeros.
   */
  private List<Tensor> used() {
    long[] absent = new long[(parameters.size() + Long.SIZE - 1) / Long.SIZE];
    for (int i = 0; i < parameters.size(); i++) {
      if (parameters.get(i).grad() == null) {
        absent[i / Long.SIZE] |= 1L << (i % Long.SIZE);
      }
    }
    // Whoever is in another operation now brings other numbers, of another length.
    group.agree(Operation.AVERAGE, parameters.size(), List.of());
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
    return IntStream.range(0, used.length).filter(i -> used[i]).mapToObj(parameters::get).toList();
  }

  private static Tensor zeros(Tensor parameter) {
    // In the parameter's layout, as the gradients that a backward pass makes.
    Tensor zeros = Torch.zerosLike(parameter);
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

  private void average() {
    List<Tensor> sent = new ArrayList<>();
    List<Tensor> turned = new ArrayList<>();
    List<Tensor> copies = new ArrayList<>();
    Map<DType, List<Tensor>> small = new LinkedHashMap<>();
    for (Tensor parameter : used()) {
      Tensor own = parameter.grad();
      Tensor grad = own != null ? own : zeros(parameter);
      // The parameter's layout is the same in all processes, its gradient's need not be.
      Layout layout = Layout.of(parameter);
      if (layout == Layout.OTHER || bytes(grad) < LARGE_BYTES) {
        small.computeIfAbsent(grad.dtype(), _ -> new ArrayList<>()).add(grad);
        continue;
      }
      Tensor whole = layout.rowMajor(grad);
      if (!whole.isContiguous()) {
        turned.add(whole);
        whole = whole.contiguous();
        copies.add(whole);
      }
      sent.add(whole);
    }
    List<Bucket> buckets = small.values().stream().flatMap(g -> buckets(g).stream()).toList();
    buckets.forEach(bucket -> sent.add(bucket.flat()));
    group.average(sent);
    buckets.forEach(Bucket::copyBack);
    if (!turned.isEmpty()) {
      Foreach.copyInPlace(turned, copies);
    }
  }

  /** How a tensor's elements lie. */
  private enum Layout {
    ROW_MAJOR,
    CHANNELS_LAST,
    OTHER;

    static Layout of(Tensor tensor) {
      if (tensor.isContiguous()) {
        return ROW_MAJOR;
      }
      return tensor.rank() == 4 && CHANNELS_LAST.rowMajor(tensor).isContiguous()
          ? CHANNELS_LAST
          : OTHER;
    }

    /** A view that is contiguous for a tensor of this layout. */
    Tensor rowMajor(Tensor tensor) {
      return this == CHANNELS_LAST ? Shapes.permute(tensor, 0, 2, 3, 1) : tensor;
    }
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
